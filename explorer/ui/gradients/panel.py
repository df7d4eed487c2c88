"""The layout of the sub-tabs that measure on a click: their own settings, Measure and Cancel, status and result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..kit import currency, jobs
from . import measurements as gradient_runs
from .measurements import Updates, by_component
from .settings import Settings


@dataclass(frozen=True)
class Panel:
    """
    Attributes:
        name: prefix of the components' ids.
        kind: of its jobs, as ``jobs.run`` takes it.
        choice: makes the sub-tab's own setting.
        measure: (settings, choice, what the chart shows if that is a choice, request) -> updates, one after another.
        label: of the chart, for a screen reader.
        empty: what is in the chart's place before the first measurement.
        quantity: makes the choice of what the chart shows.
        redraw: (what the chart shows, request) -> updates.
    """

    name: str
    kind: str
    choice: Callable[[], gr.Radio]
    measure: Callable[..., Updates]
    label: str
    empty: str
    quantity: Callable[[], gr.Radio] | None = None
    redraw: Callable[..., Updates] | None = None

    def build(self, settings: Settings) -> None:
        """Lay the sub-tab out in the current Gradio context."""
        with gr.Row(elem_id=f"{self.name}-controls"):
            chosen = self.choice()
            stop = gr.Button("Cancel", size="md", scale=0, min_width=96, elem_id=f"cancel-{self.name}")
            start = gr.Button(
                "Measure", size="md", variant="primary", scale=0, min_width=96, elem_id=f"measure-{self.name}"
            )
        parts: Mapping[str, Any] = {
            "status": gr.HTML("", padding=False, elem_id=f"{self.name}-status"),
            **gradient_runs.result(self.name, self.label, self.empty, "Measure again to update them.", self.quantity),
        }
        views = [parts["quantity"]] if self.quantity else []
        outputs = [part for name, part in parts.items() if name != "quantity"]
        currency.follow(f"{self.name}-result", [*settings.own, chosen])
        stop.click(self._stop, None, None, queue=False, show_progress="hidden")
        start.click(
            by_component(parts, self.measure),
            [*settings.widgets, chosen, *views],
            outputs,
            show_progress="hidden",
            trigger_mode="once",
            concurrency_limit=32,  # most of them only wait
        )
        if self.redraw:
            redraw = by_component(parts, self.redraw)
            views[0].input(redraw, views, outputs, show_progress="hidden", queue=False)

    def _stop(self, request: gr.Request) -> None:
        jobs.stop(str(request.session_hash), self.kind)
