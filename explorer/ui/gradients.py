"""The Gradients tab: this network's loss gradient along depth, against its plain twin from the same seed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from ..errors import ExplorerError
from ..gradients import GradientProbe, probe_with_twin
from ..spec import from_query
from ..views.charts import gradient_figure, summary_sentence
from ..views.markup import banner, progress_bar, tag, text

Result = tuple[GradientProbe, GradientProbe | None]
_SEEDS = 10_000


def build_tab(tab: gr.Tab, others: Sequence[gr.Tab], query: gr.Textbox) -> None:
    """Lay the tab out; measures when ``tab`` is opened, and again when the network changes while it is.

    Args:
        others: the tabs beside it; opening one of them closes this one.
        query: holds the network, as ``from_query`` reads it.
    """
    gr.HTML(
        tag(
            "p",
            "A real backward pass of cross-entropy at the initial weights, on noise with random labels. "
            "The plain twin has the same weights in every layer the two share.",
            css="rx-note",
        ),
        padding=False,
    )
    with gr.Row(elem_id="gradient-controls"):
        seed = gr.Number(
            0, label="Seed", precision=0, minimum=0, maximum=_SEEDS, interactive=True, scale=0, min_width=120
        )
        again = gr.Button("Measure again", size="md", scale=0, min_width=140)
        stop = gr.Button("Cancel", size="md", scale=0, min_width=100, elem_id="cancel-gradients")
    status = gr.HTML("", padding=False, elem_id="gradient-status")
    plot = gr.Plot(show_label=False, elem_id="gradient-plot")
    shown, is_open = gr.State(""), gr.State(False)
    results = [status, plot, shown]
    tab.select(lambda: True, None, is_open, show_progress="hidden")
    for other in others:
        other.select(lambda: False, None, is_open, show_progress="hidden")
    opened = tab.select(_measure_new, [query, seed, shown], results, show_progress="hidden")
    changed = query.change(
        _measure_if_open,
        [query, seed, shown, is_open],
        results,
        show_progress="hidden",
        trigger_mode="always_last",
    )
    asked = again.click(_measure, [query, seed], results, show_progress="hidden")
    stop.click(
        lambda: banner("Cancelled. The chart still shows the last network measured.", "note"),
        None,
        status,
        cancels=[opened, changed, asked],
    )


def _measure_new(query: str, seed: int | None, shown: str) -> Iterator[list[Any]]:
    """Measure unless the chart shows this very network already."""
    if f"{query}#{seed}" != shown:
        yield from _measure(query, seed)


def _measure_if_open(query: str, seed: int | None, shown: str, is_open: bool) -> Iterator[list[Any]]:
    if is_open:
        yield from _measure_new(query, seed, shown)


def _measure(query: str, seed: int | None) -> Iterator[list[Any]]:
    """Probe in a thread and report after every backward pass; closing the generator stops the work."""
    events: queue.SimpleQueue[tuple[int, int] | Result | Exception] = queue.SimpleQueue()
    cancelled = threading.Event()

    def work() -> None:
        try:
            spec = from_query(query)
            number = min(max(int(seed or 0), 0), _SEEDS)
            events.put(
                probe_with_twin(
                    spec, seed=number, cancelled=cancelled.is_set, on_progress=lambda done, of: events.put((done, of))
                )
            )
        except Exception as error:  # handed to the page's thread, which tells errors apart
            events.put(error)

    yield [_progress(0, 0), gr.skip(), gr.skip()]
    threading.Thread(target=work, daemon=True).start()
    try:
        while not isinstance(event := events.get(), Exception):
            if isinstance(event[0], int):
                yield [_progress(*event), gr.skip(), gr.skip()]
                continue
            probe, twin = event
            yield [_finding(probe, twin), gradient_figure(probe, twin), f"{query}#{seed}"]
            return
    finally:
        cancelled.set()
    if not isinstance(event, ExplorerError):
        raise event
    yield [banner(str(event), "finding"), gr.skip(), gr.skip()]


def _progress(done: int, total: int) -> str:
    words = f"Measuring: {done} of {total} backward passes" if total else "Building the network …"
    return progress_bar(words, done / total if total else 0)


def _finding(probe: GradientProbe, twin: GradientProbe | None) -> str:
    notes = "".join(tag("li", text(note)) for note in probe.notes)
    return tag("p", text(summary_sentence(probe, twin)), css="rx-summary-sentence") + (
        tag("ul", notes, css="rx-note") if notes else ""
    )
