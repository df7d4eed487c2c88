"""The Gradients tab: settings for all of it behind a fold, then along depth, depth sweep and paths."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...spec import from_query
from ...views.gradients.cases import WARNING
from ...views.gradients.switches import switches
from ...views.kit.markup import tag
from ..kit import bridge, scripts
from ..kit.fold import fold
from ..kit.panel import create_panel
from ..kit.requests import NetworkRequest
from ..kit.shell import Shell
from ..kit.tabs import tabs
from . import depth as gradient_depth
from . import images as gradient_inputs
from . import paths as gradient_paths
from . import sweep as gradient_sweep
from .settings import MOST_SEED, SEEDS, Settings

SETTINGS = "Settings: normalisation, initial weights, images, seeds"

outdate_others = gradient_depth.outdate_others


def build_tab(shell: Shell) -> None:
    """Lay the tab out. What is measured along depth follows the network and the settings while the tab is open."""
    with fold(SETTINGS, "gradient-fold"):
        gr.HTML(tag("p", WARNING, css="rx-note"), padding=False, elem_id="gradient-introduction")
        _switches()
        settings = _settings(shell)
    measurements = {
        "Along depth": gradient_depth.build,
        "Depth sweep": gradient_sweep.build,
        "Paths": gradient_paths.build,
    }
    panels = tabs(list(measurements), "Measurements", "gradient-tabs")
    for build, panel in zip(measurements.values(), panels, strict=True):
        with panel:
            build(settings)


def _settings(shell: Shell) -> Settings:
    with gr.Row(elem_id="gradient-settings"):
        return Settings(
            query=shell.query,
            images=gr.Radio(
                gradient_inputs.choices(), value=gradient_inputs.NOISE, label="Images", interactive=True, min_width=200
            ),
            seeds=gr.Radio(list(SEEDS), value=SEEDS[0], label="Seeds", interactive=True, min_width=120),
            seed=gr.Number(
                0, label="First seed", precision=0, minimum=0, maximum=MOST_SEED, interactive=True, min_width=100
            ),
        )


def _switches() -> None:
    create_panel(
        "gradient-switches",
        '<div class="rx-switches" role="group" aria-label="What gradients depend on"></div>',
        scripts.mount("gradients/gradients.js", list="list_switches"),
        [list_switches],
    )


@bridge.answers(NetworkRequest)
def list_switches(request: NetworkRequest) -> dict[str, Any]:
    """-> ``{"html"}`` of the switches."""
    return {"html": switches(from_query(request.query))}
