"""The sub-tab on what the shortcut options cost; computed when it is opened."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...views.costs.shortcut_options import cost_figure, cost_table
from ...views.costs.zeros import zeros_panel
from ...views.kit.markup import banner, tag, text
from ..kit import plot
from ..kit.bridge import error_message
from ..kit.model_files import report_of
from ..kit.visibility import on_sight

_NO_SPEC = "This network is the graph of a file. Its shortcuts cannot be exchanged, so there are no options to compare."


def build_tab() -> None:
    """Lay the tab out."""
    asks = on_sight("costs", always=True)  # the tab row may be all of it that fits on the screen
    rows = gr.HTML("", padding=False, apply_default_css=False, elem_id="cost-table")
    chart = plot.chart("cost-plot", "What each shortcut option costs", 420, "The chart comes with the table.")
    asks.input(_costs, asks, [rows, chart], show_progress="hidden", trigger_mode="always_last")


def _costs(network: Any) -> list[Any]:
    """Name of a network, as the diagram spells it -> the tables and the chart."""
    try:
        spec = report_of(str(network)).spec
        if spec is None:
            return [tag("p", text(_NO_SPEC), css="rx-empty"), ""]
        return [cost_table(spec) + zeros_panel(spec), plot.payload(cost_figure(spec))]
    except Exception as error:
        return [banner(error_message(error), "finding"), gr.skip()]
