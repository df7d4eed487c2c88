"""Undo and redo: every network that the page has shown."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...spec import from_query
from .. import builder
from ..kit import bridge, scripts
from ..kit.requests import NetworkRequest

_TEMPLATE = """
<div class="rx-toast" role="status" hidden>
  <span></span>
  <button type="button" data-go="back">Undo</button>
  <button type="button" data-go="forth">Redo</button>
  <button type="button" data-go="away" aria-label="Close">✕</button>
</div>
"""


def history() -> gr.HTML:
    """Its ``input`` event brings an action on the builder, as JSON (see ``builder.js``).

    A button with ``data-apply="?QUERY"`` puts that network in its place, and then the page says its ``data-done``.
    """
    return gr.HTML(
        value="",
        html_template=_TEMPLATE,
        js_on_load=scripts.mount("history/history.js"),
        server_functions=[fields],
        apply_default_css=False,
        elem_id="history",
        padding=False,
    )


@bridge.answers(NetworkRequest)
def fields(request: NetworkRequest) -> dict[str, Any]:
    """-> ``{"fields"}``, the builder's values for that network."""
    return {"fields": builder.show(from_query(request.query))[2:]}
