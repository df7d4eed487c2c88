"""Runs as they are planned, trained side by side, and recorded."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import isfinite
from pathlib import Path

import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor

from ..errors import DataError, ExplorerError
from ..spec import ResNetSpec
from ..spec.budget import estimate
from .builtin import CIFAR10, Data
from .datasets import ImageSet, load_cifar10
from .digits import DIGITS
from .loop import Epoch, Run, Step
from .recipe import Recipe

MAX_POINTS = 300  # recorded in a run, besides the last of each epoch
# Of a step's forward pass. Below it a second thread gains little, and on a busy machine costs a hundredfold.
MACS_FOR_THREADS = 10**9
_CPU = torch.device("cpu")
Splits = tuple[ImageSet, ImageSet]


@lru_cache(maxsize=1)
def _pools() -> ThreadpoolController:
    return ThreadpoolController()


@dataclass(frozen=True)
class Choice:
    """Data to train on live.

    Attributes:
        title: for a form.
        pad, flip: the augmentation that suits it, as in ``Recipe``.
    """

    title: str
    data: Data
    pad: int
    flip: bool


@lru_cache(maxsize=1)  # 180 MB, and half a minute of decoding
def _cifar10(source: Path) -> Splits:
    return load_cifar10(source)


def _tenth(images: ImageSet) -> ImageSet:
    """The first tenth of every class, in the order of the whole."""
    chosen = torch.zeros(len(images), dtype=torch.bool)
    for label in range(len(images.classes)):
        places = (images.labels == label).nonzero().flatten()
        chosen[places[: max(1, len(places) // 10)]] = True
    return ImageSet(images.images[chosen], images.labels[chosen], images.classes)


def _cifar10_tenth(source: Path) -> Splits:
    train, test = _cifar10(source)
    return _tenth(train), _tenth(test)


_TENTH = replace(CIFAR10, name="A tenth of CIFAR-10", split="a tenth of the test split", load=_cifar10_tenth)
DATA: dict[str, Choice] = {
    "digits": Choice("Digits, 1,797 of 8×8 px", DIGITS, pad=1, flip=False),
    "cifar10_tenth": Choice("CIFAR-10, a tenth of it", _TENTH, pad=4, flip=True),
    "cifar10": Choice("CIFAR-10, 60,000 of 32×32 px", replace(CIFAR10, load=_cifar10), pad=4, flip=True),
}


@dataclass(frozen=True)
class Plan:
    """What a run is determined by: trained on the same kind of machine, equal plans give equal curves.

    Attributes:
        name: for people.
        spec: of the network, with the data's input and classes.
        data: a key of ``DATA``.
    """

    name: str
    spec: ResNetSpec
    recipe: Recipe
    data: str


@dataclass(frozen=True)
class Point:
    """What was recorded after a step.

    Attributes:
        epoch: passes over the training set so far, with a fraction.
        loss: mean over all steps since the point before, nats.
        learning_rate: of this step.
        norms: as ``Step.norms``.
    """

    epoch: float
    loss: float
    learning_rate: float
    norms: tuple[float, ...]


@dataclass
class Record:
    """One network's run as it is kept.

    Attributes:
        parts: what ``Point.norms`` are of.
        epochs: finished ones; their seconds are this network's own, others and pauses not counted.
        train, test: images in the splits; 0 before they were read.
        mean, std: of the training images' channels, 0 … 1: with them an image is normalised.
        threads: of the CPU; with another number the last digits may differ.
        ended: a sentence that says why it ended before its recipe did; empty where it did not.
        weights: of the last step, on the CPU; None where only curves are known.
    """

    plan: Plan
    parts: tuple[str, ...] = ()
    threads: int = 1
    train: int = 0
    test: int = 0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    points: list[Point] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    ended: str = ""
    weights: Mapping[str, Tensor] | None = field(default=None, repr=False)

    @property
    def finished(self) -> bool:
        return len(self.epochs) >= self.plan.recipe.epochs

    def same_course(self, other: Record) -> bool:
        """Whether two runs measured the very same numbers, to the last digit; times are not compared."""
        mine, theirs = ([replace(epoch, seconds=0) for epoch in record.epochs] for record in (self, other))
        return self.points == other.points and mine == theirs


class _Lane:
    """A network in training, and its record."""

    def __init__(self, record: Record, splits: Splits, device: torch.device) -> None:
        plan, (train, test) = record.plan, splits
        self.record = record
        self.run = Run(plan.spec, plan.recipe, train, test, device)
        # The last image of an epoch is left out where it is alone.
        self.steps = -(-len(train) // plan.recipe.batch_size) - (len(train) % plan.recipe.batch_size == 1)
        self.total = self.steps * plan.recipe.epochs
        self.run.record_every = max(1, self.total // MAX_POINTS)
        self.done, self.over = 0, False
        self.spent = self._seconds = 0.0  # in all, and in this epoch
        self._losses: list[float] = []
        self._events = self.run.events()
        record.parts, record.train, record.test = self.run.parts, len(train), len(test)
        record.mean, record.std, record.classes = self.run.mean, self.run.std, train.classes

    def advance(self) -> None:
        """Train one step, and what follows it: after an epoch's last, the test."""
        started = time.perf_counter()
        event = next(self._events)
        if isinstance(event, Step):
            self._record(event)
            if event.step == event.steps and not self.over:
                event = next(self._events)
        spent = time.perf_counter() - started
        self.spent, self._seconds = self.spent + spent, self._seconds + spent
        if isinstance(event, Epoch):
            # Its own count runs on while the others train.
            self.record.epochs.append(replace(event, seconds=self._seconds))
            self._seconds = 0.0
            self.over = self.run.finished

    def _record(self, step: Step) -> None:
        self.done += 1
        self._losses.append(step.loss)
        if not all(map(isfinite, (step.loss, *step.norms))):
            self.record.ended = f"Epoch {step.epoch + 1}: the loss is no longer finite; lower the learning rate."
            self.over = True
        elif step.norms:
            mean = sum(self._losses) / len(self._losses)
            place = step.epoch + step.step / step.steps
            self.record.points.append(Point(place, mean, step.learning_rate, step.norms))
            self._losses.clear()

    def keep(self) -> None:
        """Copy the weights as they are now into the record."""
        state = self.run.model.state_dict()
        self.record.weights = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}


