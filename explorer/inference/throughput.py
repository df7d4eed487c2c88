"""The number of images per second that a network classifies, by batch size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch

from .classifier import Classifier

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
LEAST_PASSES = 3  # for a median that one hiccup cannot move


@dataclass(frozen=True)
class ThroughputPoint:
    """Measured at one batch size.

    Attributes:
        batch: images in a batch.
        images_per_s: classified in a second.
        ms: of a batch, median. Reading and resizing photos are not counted, transfers to the device are.
        device: where it ran.
    """

    batch: int
    images_per_s: float
    ms: float
    device: str


def throughput(
    classifier: Classifier,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    seconds: float = 1.0,
    on_progress: Callable[[tuple[ThroughputPoint, ...]], None] = lambda points: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[ThroughputPoint, ...]:
    """Measure the network's forward pass on noise, which takes as long as photos.

    It queues like any request: photos asked about meanwhile are answered in between. The first size that a GPU has no
    memory for ends it.

    Args:
        seconds: of measuring at each size, after one pass that is not counted; at least ``LEAST_PASSES`` are measured.
        on_progress: told all points so far after each size.
        cancelled: asked after every pass; the points measured until then are returned.
    """
    points: tuple[ThroughputPoint, ...] = ()
    for size in batch_sizes:
        point = _measure(classifier, size, seconds, cancelled)
        if point is None:
            break
        points = (*points, point)
        on_progress(points)
    return points


def _measure(
    classifier: Classifier, size: int, seconds: float, cancelled: Callable[[], bool]
) -> ThroughputPoint | None:
    """None where it was cancelled, or the device has no memory for so many."""
    side = classifier.variant.transform.crop
    batch = torch.randn(size, 3, side, side, generator=torch.Generator().manual_seed(0))
    device = classifier.engine.forward(batch).device
    times: list[float] = []
    until = perf_counter() + seconds
    while len(times) < LEAST_PASSES or perf_counter() < until:
        if cancelled():
            return None
        output = classifier.engine.forward(batch)
        if output.notes:
            return None
        if output.batch == size:  # else a user's photo was in the batch
            times.append(output.ms)
    ms = median(times)
    return ThroughputPoint(size, size / ms * 1000, ms, device)
