"""One heavy job at a time: the order, what those who wait are told, and that stopping stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from explorer.errors import Stopped
from explorer.ui.kit import jobs, sessions
from explorer.ui.kit.jobs import Finished, Job, Waiting


class Gate:
    """Work that says where it is, and ends when it is let go or stopped."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, job: Job) -> str:
        job.say("running")
        for _ in range(2000):
            if self.open.wait(0.01):
                return "done"
            if job.stopped:
                raise Stopped("Stopped midway.")
        raise TimeoutError


@pytest.fixture(autouse=True)
def empty_queue() -> None:
    """Jobs of other tests are out of the way."""
    assert list(Job(lambda job: None).events())[-1] == Finished()


def wait_until(true: Callable[[], bool]) -> bool:
    """Whether it becomes true within seconds."""
    for _ in range(2000):
        if true():
            return True
        time.sleep(0.005)
    return False


def read(job: Job) -> Iterator[Any]:
    return iter(job.events())


def test_jobs_run_one_after_another_and_say_how_many_are_ahead() -> None:
    gates = [Gate() for _ in range(3)]
    first, second, third = (read(Job(gate)) for gate in gates)
    assert next(first) == "running"
    assert next(second) == Waiting(1)
    assert next(third) == Waiting(2)
    assert "position 3" in str(Waiting(2))
    gates[0].open.set()
    assert next(first) == Finished("done")
    assert next(second) == "running"
    assert next(third) == Waiting(1)
    gates[1].open.set()
    gates[2].open.set()
    assert list(second) == [Finished("done")]
    assert list(third) == ["running", Finished("done")]


def test_a_job_that_is_stopped_ends_waiting_or_running() -> None:
    gates = Gate(), Gate()
    running, waiting = (Job(gate) for gate in gates)
    events, later = read(running), read(waiting)
    assert next(events) == "running"
    assert next(later) == Waiting(1)
    waiting.stop()
    (ended,) = later
    assert isinstance(ended.error, Stopped)
    running.stop()
    (ended,) = events
    assert str(ended.error) == "Stopped midway."


def test_a_reader_that_stops_reading_stops_the_job() -> None:
    unread = Job(Gate())
    events = unread.events()
    assert next(events) == "running"
    events.close()  # type: ignore[attr-defined]  # a generator
    assert unread.stopped
    assert wait_until(lambda: unread.finished)


def test_no_more_wait_than_the_page_has_threads_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST", 2)
    gates = [Gate() for _ in range(4)]
    first, second, third = (read(Job(gate)) for gate in gates[:3])
    assert next(first) == "running"
    (refused,) = third
    assert str(refused.error) == "The queue is full: 2 jobs are waiting. Try again later."
    for gate in gates:
        gate.open.set()
    assert list(first) == [Finished("done")]
    assert list(second)[-1] == Finished("done")
    assert list(read(Job(gates[3]))) == ["running", Finished("done")], "there is room again"


def test_what_goes_wrong_is_handed_over_and_the_next_job_runs() -> None:
    def fails(job: Job) -> None:
        raise ValueError("a reason")

    *_, ended = Job(fails).events()
    assert repr(ended.error) == "ValueError('a reason')"
    gate = Gate()
    gate.open.set()
    assert list(Job(gate).events()) == ["running", Finished("done")]


# The registry: a page has one job of a kind


def test_a_later_job_of_the_page_and_kind_outdates_the_earlier() -> None:
    over = threading.Event()

    def work(job: Job) -> None:
        job.say("running")
        assert over.wait(20)

    first = jobs.run("page", "paths", work)
    assert next(first) == "running"
    earlier = jobs.running("page", "paths")
    second = jobs.run("page", "paths", lambda job: "second")
    assert next(second) == Waiting(1)
    assert earlier
    assert earlier.stopped
    over.set()
    assert list(first) == [], "a job that is outdated has nothing more to say"
    assert list(second)[-1] == Finished("second")
    assert jobs.running("page", "paths") is None


def test_jobs_of_other_pages_and_kinds_are_left_alone() -> None:
    gates = [Gate() for _ in range(3)]
    events = [
        jobs.run(session, kind, gate)
        for gate, (session, kind) in zip(gates, [("page", "a"), ("page", "b"), ("another page", "a")], strict=True)
    ]
    assert [next(each) for each in events] == ["running", Waiting(1), Waiting(2)]
    assert not jobs.stop("page", "c")
    assert not jobs.stop("a third page", "a")
    jobs.outdate("page", "c")
    jobs.close("a third page")
    for gate in gates:
        gate.open.set()
    assert [list(each)[-1] for each in events] == [Finished("done")] * 3


def test_a_job_that_is_stopped_says_its_end_and_an_outdated_one_nothing() -> None:
    stopped = jobs.run("page", "paths", Gate())
    assert next(stopped) == "running"
    assert jobs.stop("page", "paths")
    (end,) = stopped
    assert str(end.error) == "Stopped midway."
    assert not jobs.stop("page", "paths"), "there is none any more"
    outdated = jobs.run("page", "paths", Gate())
    assert next(outdated) == "running"
    jobs.outdate("page", "paths")
    assert list(outdated) == []
    assert jobs.running("page", "paths") is None


def test_a_job_that_has_finished_is_not_stopped_any_more() -> None:
    events = jobs.run("page", "paths", lambda job: job.say("a word"))
    assert next(events) == "a word"
    job = jobs.running("page", "paths")
    assert job
    assert wait_until(lambda: job.finished)
    assert not jobs.stop("page", "paths")
    assert list(events) == [Finished()]


def test_a_job_without_a_reader_stops_and_leaves_the_registry() -> None:
    events = jobs.run("page", "paths", Gate())
    assert next(events) == "running"
    job = jobs.running("page", "paths")
    assert isinstance(events, Generator)
    events.close()
    assert job
    assert job.stopped
    assert jobs.running("page", "paths") is None


def test_a_page_that_closes_stops_its_jobs_running_or_waiting() -> None:
    gate = Gate()
    mine = [jobs.run("page", kind, Gate()) for kind in ("running", "waiting")]
    other = jobs.run("another page", "running", gate)
    assert [next(each) for each in (*mine, other)] == ["running", Waiting(1), Waiting(2)]
    sessions.close("page")
    assert [str(list(each)[-1].error) for each in mine] == ["Stopped midway.", "Stopped before it began."]
    gate.open.set()
    assert list(other)[-1] == Finished("done")


def test_threads_share_the_registry(eager_threads: None) -> None:
    def use(number: int) -> Any:
        events = list(jobs.run(f"page {number % 3}", "kind", lambda job: number))
        return events[-1] if events and isinstance(events[-1], Finished) else None

    with ThreadPoolExecutor(8) as threads:
        ends = list(threads.map(use, range(60)))
    assert all(end is None or end.error or end.result == number for number, end in enumerate(ends))
    assert [jobs.running(f"page {number}", "kind") for number in range(3)] == [None] * 3