class Training:
    """Networks side by side on the same data: their steps alternate, so that every curve grows alike.

    Nothing is read or built before the first step. It may be left after any step, and gone on with later, in any
    thread, as if it never had been.

    Args:
        plans: all with the same data.
        source: of CIFAR-10 (see ``builtin.find_data``); no other data needs it.
    """

    def __init__(self, plans: Sequence[Plan], source: Path, device: torch.device = _CPU) -> None:
        self.records = [Record(plan) for plan in plans]
        self.device = device
        macs = max(estimate(plan.spec)[1] * plan.recipe.batch_size for plan in plans)
        self.threads = torch.get_num_threads() if macs >= MACS_FOR_THREADS else 1
        for record in self.records:
            record.threads = self.threads
        self._source = source
        self._lanes: list[_Lane] = []
        self._steps = self._alternate()

    def steps(self) -> Iterator[None]:
        """Train, yielding after every step.

        Raises:
            DataError: the data is not there, or unusable.
            ExplorerError: the memory doesn't suffice.
        """
        while True:
            try:
                with self._threads():
                    if next(self._steps, self) is self:
                        return
            except torch.OutOfMemoryError as error:
                raise ExplorerError(f"{self.device}: the memory is full; lower the batch size") from error
            yield

    @property
    def over(self) -> bool:
        """Whether every network has got to its end."""
        return bool(self._lanes) and all(lane.over for lane in self._lanes)

    @property
    def seconds_left(self) -> float | None:
        """By the mean step so far; None while nothing is known."""
        done = sum(lane.done for lane in self._lanes)
        left = sum(lane.total - lane.done for lane in self._lanes if not lane.over)
        return sum(lane.spent for lane in self._lanes) / done * left if done >= len(self._lanes) > 0 else None

    @property
    def share(self) -> float:
        """Of all steps, 0 … 1."""
        total = sum(lane.total for lane in self._lanes)
        return sum(lane.total if lane.over else lane.done for lane in self._lanes) / total if total else 0.0

    def stop(self, why: str) -> None:
        """Leave it for good; what was trained is kept."""
        self._steps.close()
        for record in self.records:
            record.ended = record.ended or ("" if record.finished else why)
        self.keep()

    def keep(self) -> None:
        """Copy the weights as they are now into the records."""
        for lane in self._lanes:
            lane.keep()

    def _threads(self) -> AbstractContextManager[object]:
        """One thread for steps that are over before several have met; other threads of the program keep theirs."""
        torch.get_num_threads()  # what a thread begins with must be set before it is limited
        return _pools().limit(limits=1, user_api="openmp") if self.threads == 1 else nullcontext()

    def _alternate(self) -> Generator[None, None, None]:
        data = {record.plan.data for record in self.records}
        if len(data) != 1:
            raise DataError("data: networks side by side are trained on the same images")
        splits = DATA[data.pop()].data.load(self._source)
        self._lanes = [_Lane(record, splits, self.device) for record in self.records]
        while not self.over:
            for lane in self._lanes:
                if not lane.over:
                    lane.advance()
                    yield
        self.keep()
