"""Networks that are trained side by side on the same images."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache
from math import isfinite
from pathlib import Path

import torch
from threadpoolctl import ThreadpoolController

from ..datasets import Splits
from ..errors import DataError, ExplorerError
from ..spec.budget import estimate
from .loop import Epoch, Run, TrainingStep
from .record import DIVERGED, TRAINING_DATA, CurvePoint, Plan, Record

MAX_POINTS = 300  # recorded in a run, in addition to the last of each epoch
# MACs of a step's forward pass. Below it a second thread gains little, and on a busy machine costs a hundredfold.
MACS_FOR_THREADS = 10**9
_CPU = torch.device("cpu")


@lru_cache(maxsize=1)
def _pools() -> ThreadpoolController:
    return ThreadpoolController()


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
        self.spent = self._seconds = 0.0  # in total, and in this epoch
        self._losses: list[float] = []
        self._events = self.run.events()
        record.parts, record.train, record.test = self.run.parts, len(train), len(test)
        record.mean, record.std, record.classes = self.run.mean, self.run.std, train.classes

    def advance(self) -> None:
        """Train one step, and what follows it: after an epoch's last, the test."""
        started = time.perf_counter()
        event = next(self._events)
        if isinstance(event, TrainingStep):
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

    def _record(self, step: TrainingStep) -> None:
        self.done += 1
        self._losses.append(step.loss)
        if not all(map(isfinite, (step.loss, *step.norms))):
            self.record.ended = f"Epoch {step.epoch + 1}: {DIVERGED}; lower the learning rate."
            self.over = True
        elif step.norms:
            mean = sum(self._losses) / len(self._losses)
            place = step.epoch + step.step / step.steps
            self.record.points.append(CurvePoint(place, mean, step.learning_rate, step.norms))
            self._losses.clear()

    def keep(self) -> None:
        """Copy the weights as they are now into the record."""
        state = self.run.model.state_dict()
        self.record.weights = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}


class Training:
    """Networks side by side on the same data: their steps alternate, so that every curve grows alike.

    Nothing is read or built before the first step. It can be paused after any step and continued later, in any thread;
    the numbers are those of an uninterrupted training.

    Args:
        plans: all with the same data.
        source: of the images (see ``datasets.find_data``).
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
        """Finished share of all steps, 0 … 1."""
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
        splits = TRAINING_DATA[data.pop()].load(self._source)
        self._lanes = [_Lane(record, splits, self.device) for record in self.records]
        while not self.over:
            for lane in self._lanes:
                if not lane.over:
                    lane.advance()
                    yield
        self.keep()
