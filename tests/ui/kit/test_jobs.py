"""One heavy job at a time: the order, what those who wait are told, and that stopping stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from explorer.errors import ImageError, Stopped
from explorer.inference import Photo
from explorer.ui.kit import jobs, photos
from explorer.ui.kit.jobs import Finished, Job, Waiting


class Gate:
    """Work that says where it is, and ends when it is let go or stopped."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, job: Job) -> str:
        job.say("running")
        while not self.open.wait(0.01):
            if job.stopped:
                raise Stopped("Stopped midway.")
        return "done"


def read(job: Job) -> Iterator[Any]:
    return iter(job.events())


def test_jobs_run_one_after_another_and_say_how_many_are_ahead() -> None:
    gates = [Gate() for _ in range(3)]
    first, second, third = (read(Job(gate, "page")) for gate in gates)
    assert next(first) == "running"
    assert next(second) == Waiting(1)
    assert next(third) == Waiting(2)
    assert "2 others are running" in str(Waiting(2))
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
    running, waiting = (Job(gate, "page") for gate in gates)
    events, later = read(running), read(waiting)
    assert next(events) == "running"
    assert next(later) == Waiting(1)
    waiting.stop()
    (ended,) = later
    assert isinstance(ended.error, Stopped)
    running.stop()
    (ended,) = events
    assert str(ended.error) == "Stopped midway."


def test_who_stops_reading_or_leaves_the_page_stops_the_job() -> None:
    gates = Gate(), Gate()
    unread, left = Job(gates[0], "one"), Job(gates[1], "two")
    events = unread.events()
    assert next(events) == "running"
    events.close()  # type: ignore[attr-defined]  # a generator
    assert unread.stopped
    assert not left.stopped
    jobs.leave("two")
    assert isinstance(list(left.events())[-1].error, Stopped)


def test_no_more_wait_than_the_page_has_threads_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(read(Job(lambda job: None, "page")))[-1] == Finished(), "those of other tests are out of the way"
    monkeypatch.setattr(jobs, "MOST", 2)
    gates = [Gate() for _ in range(4)]
    first, second, third = (read(Job(gate, "page")) for gate in gates[:3])
    assert next(first) == "running"
    (refused,) = third
    assert str(refused.error) == "2 measurements and trainings wait for this machine. Try again in a while."
    for gate in gates:
        gate.open.set()
    assert list(first) == [Finished("done")]
    assert list(second)[-1] == Finished("done")
    assert list(read(Job(gates[3], "page"))) == ["running", Finished("done")], "there is room again"


def test_what_goes_wrong_is_handed_over_and_the_next_job_runs() -> None:
    def fails(job: Job) -> None:
        raise ValueError("a reason")

    *_, ended = Job(fails, "page").events()
    assert repr(ended.error) == "ValueError('a reason')"
    gate = Gate()
    gate.open.set()
    assert list(Job(gate, "page").events()) == ["running", Finished("done")]


def test_photos_belong_to_their_page_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    album, photo = photos.Album(), Photo(Image.new("RGB", (30, 20)), "PNG", (30, 20), ())
    monkeypatch.setattr(photos, "PER_SESSION", 3)
    tokens = [album.put(photo, "one", f"{i}.png") for i in range(5)]
    other = album.put(photo, "two")
    assert [name for _, name, _ in album.of("one")] == ["4.png", "3.png", "2.png"]
    assert album.find(tokens[2]) is photo
    assert [name for _, name, _ in album.of("one")] == ["2.png", "4.png", "3.png"]
    with pytest.raises(ImageError, match="not kept here any more"):
        album.find(tokens[0])
    album.leave("one")
    assert album.of("one") == []
    assert album.find(other) is photo
    monkeypatch.setattr(photos, "MAX_PIXELS", 30 * 20 * 2)
    kept = [album.put(photo, f"page {i}") for i in range(4)]
    with pytest.raises(ImageError):
        album.find(other)
    assert album.find(kept[3]) is photo
    monkeypatch.setattr(photos, "SECONDS", -1.0)
    assert album.of("page 3") == []
