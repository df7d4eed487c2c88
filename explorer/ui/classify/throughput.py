"""Throughput: how many images a second the chosen network classifies, measured when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ...inference.throughput import BATCH_SIZES, Point, throughput
from ...views.classify.throughput import figure, sentence
from ...views.kit.markup import banner, progress_bar, tag, text
from ..kit import plot
from ..kit.bridge import error_message
from ..kit.fold import fold
from ..kit.jobs import Finished, Job
from . import networks

_ABOUT = (
    "The network above, on noise, which takes as long as photos: its forward pass for batches of "
    f"{', '.join(map(str, BATCH_SIZES[:-1]))} and {BATCH_SIZES[-1]} images, about a second each or three passes."
)
_WITH_ADDRESS = "(name, device) => [name, device, location.search]"
_RUNNING: dict[str, Job] = {}  # by session


def build_panel(variant: gr.Dropdown, device: gr.Radio) -> None:
    """Lay the panel out in the current Gradio context, folded.

    Args:
        variant, device: the network it measures (as ``networks.classifier_of`` takes it), and where.
    """
    with fold("Throughput", elem_id="throughput"):
        gr.HTML(tag("p", text(_ABOUT), css="rx-note"), padding=False)
        with gr.Row():
            start = gr.Button(
                "Measure", size="md", scale=0, min_width=96, elem_id="measure-throughput", elem_classes="rx-button"
            )
            stop = gr.Button(
                "Stop",
                size="md",
                scale=0,
                min_width=96,
                visible=False,
                elem_id="stop-throughput",
                elem_classes="rx-button",
            )
        status = gr.HTML("", padding=False, elem_id="throughput-status")
        chart = plot.chart("throughput-chart", "Images per second by batch size", 320)
        address = gr.Textbox(visible="hidden", label="Address while measuring")
    start.click(
        _measure,
        [variant, device, address],
        [status, start, stop, chart],
        js=_WITH_ADDRESS,
        show_progress="hidden",
        concurrency_limit=None,
    )
    stop.click(_stop, None, None, queue=False, show_progress="hidden")


def _measure(name: str, device: str, network: str, request: gr.Request) -> Iterator[list[Any]]:
    """Updates of status, Measure, Stop and the chart, which grows by a point after each batch size."""
    session, title = str(request.session_hash), ""

    def work(job: Job) -> tuple[Point, ...]:
        nonlocal title
        classifier = networks.classifier_of(name, str(network)[:4000], device)
        title = classifier.variant.title
        return throughput(classifier, on_progress=job.say, cancelled=lambda: job.stopped)

    job = _RUNNING[session] = Job(work, session)
    try:
        yield [_progress(()), gr.update(interactive=False), gr.update(visible=True), ""]
        for event in job.events():
            if isinstance(event, Finished):
                yield [
                    _ended(event, title, job.stopped),
                    gr.update(interactive=True),
                    gr.update(visible=False),
                    gr.skip(),
                ]
            elif isinstance(event, tuple):
                yield [_progress(event), gr.skip(), gr.skip(), plot.payload(figure(event))]
            else:
                yield [tag("p", text(event), css="rx-note", role="status"), *[gr.skip()] * 3]
    finally:
        if _RUNNING.get(session) is job:
            del _RUNNING[session]


def _stop(request: gr.Request) -> None:
    if job := _RUNNING.get(str(request.session_hash)):
        job.stop()


def _progress(points: tuple[Point, ...]) -> str:
    size = BATCH_SIZES[min(len(points), len(BATCH_SIZES) - 1)]
    return progress_bar(f"Measuring batches of {size} …", len(points) / len(BATCH_SIZES))


def _ended(event: Finished, title: str, stopped: bool) -> str:
    if event.error:
        return banner(error_message(event.error), "error-here")
    if not event.result:
        words = "Stopped before anything was measured." if stopped else "The device has no memory for a single image."
        return banner(words, "note")
    words = sentence(event.result, title) + (" Stopped before the larger batches." if stopped else "")
    return tag("p", text(words), role="status")
