"""What is below the answer, by name: the parts of the tab are long, and a reader would not scroll for them."""

from __future__ import annotations

import gradio as gr

from ...views.kit.markup import tag
from ..kit import scripts
from ..kit.panel import create_panel

_PARTS = {
    "Why?": "#why",
    "Side by side": "#beside-panel details",
    "Many photos": "#many-panel details",
    "Transfer learning": "#transfer-panel details",
    "All networks": "#nets-panel details",
    "Throughput": "#throughput",
}


def build_panel() -> gr.HTML:
    """Lay the row out: a button opens its part and brings it into view."""
    parts = (tag("button", name, type="button", css="rx-to", data_part=place) for name, place in _PARTS.items())
    row = tag("nav", tag("span", "On this page") + "".join(parts), css="rx-contents", aria_label="On this page")
    return create_panel("classify-contents", row, scripts.mount("classify/contents.js"))
