"""How a network is trained, as one frozen value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from math import cos, pi
from typing import Any


class Schedule(str, Enum):
    """Course of the learning rate over the run."""

    PAPER = "paper"  # ÷10 after a half and three quarters of the steps (He et al. 2015 §4.2)
    COSINE = "cosine"  # Loshchilov & Hutter 2017, no restarts
    ONE_CYCLE = "one_cycle"  # linear up over the first quarter, linear to 0 (Smith & Topin 2018)


@dataclass(frozen=True)
class Recipe:
    """SGD with momentum on padded crops and flips (He et al. 2015 §4.2).

    Attributes:
        learning_rate: peak of the schedule, for batches of ``batch_size``.
        pad: zeros around the image, px, before a crop of the original size.
        label_smoothing: share of the target spread over all classes, 0 … 1.
        small_side, small_epochs: the first ``small_epochs`` see images shrunk to ``small_side`` px, antialiased
            (progressive resizing: Tan & Le 2021 §4.2); 0 epochs leave them as they are.
        bfloat16: forward and backward pass in mixed precision; weights and their updates stay float32.
        seed: of initial weights, order and augmentation; epoch e draws from (seed, e) alone, so that a
            resumed run equals an uninterrupted one.
    """

    epochs: int = 24
    batch_size: int = 128
    learning_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    nesterov: bool = True
    schedule: Schedule = Schedule.ONE_CYCLE
    pad: int = 4
    flip: bool = True
    label_smoothing: float = 0.0
    small_side: int = 24
    small_epochs: int = 0
    bfloat16: bool = False
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "schedule": self.schedule.value}

    def rate(self, progress: float) -> float:
        """Learning rate at ``progress``, 0 (start) … 1 (end)."""
        return self.learning_rate * _SHAPES[self.schedule](progress)


_SHAPES: dict[Schedule, Callable[[float], float]] = {
    Schedule.PAPER: lambda t: 1.0 if t < 0.5 else 0.1 if t < 0.75 else 0.01,
    Schedule.COSINE: lambda t: (1 + cos(pi * t)) / 2,
    Schedule.ONE_CYCLE: lambda t: t / 0.25 if t < 0.25 else (1 - t) / 0.75,
}
