"""Undo and redo of every change of the network, and the way by which scripts change the builder."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...spec import from_query
from .. import builder
from ..kit import bridge, scripts
from ..kit.panel import create_panel
from ..kit.requests import NetworkRequest

_BACK = "M5.5 3 2.5 6l3 3M3 6h6.5a3.5 3.5 0 0 1 0 7H6"
_FORTH = "M10.5 3l3 3-3 3M13 6H6.5a3.5 3.5 0 0 0 0 7H10"


def _button(name: str, words: str, keys: str, path: str) -> str:
    shortcut = keys.replace("Ctrl", "Control").replace(" ", "+")
    icon = f'<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="{path}"/></svg>'
    return (
        f'<button type="button" data-go="{name}" title="{words} ({keys})" aria-label="{words}" '
        f'aria-keyshortcuts="{shortcut}" disabled>{icon}<span>{words}</span></button>'
    )


_TEMPLATE = f"""
<span class="rx-said" role="status"></span>
<span class="rx-history" role="group" aria-label="Changes of the network">
  {_button("back", "Undo", "Ctrl Z", _BACK)}
  {_button("forth", "Redo", "Ctrl Shift Z", _FORTH)}
</span>
"""


def history() -> gr.HTML:
    """Its ``input`` event brings an action on the builder, as JSON (see ``builder.js``).

    A button with ``data-apply="?QUERY"`` puts that network in its place, and then the page says its ``data-done``.
    """
    return create_panel("history", _TEMPLATE, scripts.mount("history/history.js"), [fields])


@bridge.answers(NetworkRequest)
def fields(request: NetworkRequest) -> dict[str, Any]:
    """-> ``{"fields"}``, the builder's values for that network."""
    return {"fields": builder.show(from_query(request.query))[2:]}
