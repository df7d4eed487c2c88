"""The depth sweep: first-to-last gradient ratio of deeper and deeper networks, residual and plain, normed or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from ...gradients import SweepPoint, depth_sweep, sweep_csv
from ...spec import PRESETS, ResNetSpec, title
from ...views.gradients.charts import sweep_figure, sweep_sentence
from ...views.gradients.tables import sweep_rows
from ...views.kit.markup import banner, progress_bar
from ..kit import jobs, plot
from ..kit.bridge import error_message
from ..kit.jobs import Finished, Job, Waiting
from ..kit.table import table_value
from . import measurements as gradient_runs
from . import panel as gradient_panel
from .measurements import Update, Updates
from .settings import Settings, Wish, read

KIND = "depth sweep"
FAMILIES = {"cifar": "20, 32, 44, 56, 110 · CIFAR", "imagenet": "18, 34, 50, 101, 152 · ImageNet"}
_BASES = {"cifar": PRESETS["cifar_resnet20"], "imagenet": PRESETS["resnet18"]}
# What a family's network takes over from the builder's; the sweep itself varies shortcut and norm.
_TAKEN = ("norm", "activation", "init", "zero_init_residual")
_EMPTY = "Four networks of each depth are measured: residual and plain, with and without normalisation."


def build(settings: Settings) -> None:
    """Lay the sub-tab out."""
    label = "First-to-last gradient ratio against depth"
    gradient_panel.build("sweep", KIND, settings, _family, _sweep, label, _EMPTY)


def _family() -> gr.Radio:
    choices = [(label, name) for name, label in FAMILIES.items()]
    return gr.Radio(choices, value="cifar", label="Layers", interactive=True, scale=1)


def _sweep(query: str, images: str, seeds: int, seed: int | None, family: str, request: gr.Request) -> Updates:
    points: list[SweepPoint] = []
    pace = gradient_runs.Pace()
    try:
        wish = read(query, images, seeds, seed, request.session_hash)
        yield {"status": progress_bar("Building the first network …", 0)}
        for event in jobs.run(wish.session, KIND, lambda job: _work(wish, of_family(wish.spec, family), job)):
            if isinstance(event, SweepPoint):
                points.append(event)
                if pace.due():
                    yield _show(points)
            else:
                shown = _show(points) if isinstance(event, Finished) and points else {}
                yield {"status": _status(event, points), **shown}
    except Exception as error:
        yield {"status": banner(error_message(error), "finding")}


def of_family(spec: ResNetSpec, family: str) -> ResNetSpec:
    """The builder's network where it is of that family, else the family's own with the same norm, activation and
    initial weights."""
    if spec.is_cifar == (family == "cifar"):
        return spec
    return _BASES[family].with_(**{name: getattr(spec, name) for name in _TAKEN})


def _work(wish: Wish, spec: ResNetSpec, job: Job) -> str:
    """Says every point; returns the sentence on the images."""
    options, images = replace(wish, spec=spec).options()
    for point in depth_sweep(spec, **gradient_runs.counting(job, "networks"), **options):
        job.say(point)
    return images


def _status(event: Any, points: list[SweepPoint]) -> str:
    if isinstance(event, Waiting):
        return gradient_runs.waiting(event)
    if not isinstance(event, Finished):
        return str(event)
    if event.error:
        kept = f" The chart shows the {len(points)} networks measured before." if points else ""
        return gradient_runs.failed(event.error, f"Cancelled.{kept}")
    notes = (f"{title(point.spec)}, {point.name}: {note}" for point in points for note in _own_notes(point))
    return gradient_runs.finding(f"{sweep_sentence(points)} {event.result}", [*points[0].setting.notes, *notes])


def _own_notes(point: SweepPoint) -> tuple[str, ...]:
    return tuple(note for note in point.notes if note not in point.setting.notes)


def _show(points: list[SweepPoint]) -> Update:
    table = table_value(sweep_rows(points), sweep_csv(points), "depth_sweep.csv")
    return {"chart": plot.payload(sweep_figure(points)), "table": table}
