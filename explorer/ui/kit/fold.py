"""A part of a form that opens and closes.

Gradio's own accordion creates its contents when it is first opened, and a frame later sets every field to its first
value again, so that whatever was typed in between is lost. Here everything exists from the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from ...views.kit.markup import tag, text

_ARROW = '<span aria-hidden="true">▼</span>'


@contextmanager
def fold(label: str, elem_id: str | None = None) -> Iterator[None]:
    """Components of the ``with`` block are behind a button of that label; closed at first (``page.js`` opens it)."""
    with gr.Column(elem_classes="rx-fold", elem_id=elem_id):
        button = tag("button", tag("span", text(label)) + _ARROW, type="button", aria_expanded="false")
        gr.HTML(button, padding=False, apply_default_css=False, elem_classes="rx-fold-head")
        with gr.Column(elem_classes="rx-fold-body"):
            yield
