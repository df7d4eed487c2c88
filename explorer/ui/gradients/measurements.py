"""What the measurements of the Gradients tab show while they run or wait, and at their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import gradio as gr

from ...errors import Stopped
from ...gradients import ProbeCancelled
from ...views.kit.markup import banner, progress_bar, tag, text
from ..kit import currency, plot
from ..kit.bridge import error_message
from ..kit.jobs import Job, Waiting
from ..kit.table import rows

LEAST_S = 0.25  # between two updates
BASIS = "Measured by real backward passes of cross-entropy at the initial weights, before any training."
# What changes in a sub-tab: values of its parts by name (``RESULT`` and "status").
RESULT = ("belongs_to", "verdict", "chart", "facts", "table")
Update = dict[str, Any]
Updates = Generator[Update, None, None]


def by_component(parts: Mapping[str, Any], measure: Callable[..., Updates]) -> Callable[..., Iterator[dict[Any, Any]]]:
    """A Gradio listener that yields the updates of ``measure``, keyed by component instead of by name.

    Args:
        parts: the components, by their names in the updates.
        measure: takes the values of the listener's inputs, then the request.
    """

    def listen(request: gr.Request, *values: Any) -> Iterator[dict[Any, Any]]:
        with closing(measure(*values, request)) as updates:
            for update in updates:
                yield {parts[name]: value for name, value in update.items()}

    return listen


class Pace:
    """Limits updates to as many as a page can show."""

    def __init__(self) -> None:
        self._latest = 0.0

    def due(self) -> bool:
        """Whether the next update is due; if so, it counts as made."""
        now = time.monotonic()
        if now - self._latest < LEAST_S:
            return False
        self._latest = now
        return True


def counting(job: Job, what: str) -> dict[str, Any]:
    """Options by which a measurement reports its progress, and stops with its job."""
    pace = Pace()

    def advance(done: int, of: int) -> None:
        if pace.due():
            job.say(progress_bar(f"Measuring: {done} of {of} {what}", done / of))

    return {"on_progress": advance, "cancelled": lambda: job.stopped}


def waiting(event: Waiting) -> str:
    """What a page shows while its job waits in the queue."""
    return progress_bar(str(event), 0)


def details(sentences: Iterable[str], notes: Iterable[str]) -> str:
    """How a result was measured and what limits it has, behind a line that opens."""
    items = "".join(tag("li", text(note)) for note in notes)
    body = tag("p", text(" ".join(sentences))) + (tag("ul", items) if items else "")
    return tag("details", tag("summary", "How this was measured") + body, css="rx-note rx-how")


def failed(error: Exception, cancelled: str) -> str:
    """What a page shows if its job ended without a result. ``cancelled`` is the sentence for a job that was stopped."""
    return (
        banner(cancelled, "note")
        if isinstance(error, (ProbeCancelled, Stopped))
        else banner(error_message(error), "finding")
    )


def result(elem_id: str, label: str, empty: str, advice: str, below: Callable[[], Any] | None = None) -> dict[str, Any]:
    """The parts that show a result, laid out in the current Gradio context: they are greyed if it is outdated.

    Args:
        elem_id: prefix of the components' ids.
        label: of the chart, for a screen reader.
        empty: what is in the chart's place before the first measurement.
        advice: what the page says last of an outdated result, or "".
        below: makes the choice of what the chart shows, which becomes the part "quantity".
    """
    with currency.result(f"{elem_id}-result", advice) as belongs_to:
        verdict = gr.HTML("", padding=False, elem_id=f"{elem_id}-verdict")
        chart = plot.chart(f"{elem_id}-plot", label, 352, empty)
        quantity = {"quantity": below()} if below else {}
        facts = gr.HTML("", padding=False, elem_id=f"{elem_id}-facts")
        parts = (belongs_to, verdict, chart, facts, rows(f"{elem_id}-table"))
    return {**dict(zip(RESULT, parts, strict=True)), **quantity}
