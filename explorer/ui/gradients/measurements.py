"""What the measurements of the Gradients tab show while they run or wait, and how they ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import gradio as gr

from ...errors import Stopped
from ...gradients import ProbeCancelled
from ...views.kit.markup import banner, progress_bar, tag, text
from ..kit.bridge import error_message
from ..kit.jobs import Job, Waiting

LEAST_S = 0.25  # between two updates
# What changes in a sub-tab: values of its parts "status", "chart" and "table", by name.
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
    """Not more often than a page can show."""

    def __init__(self) -> None:
        self._latest = 0.0

    def due(self) -> bool:
        """Whether it is time again; if so, it counts as done."""
        now = time.monotonic()
        if now - self._latest < LEAST_S:
            return False
        self._latest = now
        return True


def counting(job: Job, what: str) -> dict[str, Any]:
    """Options by which a measurement tells how far it is, and stops when asked to."""
    pace = Pace()

    def advance(done: int, of: int) -> None:
        if pace.due():
            job.say(progress_bar(f"Measuring: {done} of {of} {what}", done / of))

    return {"on_progress": advance, "cancelled": lambda: job.stopped}


def waiting(event: Waiting) -> str:
    """What a page shows while its job waits in the queue."""
    return progress_bar(str(event), 0)


def finding(sentence: str, notes: Iterable[str]) -> str:
    """What was measured, and what needs to be said of it."""
    items = "".join(tag("li", text(note)) for note in notes)
    return tag("p", text(sentence), css="rx-summary-sentence") + (tag("ul", items, css="rx-note") if items else "")


def failed(error: Exception, cancelled: str) -> str:
    """What a page shows whose job ended without a result; ``cancelled``: where it was stopped."""
    return (
        banner(cancelled, "note")
        if isinstance(error, (ProbeCancelled, Stopped))
        else banner(error_message(error), "finding")
    )
