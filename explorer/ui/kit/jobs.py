"""Heavy work off the event loop: one job at a time in this program, others wait their turn and are told so."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...errors import ExplorerError, Stopped

MOST = 16  # jobs in line: each holds one of the 40 threads that answer the page


@dataclass(frozen=True)
class Waiting:
    """Other jobs come first.

    Attributes:
        ahead: how many, the running one included; at least 1.
    """

    ahead: int

    def __str__(self) -> str:
        others = "Another measurement or training is" if self.ahead == 1 else f"{self.ahead} others are"
        return f"{others} running on this machine. Yours starts by itself when its turn comes."


@dataclass(frozen=True)
class Finished:
    """The job's end: what it returned, or the exception it ended with (``Stopped`` where it was stopped)."""

    result: Any = None
    error: Exception | None = None


class Job:
    """Work in a thread of its own, which starts when no other job runs.

    Args:
        work: called with this job; it says what there is to tell with ``say``, and ends soon after ``stopped``.
        owner: the page's session: ``leave`` stops all of its jobs.
    """

    def __init__(self, work: Callable[[Job], Any], owner: str) -> None:
        self.owner = owner
        self._work = work
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._finished = threading.Event()
        self._joined = _LINE.join(self)
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked it to stop; ``work`` is to look often."""
        return self._stop.is_set()

    @property
    def finished(self) -> bool:
        """Whether its thread has done its last."""
        return self._finished.is_set()

    def stop(self) -> None:
        """Ask it to stop: at once if it still waits, else when ``work`` looks next."""
        self._stop.set()
        _LINE.moved()

    def say(self, event: Any) -> None:
        """Tell whoever reads ``events``; called by ``work``."""
        self._events.put(event)

    def events(self) -> Iterator[Any]:
        """``Waiting`` whenever its place in the line changes, what ``work`` says, and ``Finished`` last.

        Whoever closes this before its end stops the job: nobody is left to see it.
        """
        try:
            while not isinstance(event := self._events.get(), Finished):
                yield event
            yield event
        finally:
            self.stop()

    def _run(self) -> None:
        try:
            if not self._joined:
                raise ExplorerError(f"{MOST} measurements and trainings wait for this machine. Try again in a while.")
            _LINE.wait_for_turn(self)
            if self.stopped:
                raise Stopped("Stopped before it began.")
            ended = Finished(self._work(self))
        except Exception as error:  # handed to whoever asks
            ended = Finished(error=error)
        # Who hears of the end may start another, which is not to wait for this one.
        _LINE.leave(self)
        self._finished.set()
        self.say(ended)


class _Line:
    """Jobs in the order they came; the first runs."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()

    def join(self, job: Job) -> bool:
        """Whether there was room for it."""
        with self._changed:
            if len(self._jobs) >= MOST:
                return False
            self._jobs.append(job)
            return True

    def leave(self, job: Job) -> None:
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)
                self._changed.notify_all()

    def moved(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_for_turn(self, job: Job) -> None:
        """Return when ``job`` is first, or has been stopped."""
        said = 0
        with self._changed:
            while (ahead := self._jobs.index(job)) and not job.stopped:
                if ahead != said:
                    job.say(Waiting(ahead))
                    said = ahead
                self._changed.wait()

    def of(self, owner: str) -> list[Job]:
        with self._changed:
            return [job for job in self._jobs if job.owner == owner]


_LINE = _Line()


def leave(owner: str) -> None:
    """Stop all jobs of a page that was closed."""
    for job in _LINE.of(owner):
        job.stop()
