"""The training of a page, running or paused: the work of a job, and how it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import RLock

from ...training import Training
from ..kit import jobs
from ..kit.jobs import Job
from ..kit.sessions import Limits, SessionStore, register_closer
from . import form as training_form
from .runs import RUNS

KIND = "training"  # of its jobs
INTERVAL = 0.4  # seconds between updates of the charts


@dataclass(eq=False)
class PageTraining:
    """The training of a page, running or paused.

    Attributes:
        tokens: of its runs.
        paused: whether it may resume later; otherwise the end of its job ends it for good.
        pending: whether an update is on its way: slow browsers get fewer.
    """

    training: Training
    tokens: list[str]
    paused: bool = False
    pending: bool = False
    _busy: RLock = field(default_factory=RLock, repr=False)  # one thread trains it, or ends it

    def work(self, job: Job) -> None:
        """Train until the end, or until the job is stopped; reports ``None`` whenever there is something to draw."""
        with self._busy:
            try:
                self._train(job)
            finally:
                if self.paused:
                    self.training.keep()  # so that they can be downloaded meanwhile
                else:
                    self.end()

    def end(self) -> None:
        """Save what was trained, and drop runs without a single step. Waits for the step that runs."""
        with self._busy:
            if not self.training.over:
                self.training.stop("It was stopped there.")
            for token, record in zip(self.tokens, self.training.records, strict=True):
                if not record.points:
                    RUNS.drop(token)

    def _train(self, job: Job) -> None:
        last = time.monotonic()
        if not self.training.share:
            training_form.check([record.plan for record in self.training.records])
        for _ in self.training.steps():
            if job.stopped:
                break
            if time.monotonic() - last > INTERVAL and not self.pending:
                last, self.pending = time.monotonic(), True
                job.say(None)


TRAININGS = SessionStore[PageTraining]("This training has ended.", Limits(per_session=1))


def training_of(session: str) -> PageTraining | None:
    """The training of a page; None if it has none."""
    return next((current for _, current in TRAININGS.of(session)), None)


@register_closer
def _end_training(session: str) -> None:
    if current := training_of(session):
        current.paused = False
        jobs.stop(session, KIND)
        current.end()
