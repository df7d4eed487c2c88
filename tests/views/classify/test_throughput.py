"""What is said of a measured throughput."""

from __future__ import annotations

from explorer.inference.throughput import ThroughputPoint
from explorer.views.classify import throughput


def test_throughput_names_the_best_batch() -> None:
    points = [
        ThroughputPoint(1, 100.0, 10.0, "cpu"),
        ThroughputPoint(2, 160.0, 12.5, "cpu"),
        ThroughputPoint(4, 150.0, 26.7, "cpu"),
    ]
    words = throughput.sentence(points, "Net")
    assert words.startswith("Net on cpu: at most 160 images a second, in batches of 2. A batch of 1 takes 10.0 ms.")
    (trace,) = throughput.figure(points).data
    assert (list(trace.x), list(trace.y)) == ([1, 2, 4], [100.0, 160.0, 150.0])
