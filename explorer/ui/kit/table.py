"""Measured values as a table that sorts, selects in the diagram, and can be copied or downloaded as CSV."""

from __future__ import annotations

import json

import gradio as gr

from . import scripts
from .panel import create_panel

_TEMPLATE = """
<div class="rx-measured" hidden>
  <div class="rx-measured-tools">
    <button type="button" class="rx-small" data-do="copy">Copy as CSV</button>
    <button type="button" class="rx-small" data-do="download">Download CSV</button>
  </div>
  <div class="rx-values"></div>
</div>
"""


def rows(elem_id: str) -> gr.HTML:
    """A table whose value is ``table_value(…)``; "" shows nothing."""
    return create_panel(elem_id, _TEMPLATE, scripts.mount("kit/table.js"))


def table_value(html: str, csv: str, name: str) -> str:
    """What ``rows`` takes: the table, its CSV, and the name of that file."""
    return json.dumps({"html": html, "csv": csv, "name": name})
