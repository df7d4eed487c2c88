"""Gradients along depth: this network beside its counterpart without shortcuts (or with), from the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...bounded_cache import BoundedCache
from ...gradients import GradientProbe, counterpart, probe_with_twin
from ...spec import ResNetSpec, title
from ...views.gradients import tables as gradient_table
from ...views.gradients.depth_chart import gradient_figure, measured_sentence
from ...views.gradients.quantity import Quantity
from ...views.gradients.verdict import RULE, network_verdict, reasons_html, verdict_html
from ...views.kit.markup import banner, progress_bar
from ..kit import currency, jobs, plot
from ..kit.bridge import error_message
from ..kit.jobs import Finished, Job, Waiting
from ..kit.table import table_value
from ..kit.visibility import HIDDEN, on_sight
from . import cases
from . import measurements as gradient_runs
from .measurements import BASIS, Update, Updates, by_component
from .settings import Settings, Wish, read

KIND = "along depth"
CANCELLED = "Cancelled. The chart still shows the previous measurement."
_EMPTY = "The chart appears with the first measurement."
UNCHANGED: Update = {"status": gr.skip()}  # Gradio takes an empty dictionary for a value


@dataclass(frozen=True)
class Found:
    """A measurement, and a sentence on its images."""

    probe: GradientProbe
    twin: GradientProbe | None
    images: str


_RESULTS = BoundedCache[Wish, Found](16)  # equal wishes have equal results
_MEASURED = BoundedCache[str, ResNetSpec](1000)  # by session: the network measured last


def build(settings: Settings) -> None:
    """Lay the sub-tab out."""
    looks = on_sight("asks-gradients", "network", always=True)
    with gr.Row(elem_id="gradient-controls"):
        cases.build()
        stop = gr.Button("Cancel", size="md", scale=0, min_width=96, elem_id="cancel-gradients")
        measure = gr.Button("Measure", size="md", scale=0, min_width=96, elem_id="measure-gradients")
    parts = {
        "status": gr.HTML("", padding=False, elem_id="gradient-status"),
        **gradient_runs.result("gradient", "Gradients along depth", _EMPTY, "", _quantity),
        "wish": gr.State(None),  # whose result is shown
    }
    quantity = parts.pop("quantity")
    currency.follow("gradient-result", settings.own)
    # First the outdated job stops (another network stops it in the event that makes it), then the one listener measures
    # the last requested network.
    for changed in (settings.seed.change, settings.seeds.input, settings.images.input):
        changed(outdate, None, None, queue=False, show_progress="hidden")
    stop.click(_stop, None, None, queue=False, show_progress="hidden")
    gr.on(
        [looks.input, settings.seed.change, settings.seeds.input, settings.images.input, measure.click],
        by_component(parts, _measure),
        [*settings.widgets, quantity, parts["wish"], looks],
        [*parts.values()],
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_limit=32,  # most of them only wait
    )
    again = by_component(parts, _again)
    quantity.input(again, [quantity, parts["wish"]], [*parts.values()], show_progress="hidden", queue=False)


def _quantity() -> gr.Radio:
    choices = [(quantity.words.label, quantity.value) for quantity in Quantity]
    return gr.Radio(choices, value=Quantity.OUTPUTS.value, label="The chart shows", interactive=True)


def outdate(request: gr.Request) -> None:
    """Stop the page's running measurement, if any, after the current batch, because another one follows."""
    jobs.outdate(str(request.session_hash), KIND)


def outdate_others(request: gr.Request, spec: ResNetSpec) -> None:
    """As ``outdate``, unless ``spec`` is what is measured: if the builder answers twice for one network, its second
    answer must not stop what the first one began."""
    if _MEASURED.get(str(request.session_hash)) != spec:
        outdate(request)


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
) -> Updates:
    """Measure, unless the tab is closed or the chart shows this measurement already."""
    if looked_at == HIDDEN:
        yield UNCHANGED
        return
    try:
        wish = read(query, images, seeds, seed, request.session_hash)
    except Exception as error:
        yield {"status": banner(error_message(error), "finding"), "wish": None}
        return
    belongs_to = currency.stamp(title(wish.spec), query, [images, seeds, seed])
    if found := _RESULTS.get(wish):
        yield {"status": ""} if wish == shown else {**_show(found, quantity), "wish": wish, "belongs_to": belongs_to}
        return
    yield {"status": progress_bar("Building the network …", 0)}
    _MEASURED.put(wish.session, wish.spec)
    for event in jobs.run(wish.session, KIND, lambda job: _probe(wish, job)):
        update = _update(event, wish, quantity)
        yield {**update, "belongs_to": belongs_to} if "chart" in update else update


def _probe(wish: Wish, job: Job) -> Found:
    options, images = wish.options()
    counted = gradient_runs.counting(job, "backward passes")
    found = Found(*probe_with_twin(wish.spec, twin=counterpart(wish.spec), **counted, **options), images)
    _RESULTS.put(wish, found)
    return found


def _update(event: Any, wish: Wish, quantity: str) -> Update:
    if isinstance(event, Waiting):
        return {"status": gradient_runs.waiting(event)}
    if not isinstance(event, Finished):
        return {"status": event}
    if event.error:
        return {"status": gradient_runs.failed(event.error, CANCELLED), "wish": None}
    return {**_show(event.result, quantity), "wish": wish}


def _again(quantity: str, wish: Wish | None, _: gr.Request) -> Updates:
    """Another quantity of what was measured."""
    found = _RESULTS.get(wish) if wish else None
    yield _show(found, quantity) if found else UNCHANGED


def _show(found: Found, name: str) -> Update:
    quantity, probe, twin = Quantity(name), found.probe, found.twin
    networks = [probe, *([twin] if twin else [])]
    verdict = network_verdict(probe, twin)
    table = gradient_table.gradient_rows(probe, twin, quantity)
    file = f"gradients_{title(probe.spec).replace(' ', '_')}_{quantity.value}.csv"
    return {
        "status": "",
        "verdict": verdict_html(verdict),
        "chart": plot.payload(gradient_figure(probe, twin, quantity)),
        "facts": reasons_html(verdict) + gradient_table.end_rows(networks, quantity) + _how(found),
        "table": table_value(table, gradient_table.gradient_csv(probe, twin, quantity), file),
    }


def _how(found: Found) -> str:
    own = found.twin.notes if found.twin else ()
    notes = (*found.probe.notes, *(f"Counterpart: {note}" for note in own if note not in found.probe.notes))
    return gradient_runs.details([BASIS, measured_sentence(found.probe.setting), found.images, RULE], notes)
