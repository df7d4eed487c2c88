"""Heavy work off the event loop: one job at a time in this program; the others wait in a queue and say so.

A page has one job of each kind: ``run`` starts it, ``stop`` and ``outdate`` end it, and so does closing the page.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from ...errors import ExplorerError, Stopped
from . import sessions

MOST = 16  # jobs in the queue: each occupies one of the 40 threads that answer the page


@dataclass(frozen=True)
class Waiting:
    """The job is in the queue.

    Attributes:
        ahead: number of jobs before it, including the running one; at least 1.
    """

    ahead: int

    def __str__(self) -> str:
        return f"In the queue, position {self.ahead + 1}. Jobs run one at a time; yours starts automatically."


@dataclass(frozen=True)
class Finished:
    """The end of a job: its result, or its exception (``Stopped`` if it was stopped)."""

    result: Any = None
    error: Exception | None = None


class Job:
    """Work in a thread of its own, which starts when no other job runs.

    Args:
        work: called with this job; it reports with ``say``, and ends soon after ``stopped``.
    """

    def __init__(self, work: Callable[[Job], Any]) -> None:
        self._work = work
        self._events: SimpleQueue[Any] = SimpleQueue()
        self._stop = threading.Event()
        self._finished = threading.Event()
        self._admitted = _QUEUE.join(self)
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked it to stop; ``work`` must look often."""
        return self._stop.is_set()

    @property
    def finished(self) -> bool:
        """Whether its work is over."""
        return self._finished.is_set()

    def stop(self) -> None:
        """Ask it to stop: at once if it still waits, else when ``work`` looks next."""
        self._stop.set()
        _QUEUE.notify()

    def say(self, event: Any) -> None:
        """Give an event to the reader of ``events``; ``work`` calls this."""
        self._events.put(event)

    def events(self) -> Iterator[Any]:
        """``Waiting`` whenever its place in the queue changes, what ``work`` says, and ``Finished`` last.

        A reader that closes this before its end stops the job: nobody would see the result.
        """
        try:
            while not isinstance(event := self._events.get(), Finished):
                yield event
            yield event
        finally:
            self.stop()

    def _run(self) -> None:
        try:
            if not self._admitted:
                raise ExplorerError(f"The queue is full: {MOST} jobs are waiting. Try again later.")
            _QUEUE.wait_for_turn(self)
            if self.stopped:
                raise Stopped("Stopped before it began.")
            end = Finished(self._work(self))
        except Exception as error:  # the reader decides what it means
            end = Finished(error=error)
        # A reader of the end may start another job, which must not wait for this one.
        _QUEUE.leave(self)
        self._finished.set()
        self.say(end)


class _Queue:
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

    def notify(self) -> None:
        """Let the jobs that wait look at their places, and at whether they were stopped."""
        with self._changed:
            self._changed.notify_all()

    def wait_for_turn(self, job: Job) -> None:
        """Return when ``job`` is first, or has been stopped."""
        reported = 0
        with self._changed:
            while (ahead := self._jobs.index(job)) and not job.stopped:
                if ahead != reported:
                    job.say(Waiting(ahead))
                    reported = ahead
                self._changed.wait()


_QUEUE = _Queue()
_RUNNING: dict[tuple[str, str], Job] = {}  # by session and kind, those that wait included
_LOCK = threading.RLock()  # reentrant: a generator is closed wherever it is collected. No other lock is taken with it.


def run(session: str, kind: str, work: Callable[[Job], Any]) -> Iterator[Any]:
    """Start the page's job of a kind with the first event that is read; its events as in ``Job.events``.

    It outdates the page's earlier job of this kind, and stops when nobody reads on.

    Args:
        kind: what the job is for, for example "throughput"; one name for the whole page.
    """
    outdate(session, kind)
    job = Job(work)
    with _LOCK:
        former, _RUNNING[session, kind] = _RUNNING.get((session, kind)), job
    if former:  # started at the same moment
        former.stop()
    try:
        for event in job.events():
            if running(session, kind) is not job:
                return
            yield event
    finally:
        with _LOCK:
            if _RUNNING.get((session, kind)) is job:
                del _RUNNING[session, kind]


def running(session: str, kind: str) -> Job | None:
    """The page's job of this kind whose events are read; it may still wait for its turn."""
    with _LOCK:
        return _RUNNING.get((session, kind))


def stop(session: str, kind: str) -> bool:
    """Ask the page's job of this kind to stop; its events say how it ended.

    Returns whether there was one that had not finished.
    """
    job = running(session, kind)
    if job is None or job.finished:
        return False
    job.stop()
    return True


def outdate(session: str, kind: str) -> None:
    """Stop the page's job of this kind without a further event: a later job replaces it."""
    with _LOCK:
        job = _RUNNING.pop((session, kind), None)
    if job:
        job.stop()


@sessions.register_closer
def close(session: str) -> None:
    """Stop all jobs of a page that was closed."""
    with _LOCK:
        jobs = [job for (owner, _), job in _RUNNING.items() if owner == session]
    for job in jobs:
        job.stop()
