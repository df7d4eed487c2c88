"""Events for content that is computed only when it is visible."""

from __future__ import annotations

from typing import Literal

import gradio as gr

from . import scripts
from .panel import create_panel

HIDDEN = "hidden"  # no network's name; the default network's is ""


def on_sight(elem_id: str, state: Literal["drawn", "network"] = "drawn", always: bool = False) -> gr.HTML:
    """An empty place whose ``input`` event comes, with the name of a network as its value, whenever the place is in
    view and that network is another one than it named before. ``model_files.report_of`` reads the name.

    Args:
        state: the diagram's network, or the builder's.
        always: the event also comes for the same network each time the place is laid out, and while it is not, the
            value is ``HIDDEN``: for what follows a tab, wherever that is scrolled to.
    """
    script = scripts.mount("kit/visibility.js", state=state, hidden=HIDDEN if always else None)
    return create_panel(elem_id, '<div class="rx-sight"></div>', script, value=HIDDEN if always else "")
