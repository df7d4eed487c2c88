"""What the throughput panel says at the end."""

from __future__ import annotations

import pytest

from explorer.inference.throughput import ThroughputPoint
from explorer.ui.classify.throughput import conclusion
from explorer.ui.kit.jobs import Finished

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
