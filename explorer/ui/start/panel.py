"""The card of the first look. Dismissed, it stays away in this browser (``start.js``)."""

from __future__ import annotations

import gradio as gr

from ...views.kit.markup import tag
from ..kit import scripts
from ..kit.panel import create_panel

_ABOUT = (
    "A residual network adds each block's input x to its output F(x), which made over 100 layers trainable. "
    "Change one choice and see all that follows."
)
# What start.js does, the words on the button, and what a reader then sees.
_TO_TRY = (
    ("break", "Break the shortcuts", "Adds x as it is in every block: see where the shapes no longer match"),
    ("walk", "Walk me through the blocks", "From addition to addition: what x is, and what the shortcut does to it"),
    ("photo", "Classify a photo", "See what a trained network answers, and why"),
)


def start_card() -> gr.HTML:
    """One line on the page, and three things to try."""
    buttons = "".join(
        tag("button", words, type="button", css="rx-small", title=title, data_do=name) for name, words, title in _TO_TRY
    )
    close = tag("button", "✕", type="button", css="rx-dismiss", title="Do not show this again", aria_label="Dismiss")
    row = tag("div", tag("b", "Start here") + buttons + close)
    card = tag("section", tag("p", _ABOUT) + row, css="rx-start", aria_label="Start here")
    return create_panel("start", card, scripts.mount("start/start.js"))
