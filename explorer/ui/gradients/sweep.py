"""The depth sweep: the gradient of deeper and deeper networks, residual and plain, with and without normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from ...bounded_cache import BoundedCache
from ...gradients import SweepPoint, depth_sweep, sweep_csv
from ...spec import PRESETS, ResNetSpec, title
from ...views.gradients.conclusions import sweep_verdict
from ...views.gradients.depth_chart import measured_sentence
from ...views.gradients.sweep_chart import SweepQuantity, sweep_figure
from ...views.gradients.tables import sweep_rows
from ...views.gradients.verdict import RULE, reasons_html, verdict_html
from ...views.kit.markup import banner, progress_bar
from ..kit import jobs, plot
from ..kit.bridge import error_message
from ..kit.currency import stamp
from ..kit.jobs import Finished, Job, Waiting
from ..kit.table import table_value
from . import measurements as gradient_runs
from .measurements import BASIS, Update, Updates
from .panel import Panel
from .settings import Settings, Wish, read

KIND = "depth sweep"
FAMILIES = {"cifar": "20, 32, 44, 56, 110 · CIFAR", "imagenet": "18, 34, 50, 101, 152 · ImageNet"}
_BASES = {"cifar": PRESETS["cifar_resnet20"], "imagenet": PRESETS["resnet18"]}
# What a family's network takes over from the builder's; the sweep itself varies shortcut and norm.
_TAKEN = ("norm", "activation", "init", "zero_init_residual")
_EMPTY = "Measures four networks of each depth: residual and plain, with and without normalisation."
_MEASURED = BoundedCache[str, tuple[SweepPoint, ...]](256)  # by session: the points that the page shows


def build(settings: Settings) -> None:
    """Lay the sub-tab out."""
    label = "Evenness of the gradient against depth"
    Panel("sweep", KIND, _family, _sweep, label, _EMPTY, _quantity, _redraw).build(settings)


def _family() -> gr.Radio:
    choices = [(label, name) for name, label in FAMILIES.items()]
    return gr.Radio(choices, value="cifar", label="Layers", interactive=True, scale=1)


def _quantity() -> gr.Radio:
    choices = [(quantity.words.label, quantity.value) for quantity in SweepQuantity]
    return gr.Radio(choices, value=SweepQuantity.EVENNESS.value, label="The chart shows", interactive=True)


def _sweep(
    query: str, images: str, seeds: int, seed: int | None, family: str, quantity: str, request: gr.Request
) -> Updates:
    points: list[SweepPoint] = []
    pace = gradient_runs.Pace()
    try:
        wish = read(query, images, seeds, seed, request.session_hash)
        belongs_to = stamp(title(wish.spec), query, [images, seeds, seed, family])
        yield {"status": progress_bar("Building the first network …", 0)}
        for event in jobs.run(wish.session, KIND, lambda job: _work(wish, of_family(wish.spec, family), job)):
            if isinstance(event, SweepPoint):
                points.append(event)
                if pace.due():
                    yield {**_show(wish.session, points, quantity), "belongs_to": belongs_to}
            else:
                shown = _show(wish.session, points, quantity) if isinstance(event, Finished) and points else {}
                yield {**shown, **({"belongs_to": belongs_to} if shown else {}), **_ended(event, points)}
    except Exception as error:
        yield {"status": banner(error_message(error), "finding")}


def of_family(spec: ResNetSpec, family: str) -> ResNetSpec:
    """The builder's network if it is of that family, else the family's own with the same norm, activation and initial
    weights."""
    if spec.is_cifar == (family == "cifar"):
        return spec
    return _BASES[family].with_(**{name: getattr(spec, name) for name in _TAKEN})


def _work(wish: Wish, spec: ResNetSpec, job: Job) -> str:
    """Reports every point; returns the sentence on the images."""
    options, images = replace(wish, spec=spec).options()
    for point in depth_sweep(spec, **gradient_runs.counting(job, "networks"), **options):
        job.say(point)
    return images


def _ended(event: Any, points: list[SweepPoint]) -> Update:
    """How far the sweep is; at its end, what it means and how it was measured."""
    if isinstance(event, Waiting):
        return {"status": gradient_runs.waiting(event)}
    if not isinstance(event, Finished):
        return {"status": str(event)}
    if event.error:
        shown = f" The chart shows the {len(points)} networks measured before." if points else ""
        return {"status": gradient_runs.failed(event.error, f"Cancelled.{shown}")}
    notes = (f"{title(point.spec)}, {point.name}: {note}" for point in points for note in _own_notes(point))
    how = [BASIS, measured_sentence(points[0].setting), event.result, RULE]
    verdict = sweep_verdict(points)
    return {
        "status": "",
        "verdict": verdict_html(verdict),
        "facts": reasons_html(verdict) + gradient_runs.details(how, [*points[0].setting.notes, *notes]),
    }


def _own_notes(point: SweepPoint) -> tuple[str, ...]:
    return tuple(note for note in point.notes if note not in point.setting.notes)


def _show(session: str, points: Sequence[SweepPoint], quantity: str) -> Update:
    """The points so far, without a verdict."""
    _MEASURED.put(session, tuple(points))
    table = table_value(sweep_rows(points), sweep_csv(points), "depth_sweep.csv")
    return {
        "verdict": "",
        "chart": plot.payload(sweep_figure(points, SweepQuantity(quantity))),
        "facts": "",
        "table": table,
    }


def _redraw(quantity: str, request: gr.Request) -> Updates:
    """Another quantity of what was measured."""
    points = _MEASURED.get(str(request.session_hash))
    yield {"chart": plot.payload(sweep_figure(points, SweepQuantity(quantity)))} if points else {"chart": gr.skip()}
