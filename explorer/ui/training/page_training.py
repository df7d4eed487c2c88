"""What a page trains just now, or has paused: the work of a job, and its end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import gradio as gr

from ...training import Training
from ..kit import jobs, sessions
from ..kit.jobs import Job
from . import form as training_form
from .runs import RUNS

INTERVAL = 0.4  # seconds between updates of the charts


@dataclass
class PageTraining:
    """What a page trains, or has paused.

    Attributes:
        tokens: of its runs.
        paused: whether it is to go on later; else what ends it ends it for good.
        told: whether an update is on its way: slow readers get fewer.
    """

    training: Training
    tokens: list[str]
    paused: bool = False
    told: bool = False
    job: Job | None = field(default=None, repr=False)

    def work(self, job: Job) -> None:
        """Train until the end, or until the job is stopped; says ``None`` whenever there is something to see."""
        last = time.monotonic()
        try:
            if not self.training.share:
                training_form.check([record.plan for record in self.training.records])
            for _ in self.training.steps():
                if job.stopped:
                    break
                if time.monotonic() - last > INTERVAL and not self.told:
                    last, self.told = time.monotonic(), True
                    job.say(None)
        finally:
            if self.paused:
                self.training.keep()  # so that they can be taken meanwhile
            else:
                self.end()

    def end(self) -> None:
        """Keep what was trained; of a network that was never trained nothing is."""
        if not self.training.over:
            self.training.stop("It was stopped there.")
        for token, record in zip(self.tokens, self.training.records, strict=True):
            if not record.points:
                RUNS.drop(token)


TRAININGS: dict[str, PageTraining] = {}  # by session


def on_close(request: gr.Request) -> None:
    """A page was closed: its training stops."""
    session = str(request.session_hash)
    jobs.leave(session)
    sessions.close(session)
    training = TRAININGS.pop(session, None)
    if training and training.paused:
        training.end()
