"""Gradients along depth: this network beside its plain twin from the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...bounded_cache import BoundedCache
from ...gradients import GradientProbe, probe_with_twin
from ...spec import title
from ...views.gradients import tables as gradient_table
from ...views.gradients.depth_chart import gradient_figure, summary_sentence
from ...views.gradients.quantity import Quantity
from ...views.kit.markup import banner, progress_bar
from ..kit import jobs, plot
from ..kit.bridge import error_message
from ..kit.jobs import Finished, Job, Waiting
from ..kit.table import filled, rows
from ..kit.visibility import on_sight
from . import measurements as gradient_runs
from .settings import Settings, Wish, read

KIND = "along depth"
CANCELLED = "Cancelled. The chart still shows the last network measured."


@dataclass(frozen=True)
class Found:
    """A measurement, and on what it was."""

    probe: GradientProbe
    twin: GradientProbe | None
    images: str


_RESULTS = BoundedCache[Wish, Found](16)  # equal wishes have equal results


def build(settings: Settings) -> None:
    """Lay the sub-tab out."""
    looks = on_sight("asks-gradients", "network", always=True)
    with gr.Row(elem_id="gradient-controls"):
        quantity = gr.Radio(
            [(quantity.words.label, quantity.value) for quantity in Quantity],
            value=Quantity.WEIGHTS.value,
            label="Chart",
            interactive=True,
            scale=1,
        )
        stop = gr.Button("Cancel", size="md", scale=0, min_width=96, elem_id="cancel-gradients")
        measure = gr.Button("Measure", size="md", scale=0, min_width=96, elem_id="measure-gradients")
    status = gr.HTML("", padding=False, elem_id="gradient-status")
    chart = plot.chart("gradient-plot", "Gradients along depth", 440, "The chart comes with the first measurement.")
    table = rows("gradient-table")
    wish = gr.State(None)
    # First what is outdated stops (a new network stops it in the very event that makes it), then the one listener
    # measures the last network asked for.
    for changed in (settings.seed.change, settings.seeds.input, settings.images.input):
        changed(outdate, None, None, queue=False, show_progress="hidden")
    stop.click(_stop, None, None, queue=False, show_progress="hidden")
    gr.on(
        [looks.input, settings.seed.change, settings.seeds.input, settings.images.input, measure.click],
        _measure,
        [*settings.widgets, quantity, wish, looks],
        [status, chart, table, wish],
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_limit=32,  # waiting is all that most of them do
    )
    quantity.input(_again, [quantity, wish], [status, chart, table], show_progress="hidden", queue=False)


def outdate(request: gr.Request) -> None:
    """Stop the page's running measurement, if any, after the current batch: another one follows."""
    jobs.outdate(str(request.session_hash), KIND)


def _stop(request: gr.Request) -> None:
    jobs.stop(str(request.session_hash), KIND)


def _measure(
    query: str,
    images: str,
    seeds: int,
    seed: int | None,
    quantity: str,
    shown: Wish | None,
    looked_at: str,
    request: gr.Request,
) -> Iterator[list[Any]]:
    """Measure, unless nobody looks or the chart shows this very measurement already."""
    if not looked_at:
        yield [gr.skip()] * 4
        return
    try:
        wish = read(query, images, seeds, seed, request.session_hash)
    except Exception as error:
        yield [banner(error_message(error), "finding"), gr.skip(), gr.skip(), None]
        return
    if found := _RESULTS.get(wish):
        yield [gr.skip()] * 4 if wish == shown else [*_shown(found, quantity), wish]
        return
    yield [progress_bar("Building the network …", 0), gr.skip(), gr.skip(), gr.skip()]
    for event in jobs.run(wish.session, KIND, lambda job: _probe(wish, job)):
        yield _told(event, wish, quantity)


def _probe(wish: Wish, job: Job) -> Found:
    options, images = wish.options()
    found = Found(*probe_with_twin(wish.spec, **gradient_runs.counting(job, "backward passes"), **options), images)
    _RESULTS.put(wish, found)
    return found


def _told(event: Any, wish: Wish, quantity: str) -> list[Any]:
    """Updates of status, chart, table and of the wish they show."""
    if isinstance(event, Waiting):
        return [gradient_runs.waiting(event), gr.skip(), gr.skip(), gr.skip()]
    if not isinstance(event, Finished):
        return [event, gr.skip(), gr.skip(), gr.skip()]
    if event.error:
        return [gradient_runs.failed(event.error, CANCELLED), gr.skip(), gr.skip(), None]
    return [*_shown(event.result, quantity), wish]


def _again(quantity: str, wish: Wish | None) -> list[Any]:
    """Another quantity of what was measured."""
    found = _RESULTS.get(wish) if wish else None
    return _shown(found, quantity) if found else [gr.skip()] * 3


def _shown(found: Found, name: str) -> list[Any]:
    """Status, chart and table."""
    quantity, probe, twin = Quantity(name), found.probe, found.twin
    sentence = f"{summary_sentence(probe, twin, quantity)} {found.images}"
    notes = (*probe.notes, *(f"Twin: {note}" for note in _own_notes(found)))
    table = gradient_table.gradient_rows(probe, twin, quantity)
    file = f"gradients_{title(probe.spec).replace(' ', '_')}_{quantity.value}.csv"
    return [
        gradient_runs.finding(sentence, notes),
        plot.payload(gradient_figure(probe, twin, quantity)),
        filled(table, gradient_table.gradient_csv(probe, twin, quantity), file),
    ]


def _own_notes(found: Found) -> tuple[str, ...]:
    """What is said of the twin alone."""
    return tuple(note for note in found.twin.notes if note not in found.probe.notes) if found.twin else ()
