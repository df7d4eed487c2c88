"""How a network is trained, as one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from math import cos, pi
from typing import Any

from ..errors import ExplorerError


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
        sharpness: each image is sharpened by a factor of its own, 1 … 1 + ``sharpness``, as
            ``torchvision.transforms.functional.adjust_sharpness`` does; photos differ in how they were shrunk.
        bfloat16: forward and backward pass in mixed precision; weights and their updates stay float32.
        seed: of initial weights, order and augmentation; epoch e draws from (seed, e) alone, so that a
            resumed run equals an uninterrupted one.

    Raises:
        ExplorerError: a value is of another kind, or outside ``LIMITS``.
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
    sharpness: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name), field.default)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "schedule": self.schedule.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Inverse of ``to_dict``; absent fields keep their defaults.

        Raises:
            ExplorerError: an unknown field, or a value that a recipe cannot have.
        """
        names = [field.name for field in fields(cls)]
        unknown = [name for name in data if name not in names]
        if unknown:
            raise ExplorerError(f"{unknown[0][:40]!a}: no such field; known fields: {', '.join(names)}")
        rest = dict(data)
        if "schedule" in rest:
            courses = {course.value: course for course in Schedule}
            rest["schedule"] = courses.get(str(rest["schedule"]), rest["schedule"])
        return cls(**rest)

    def rate(self, progress: float) -> float:
        """Learning rate at ``progress``, 0 (start) … 1 (end)."""
        return self.learning_rate * _SHAPES[self.schedule](progress)


_SHAPES: dict[Schedule, Callable[[float], float]] = {
    Schedule.PAPER: lambda t: 1.0 if t < 0.5 else 0.1 if t < 0.75 else 0.01,
    Schedule.COSINE: lambda t: (1 + cos(pi * t)) / 2,
    Schedule.ONE_CYCLE: lambda t: t / 0.25 if t < 0.25 else (1 - t) / 0.75,
}

# Least and most of every number; the most is refused only where it is a slip of the hand.
LIMITS: dict[str, tuple[float, float]] = {
    "epochs": (1, 10_000),
    "batch_size": (2, 10_000),
    "learning_rate": (0, 1e9),
    "momentum": (0, 0.9999),
    "weight_decay": (0, 1),
    "pad": (0, 64),
    "label_smoothing": (0, 0.99),
    "small_side": (1, 2048),
    "small_epochs": (0, 10_000),
    "sharpness": (0, 10),
    "seed": (0, 2**31 - 1),
}


def _check(name: str, value: Any, default: Any) -> None:
    if name not in LIMITS:
        if type(value) is not type(default):
            allowed = "true and false" if isinstance(default, bool) else ", ".join(course.value for course in Schedule)
            raise ExplorerError(f"{name}: got {str(value)[:40]!a}; allowed: {allowed}")
        return
    low, high = LIMITS[name]
    kind, words = (int, "a whole number") if isinstance(default, int) else ((int, float), "a number")
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise ExplorerError(f"{name}: got {str(value)[:40]!a}, expected {words} from {low:,} to {high:,}")
