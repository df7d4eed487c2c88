"""Throughput: how many images a second the chosen network classifies, measured when asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...inference.throughput import BATCH_SIZES, ThroughputPoint, throughput
from ...views.classify.throughput import figure, sentence
from ...views.kit.markup import banner, progress_bar, tag, text
from ..kit import jobs, plot
from ..kit.bridge import error_message
from ..kit.fold import fold
from ..kit.jobs import Finished, Job
from . import networks

_ABOUT = (
    "Measures the forward pass of the network above, on noise, which takes as long as photos, for batches of "
    f"{', '.join(map(str, BATCH_SIZES[:-1]))} and {BATCH_SIZES[-1]} images, about a second each or three passes."
)
KIND = "throughput"  # of its jobs
_STALE = gr.update(elem_classes=["rx-stale"])
Updates = dict[Any, Any]


@dataclass(frozen=True)
class _Panel:
    start: gr.Button
    stop: gr.Button
    status: gr.HTML
    chart: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [self.status, self.start, self.stop, self.chart]

    def measure(self, name: str, device: str, network: str, request: gr.Request) -> Iterator[Updates]:
        """Measure a network; the chart grows by a point after each batch size."""
        title, stopped = "", False

        def work(job: Job) -> tuple[ThroughputPoint, ...]:
            nonlocal title, stopped
            classifier = networks.classifier_of(name, network, device)
            title = classifier.variant.title
            points = throughput(classifier, on_progress=job.say, cancelled=lambda: job.stopped)
            stopped = job.stopped
            return points

        # The mark of an earlier choice is removed with the chart.
        yield {**self._update(_progress(()), running=True), self.chart: gr.update(value="", elem_classes=[])}
        for event in jobs.run(str(request.session_hash), KIND, work):
            if isinstance(event, Finished):
                yield self._update(conclusion(event, title, stopped), running=False)
            elif isinstance(event, tuple):
                yield {self.status: _progress(event), self.chart: plot.payload(figure(event))}
            else:
                yield {self.status: tag("p", text(event), css="rx-note", role="status")}

    def _update(self, status: str, *, running: bool) -> Updates:
        return {
            self.status: gr.update(value=status, elem_classes=[]),
            self.start: gr.update(interactive=not running),
            self.stop: gr.update(visible=running),
        }


def build_panel(variant: gr.Dropdown, device: gr.Radio, query: gr.Textbox) -> None:
    """Lay the panel out in the current Gradio context, folded.

    Args:
        variant, device, query: the network it measures, and where (as ``networks.classifier_of`` takes them).
    """
    size: dict[str, Any] = {"size": "md", "scale": 0, "min_width": 96, "elem_classes": "rx-button"}
    with fold("Throughput", elem_id="throughput"):
        gr.HTML(tag("p", text(_ABOUT), css="rx-note"), padding=False)
        with gr.Row():
            start = gr.Button("Measure", elem_id="measure-throughput", **size)
            stop = gr.Button("Stop", visible=False, elem_id="stop-throughput", **size)
        status = gr.HTML("", padding=False, elem_id="throughput-status")
        chart = plot.chart("throughput-chart", "Images per second by batch size", 320)
    panel = _Panel(start, stop, status, chart)
    how: dict[str, Any] = {"show_progress": "hidden"}
    start.click(panel.measure, [variant, device, query], panel.outputs, concurrency_limit=None, **how)
    stop.click(_stop, None, None, queue=False, **how)
    for choice in (variant, device):  # a measurement of another network or device is no longer current
        choice.change(lambda: [_STALE, _STALE], None, [status, chart], queue=False, **how)


def _stop(request: gr.Request) -> None:
    jobs.stop(str(request.session_hash), KIND)


def _progress(points: tuple[ThroughputPoint, ...]) -> str:
    size = BATCH_SIZES[min(len(points), len(BATCH_SIZES) - 1)]
    return progress_bar(f"Measuring batches of {size} …", len(points) / len(BATCH_SIZES))


def conclusion(event: Finished, title: str, stopped: bool) -> str:
    """What is said at the end, as HTML."""
    if event.error:
        return banner(error_message(event.error), "error-here")
    if not event.result:
        words = "Stopped before anything was measured." if stopped else "The device has no memory for a single image."
        return banner(words, "note")
    words = sentence(event.result, title) + (" Stopped before the larger batches." if stopped else "")
    return tag("p", text(words), role="status")
