"""What is computed only when it is looked at, so that it takes no time from what is."""

from __future__ import annotations

import gradio as gr

from .style import script


def on_sight(elem_id: str) -> gr.HTML:
    """An empty place whose ``input`` event comes, with the name of the diagram's network as its value, whenever the
    place is in view and that network is another one than it told of before. ``held.report_of`` reads the name."""
    return gr.HTML(
        value="",
        html_template='<div class="rx-sight"></div>',
        js_on_load=script("kit/visibility.js"),
        apply_default_css=False,
        elem_id=elem_id,
        padding=False,
    )
