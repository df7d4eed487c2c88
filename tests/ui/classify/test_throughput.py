"""What the throughput panel says at the end, and that it can be stopped."""

from __future__ import annotations

from threading import Event

import gradio as gr
import pytest

from explorer.inference.throughput import ThroughputPoint
from explorer.ui.classify import throughput
from explorer.ui.classify.throughput import conclusion
from explorer.ui.kit.jobs import Finished, Job

ONE = ThroughputPoint(1, 50.0, 20.0, "cuda:0")


@pytest.mark.parametrize(
    ("points", "stopped", "words"),
    [
        ((), True, "Stopped before anything was measured."),
        ((), False, "The device has no memory for a single image."),
        ((ONE,), True, "Stopped before the larger batches."),
    ],
)
def test_an_early_end_says_why(points: tuple[ThroughputPoint, ...], stopped: bool, words: str) -> None:
    assert words in conclusion(Finished(points), "ResNet-18", stopped)


def test_a_whole_measurement_was_not_stopped() -> None:
    assert "Stopped" not in conclusion(Finished((ONE,)), "ResNet-18", False)


def test_a_page_stops_its_measurement() -> None:
    go_on, page = Event(), gr.Request(session_hash="page")
    Job(lambda job: go_on.wait(20))
    start, stop, status, chart = (
        gr.Button(render=False),
        gr.Button(render=False),
        gr.HTML(render=False),
        gr.HTML(render=False),
    )
    panel = throughput._Panel(start, stop, status, chart)
    events = panel.measure("cifar10_resnet20", "cpu", "", page)
    assert "Measuring batches of 1" in next(events)[panel.status]["value"]
    assert "In the queue, position 2" in next(events)[panel.status]
    throughput._stop(page)
    go_on.set()
    (end,) = events
    assert "Stopped before it began." in end[panel.status]["value"]
