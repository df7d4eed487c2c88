"""The shortcut checks and the walk: rows that sort and filter in the browser, from two server functions."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from ...errors import DiagramError
from ...inspection import Report
from ...views.checks import rows
from ...views.checks.walk import walk
from ...views.export import tables
from ..kit.failures import told
from ..kit.model_files import report_of
from ..kit.style import script

_TEMPLATE = """
<div class="rx-checks">
  <div class="rx-checks-tools">
    <button type="button" class="rx-small" data-do="walk">Walk me through it</button>
    <span class="rx-fix-all"></span>
    <input type="search" placeholder="Filter" aria-label="Filter the checks">
    <label><input type="checkbox">Only what does not fit</label>
    <span class="rx-of" role="status"></span>
    <button type="button" class="rx-small" data-do="copy">Copy as CSV</button>
  </div>
  <div class="rx-rows"></div>
  <section class="rx-walk" aria-label="Walk through the network" tabindex="-1" hidden>
    <header>
      <h3></h3><span></span>
      <button type="button" class="rx-small" data-do="previous" title="←">Previous</button>
      <button type="button" class="rx-small" data-do="next" title="→">Next</button>
      <button type="button" class="rx-small" data-do="done" title="Escape">Done</button>
    </header>
    <div class="rx-told" aria-live="polite"></div>
  </section>
</div>
"""


def checks_panel() -> gr.HTML:
    """Empty until the diagram is drawn and the panel is looked at."""
    return gr.HTML(
        value="",
        html_template=_TEMPLATE,
        js_on_load=script("kit/sorting.js", "checks/checks.js"),
        server_functions=[list_checks, list_steps],
        apply_default_css=False,
        elem_id="checks",
        padding=False,
    )


def list_checks(request: Any) -> str:
    """Browser's ``{"query"}`` -> JSON ``{"rows", "all", "csv"}``, or ``{"error"}``.

    ``rows``, ``all``: HTML of the table and of the button that fixes everything. ``csv``: the head, then a line for
    each sum, by its row's number.
    """
    try:
        report = _report(request)
        answer = {
            "rows": rows.checks(report, applies=True),
            "all": rows.all_button(report),
            "csv": tables.checks(report).splitlines(),
        }
        return json.dumps(answer)
    except Exception as error:
        return json.dumps({"error": told(error)})


def list_steps(request: Any) -> str:
    """Browser's ``{"query"}`` -> JSON ``{"steps": [{"node", "title", "html"}]}``, or ``{"error"}``."""
    try:
        report = _report(request)
        steps = [{"node": s.node, "title": s.title, "html": rows.stop(report, s)} for s in walk(report)]
        return json.dumps({"steps": steps})
    except Exception as error:
        return json.dumps({"error": told(error)})


def _report(request: Any) -> Report:
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        raise DiagramError("A network is expected.")
    return report_of(request["query"])
