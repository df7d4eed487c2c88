"""What was measured with a network's weights beyond their accuracy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ConfidenceGap:
    """How far the confidence is off the accuracy: expected calibration error on the test split, 0 … 1.

    Attributes:
        before, after: without and with ``Variant.temperature``.
        images: on which the temperature was fitted; they were left out of training.
    """

    before: float
    after: float
    images: int


@dataclass(frozen=True)
class PhotoScore:
    """Counts over a folder of full-size photos. The fields are the keys of a side file.

    Attributes:
        known: photos of classes the network knows.
        top1, top5: how many of these it names first, or among its first five.
        others: photos of other classes.
        set_apart: how many of the others it finds out of distribution (``Prediction.in_distribution`` is False).
        unfamiliar: how many of the known it finds out of distribution, wrongly.
    """

    known: int
    top1: int
    top5: int
    others: int
    set_apart: int
    unfamiliar: int
