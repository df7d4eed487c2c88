"""What the sub-tabs that measure on a click share: a choice, Measure and Cancel, then status, chart and table."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from ..kit import jobs, plot
from ..kit.table import rows
from .measurements import Updates, by_component
from .settings import Settings


def build(
    name: str,
    kind: str,
    settings: Settings,
    choice: Callable[[], gr.Radio],
    measure: Callable[..., Updates],
    label: str,
    empty: str,
) -> None:
    """Lay a sub-tab out in the current Gradio context.

    Args:
        name: what the components' ids begin with.
        kind: of its jobs, as ``jobs.run`` takes it.
        choice: makes the sub-tab's own setting.
        measure: (settings, choice, request) -> updates, one after another.
        label: of the chart, for a screen reader.
        empty: what stands in the chart's place before the first measurement.
    """

    def stopped(request: gr.Request) -> None:
        jobs.stop(str(request.session_hash), kind)

    with gr.Row(elem_id=f"{name}-controls"):
        chosen = choice()
        stop = gr.Button("Cancel", size="md", scale=0, min_width=96, elem_id=f"cancel-{name}")
        start = gr.Button("Measure", size="md", variant="primary", scale=0, min_width=96, elem_id=f"measure-{name}")
    parts = {
        "status": gr.HTML("", padding=False, elem_id=f"{name}-status"),
        "chart": plot.chart(f"{name}-plot", label, 440, empty),
        "table": rows(f"{name}-table"),
    }
    stop.click(stopped, None, None, queue=False, show_progress="hidden")
    start.click(
        by_component(parts, measure),
        [*settings.widgets, chosen],
        [*parts.values()],
        show_progress="hidden",
        trigger_mode="once",
        concurrency_limit=32,  # waiting is all that most of them do
    )
