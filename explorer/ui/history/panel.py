"""The way back: every network the page has shown, and another one put in its place, at one click."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from ...errors import SpecError
from ...spec import from_query
from .. import builder
from ..kit.bridge import error_message
from ..kit.style import script

_TEMPLATE = """
<div class="rx-toast" role="status" hidden>
  <span></span>
  <button type="button" data-go="back">Undo</button>
  <button type="button" data-go="forth">Redo</button>
  <button type="button" data-go="away" aria-label="Close">✕</button>
</div>
"""


def history() -> gr.HTML:
    """Its ``input`` event brings the builder's fields, as JSON, in the order of ``builder.CONTROLS``.

    A button with ``data-apply="?QUERY"`` puts that network in its place, and then the page says its ``data-done``.
    """
    return gr.HTML(
        value="",
        html_template=_TEMPLATE,
        js_on_load=script("history/history.js"),
        server_functions=[fields],
        apply_default_css=False,
        elem_id="history",
        padding=False,
    )


def fields(request: Any) -> str:
    """Browser's ``{"query"}`` -> JSON ``{"fields"}``, the builder's values for that network, or ``{"error"}``."""
    try:
        if not isinstance(request, dict) or not isinstance(request.get("query"), str):
            raise SpecError("query", "a network's address is expected")
        return json.dumps({"fields": builder.show(from_query(request["query"]))[2:]})
    except Exception as error:
        return json.dumps({"error": error_message(error)})
