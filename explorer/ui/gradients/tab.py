"""The Gradients tab: switches and settings for all of it, then along depth, depth sweep and paths."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...errors import SpecError
from ...spec import from_query
from ...views.gradients.switches import switches
from ...views.kit.markup import banner, tag
from ..kit.bridge import error_message
from ..kit.style import script
from . import depth as gradient_depth
from . import images as gradient_inputs
from . import paths as gradient_paths
from . import sweep as gradient_sweep
from .settings import MOST_SEED, SEEDS, Settings

INTRODUCTION = (
    "Real backward passes of cross-entropy at the initial weights, before any training. A choice here is the "
    "builder's own."
)
# Followed only while the tab is open: otherwise a change asks the program for nothing.
_WHILE_OPEN = "(query, followed) => document.querySelector('#gradient-switches')?.offsetParent ? query : followed"

outdate = gradient_depth.outdate


def build_tab(tab: gr.Tab, query: gr.Textbox) -> gr.HTML:
    """Lay the tab out; measures when ``tab`` is opened, and again when the network changes while it is.

    Returns the switches, whose ``input`` event brings a choice for ``controls.fill_from_switch``.

    Args:
        query: holds the network, as ``from_query`` reads it.
    """
    gr.HTML(tag("p", INTRODUCTION, css="rx-note"), padding=False, elem_id="gradient-introduction")
    choices = _switches()
    followed = gr.Textbox(visible="hidden", label="Network to measure")
    query.change(None, [query, followed], followed, js=_WHILE_OPEN)
    with gr.Row(elem_id="gradient-settings"):
        settings = Settings(
            query=query,
            images=gr.Radio(
                gradient_inputs.choices(), value=gradient_inputs.NOISE, label="Images", interactive=True, min_width=200
            ),
            seeds=gr.Radio(list(SEEDS), value=SEEDS[0], label="Seeds", interactive=True, min_width=120),
            seed=gr.Number(
                0, label="First seed", precision=0, minimum=0, maximum=MOST_SEED, interactive=True, min_width=100
            ),
        )
    with gr.Tabs():
        with gr.Tab("Along depth") as depth:
            gradient_depth.build(settings, opened=[tab.select, depth.select, followed.change])
        with gr.Tab("Depth sweep"):
            gradient_sweep.build(settings)
        with gr.Tab("Paths"):
            gradient_paths.build(settings)
    return choices


def _switches() -> gr.HTML:
    return gr.HTML(
        value="",
        html_template='<div class="rx-switches" role="group" aria-label="What gradients depend on"></div>',
        js_on_load=script("gradients/gradients.js"),
        server_functions=[list_switches],
        apply_default_css=False,
        elem_id="gradient-switches",
        padding=False,
    )


def list_switches(request: Any) -> str:
    """Browser's ``{"query"}`` -> HTML of the switches, or of what is wrong."""
    try:
        if not isinstance(request, dict) or not isinstance(request.get("query"), str):
            raise SpecError("query", "a network's address is expected")
        return switches(from_query(request["query"]))
    except Exception as error:
        return banner(error_message(error))
