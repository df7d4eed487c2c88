"""Path lengths (Veit et al. 2016): how many residual branches a path takes, and the gradient such paths carry."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...gradients import PathLengths, path_csv, path_lengths
from ...spec import title
from ...views.gradients.conclusions import paths_verdict
from ...views.gradients.paths_chart import paths_figure, sampled_sentence
from ...views.gradients.tables import path_rows
from ...views.gradients.verdict import reasons_html, verdict_html
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

KIND = "paths"
SAMPLES = (1, 4, 8)
CANCELLED = "Cancelled. The chart still shows the previous measurement."
_EMPTY = (
    "A residual network of n blocks is 2ⁿ paths: in each block through the branch or past it. Press Measure to sample "
    "paths of every length, and the gradient that each brings to the input (Veit, Wilber & Belongie 2016)."
)


def build(settings: Settings) -> None:
    """Lay the sub-tab out."""
    Panel("paths", KIND, _samples, _paths, "Path lengths, and the gradient they carry", _EMPTY).build(settings)


def _samples() -> gr.Radio:
    return gr.Radio(list(SAMPLES), value=4, label="Paths sampled of each length and batch", interactive=True, scale=1)


def _paths(query: str, images: str, seeds: int, seed: int | None, samples: int, request: gr.Request) -> Updates:
    try:
        wish = read(query, images, seeds, seed, request.session_hash)
        sampled = samples if samples in SAMPLES else SAMPLES[0]
        yield {"status": progress_bar("Building the network …", 0)}
        for event in jobs.run(wish.session, KIND, lambda job: _work(wish, sampled, job)):
            update = _update(event)
            if "chart" in update:
                update["belongs_to"] = stamp(title(wish.spec), query, [images, seeds, seed, samples])
            yield update
    except Exception as error:
        yield {"status": banner(error_message(error), "finding")}


def _work(wish: Wish, samples: int, job: Job) -> tuple[PathLengths, str]:
    options, images = wish.options()
    counted = gradient_runs.counting(job, "backward passes")
    return path_lengths(wish.spec, samples=samples, **counted, **options), images


def _update(event: Any) -> Update:
    if isinstance(event, Waiting):
        return {"status": gradient_runs.waiting(event)}
    if not isinstance(event, Finished):
        return {"status": event}
    if event.error:
        return {"status": gradient_runs.failed(event.error, CANCELLED)}
    result, images = event.result
    verdict = paths_verdict(result)
    return {
        "status": "",
        "verdict": verdict_html(verdict),
        "chart": plot.payload(paths_figure(result)),
        "facts": reasons_html(verdict) + gradient_runs.details([BASIS, sampled_sentence(result), images], result.notes),
        "table": table_value(path_rows(result), path_csv(result), "path_lengths.csv"),
    }
