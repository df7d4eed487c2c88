"""Runs as they are planned and recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from torch import Tensor

from ..datasets.cifar10 import load_cifar10_once
from ..datasets.registry import CIFAR10, CIFAR10_TENTH, DIGITS, DataSet
from ..network.card import Card
from ..spec import ResNetSpec, title
from .loop import Epoch
from .recipe import Recipe

_Channels = tuple[float, float, float]
DIVERGED = "the loss is no longer finite"  # in ``Record.ended``, which files keep
# What networks are trained on side by side. CIFAR-10 stays in memory for the next run.
TRAINING_DATA: dict[str, DataSet] = {
    data.key: data for data in (DIGITS, CIFAR10_TENTH, replace(CIFAR10, load=load_cifar10_once))
}


@dataclass(frozen=True)
class Plan:
    """What a run is determined by: trained on the same kind of machine, equal plans give equal curves.

    Attributes:
        name: for people.
        spec: of the network, with the data's input and classes.
        data: a key of ``TRAINING_DATA``.
    """

    name: str
    spec: ResNetSpec
    recipe: Recipe
    data: str


def plan_runs(networks: Iterable[ResNetSpec], recipe: Recipe, data: str) -> tuple[Plan, ...]:
    """A plan for each network, which gets the input and classes of ``data`` (a key of ``TRAINING_DATA``)."""
    specs = map(TRAINING_DATA[data].fit, networks)
    return tuple(Plan(title(spec), spec, recipe, data) for spec in specs)


@dataclass(frozen=True)
class CurvePoint:
    """What was recorded after a step.

    Attributes:
        epoch: passes over the training set so far, with a fraction.
        loss: mean over all steps since the point before, nats.
        learning_rate: of this step.
        norms: as ``TrainingStep.norms``.
    """

    epoch: float
    loss: float
    learning_rate: float
    norms: tuple[float, ...]


@dataclass
class Record:
    """What one network's run has measured so far.

    Attributes:
        parts: what ``CurvePoint.norms`` are of.
        epochs: finished ones; their seconds are this network's own, others and pauses not counted.
        train, test: images in the splits; 0 before they were read.
        mean, std: of the training images' channels, 0 … 1: with them an image is normalised.
        threads: of the CPU; with another number the last digits may differ.
        ended: a sentence that says why training ended before the recipe did; empty if it did not.
        weights: of the last step, on the CPU; None if only curves are known.
    """

    plan: Plan
    parts: tuple[str, ...] = ()
    threads: int = 1
    train: int = 0
    test: int = 0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    points: list[CurvePoint] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    ended: str = ""
    weights: Mapping[str, Tensor] | None = field(default=None, repr=False)

    @property
    def finished(self) -> bool:
        return len(self.epochs) >= self.plan.recipe.epochs

    @property
    def diverged(self) -> bool:
        """Whether it ended because its loss or a gradient was NaN or infinity."""
        return DIVERGED in self.ended

    def same_course(self, other: Record) -> bool:
        """Whether two runs measured the same numbers, to the last digit; times are not compared."""
        mine, theirs = ([replace(epoch, seconds=0) for epoch in record.epochs] for record in (self, other))
        return self.points == other.points and mine == theirs

    def card(self) -> Card:
        """The description for a weight file; the images must have been read."""
        data = TRAINING_DATA[self.plan.data]
        return Card(
            title=f"{title(self.plan.spec)} “{self.plan.name}”",
            spec=self.plan.spec,
            classes=self.classes,
            mean=cast(_Channels, self.mean),
            std=cast(_Channels, self.std),
            data=f"{data.name}, {data.split}",
            accuracy=self.epochs[-1].test_accuracy if self.epochs else None,
        )
