"""Tabs that contain all their components from the start.

Gradio's own tabs create their contents when they are first shown, and a frame later set every field to its first value
again, so that whatever was typed in between is lost (see ``fold.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from ...views.kit.markup import tag, text


def tabs(names: Sequence[str], label: str, elem_id: str) -> list[gr.Column]:
    """A row of tabs, and a column for the contents of each; the first is open (``tabs.js`` opens another).

    Args:
        label: what a screen reader calls the row.
    """
    ids = [f"{elem_id}-{number}" for number in range(len(names))]
    with gr.Column(elem_classes="rx-tabs", elem_id=elem_id):
        buttons = "".join(_button(name, panel, panel == ids[0]) for name, panel in zip(names, ids, strict=True))
        row = tag("div", buttons, role="tablist", aria_label=label)
        gr.HTML(row, padding=False, apply_default_css=False, elem_classes="rx-tab-row")
        return [
            gr.Column(elem_id=panel, elem_classes=["rx-panel", *(["open"] if panel == ids[0] else [])]) for panel in ids
        ]


def _button(name: str, panel: str, is_open: bool) -> str:
    selected = "true" if is_open else "false"
    index = "0" if is_open else "-1"
    return tag(
        "button", text(name), type="button", role="tab", aria_selected=selected, aria_controls=panel, tabindex=index
    )
