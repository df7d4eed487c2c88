"""The Gradients tab: this network's loss gradient along depth, against its plain twin from the same seed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from ..gradients import GradientProbe, probe_with_twin
from ..gradients.probe import ProbeCancelled
from ..spec import from_query
from ..views.charts import gradient_figure, summary_sentence
from ..views.markup import banner, progress_bar, tag, text
from .failures import told

Result = tuple[GradientProbe, GradientProbe | None]
Event = tuple[int, int] | Result | Exception

INTRODUCTION = (
    "A real backward pass of cross-entropy at the initial weights, on noise with random labels. "
    "The plain twin has the same weights in every layer the two share."
)
_SEEDS = 10_000


# The session's running measurement; setting its event stops the work after the current batch.
_RUNNING: dict[str, threading.Event] = {}
_WITH_VISIBILITY = """async (...values) => {
  await new Promise(requestAnimationFrame);
  values[values.length - 1] = Boolean(document.querySelector("#gradient-controls")?.offsetParent);
  return values;
}"""
_WHILE_OPEN = "(query, followed) => document.querySelector('#gradient-controls')?.offsetParent ? query : followed"


def build_tab(tab: gr.Tab, query: gr.Textbox) -> None:
    """Lay the tab out; measures when ``tab`` is opened, and again when the network changes while it is.

    Args:
        query: holds the network, as ``from_query`` reads it.
    """
    gr.HTML(tag("p", INTRODUCTION, css="rx-note"), padding=False)
    with gr.Row(elem_id="gradient-controls"):
        seed = gr.Number(
            0, label="Seed", precision=0, minimum=0, maximum=_SEEDS, interactive=True, scale=0, min_width=120
        )
        stop = gr.Button("Cancel", size="md", scale=0, min_width=100, elem_id="cancel-gradients")
    status = gr.HTML("", padding=False, elem_id="gradient-status")
    plot = gr.Plot(show_label=False, elem_id="gradient-plot")
    shown, visible = gr.State(""), gr.Checkbox(visible="hidden", label="Gradients are open")
    # The network, followed only while the tab is open: otherwise a change asks the program for nothing.
    followed = gr.Textbox(visible="hidden", label="Network to measure")
    query.change(None, [query, followed], followed, js=_WHILE_OPEN)
    # First what is outdated stops (a new network stops it in the very event that makes it), then the one listener
    # measures the last network asked for.
    for outdates in (seed.change, stop.click):
        outdates(outdate, None, None, queue=False, show_progress="hidden")
    gr.on(
        [tab.select, followed.change, seed.change],
        _measure_new,
        [query, seed, shown, visible],
        [status, plot, shown],
        js=_WITH_VISIBILITY,
        show_progress="hidden",
        trigger_mode="always_last",
    )


def outdate(request: gr.Request) -> None:
    """Stop the session's running measurement, if any, after the current batch."""
    running = _RUNNING.get(str(request.session_hash))
    if running:
        running.set()


def _measure_new(query: str, seed: int | None, shown: str, visible: bool, request: gr.Request) -> Iterator[list[Any]]:
    """Measure, unless nobody looks or the chart shows this very network already."""
    key = f"{query}#{seed}"
    if not visible or key == shown:
        yield [gr.skip()] * 3
        return
    session, cancelled = str(request.session_hash), threading.Event()
    _RUNNING[session] = cancelled
    try:
        for event in _events(query, seed, cancelled):
            yield _shown(event, key)
    finally:
        cancelled.set()
        _RUNNING.pop(session, None)


def _events(query: str, seed: int | None, cancelled: threading.Event) -> Iterator[Event]:
    """Probe in a thread: (done, of) after every backward pass, then the result or what went wrong."""
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def work() -> None:
        try:
            number = min(max(int(seed or 0), 0), _SEEDS)
            found = probe_with_twin(
                from_query(query),
                seed=number,
                cancelled=cancelled.is_set,
                on_progress=lambda done, of: events.put((done, of)),
            )
            events.put(found)
        except Exception as error:  # handed to the page's thread, which tells errors apart
            events.put(error)

    threading.Thread(target=work, daemon=True).start()
    event: Event = (0, 0)
    yield event
    while isinstance(event, tuple) and isinstance(event[0], int):
        event = events.get()
        yield event


def _shown(event: Event, key: str) -> list[Any]:
    """Updates of status, plot and of what the plot shows."""
    if isinstance(event, ProbeCancelled):
        return [banner("Cancelled. The chart still shows the last network measured.", "note"), gr.skip(), ""]
    if isinstance(event, Exception):
        return [banner(told(event), "finding"), gr.skip(), ""]
    first, second = event
    if isinstance(first, int):
        return [_progress(first, int(second)), gr.skip(), gr.skip()]  # type: ignore[arg-type]  # (done, of)
    return [_finding(first, second), gradient_figure(first, second), key]  # type: ignore[arg-type]  # a Result


def _progress(done: int, total: int) -> str:
    words = f"Measuring: {done} of {total} backward passes" if total else "Building the network …"
    return progress_bar(words, done / total if total else 0)


def _finding(probe: GradientProbe, twin: GradientProbe | None) -> str:
    notes = "".join(tag("li", text(note)) for note in probe.notes)
    return tag("p", text(summary_sentence(probe, twin)), css="rx-summary-sentence") + (
        tag("ul", notes, css="rx-note") if notes else ""
    )
