"""The diagram's tint: amounts at once; gradients by a measurement that runs while the page asks for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from ...bounded_cache import BoundedCache
from ...gradients import GradientProbe, probe_gradients
from ...gradients.probe import ProbeCancelled
from ...spec import ResNetSpec
from ..kit.jobs import Finished, Job, Waiting

PATIENCE_S = 5.0  # a page that has not asked for this long was closed or shows something else


@dataclass
class GradientMeasurement:
    """A gradient probe as a job. Several pages may wait for it; it stops when none of them asks any more.

    Attributes:
        progress: batches done, and their number.
        waits: while other jobs come first, a sentence that says so.
        result: the probe or the error; None while it runs.
    """

    spec: ResNetSpec
    progress: tuple[int, int] = (0, 0)
    waits: str = ""
    result: GradientProbe | Exception | None = None
    thread: threading.Thread = field(init=False)
    _asked: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._follow, args=[Job(self._probe)], daemon=True)
        self.thread.start()

    def ask(self) -> None:
        self._asked = time.monotonic()

    @property
    def abandoned(self) -> bool:
        return self.result is None and time.monotonic() - self._asked > PATIENCE_S

    def _probe(self, job: Job) -> GradientProbe:
        return probe_gradients(
            self.spec, on_progress=lambda *done: job.say(done), cancelled=lambda: self.abandoned, seed=0
        )

    def _follow(self, job: Job) -> None:
        for event in job.events():
            if isinstance(event, Finished):
                self.result = event.error or event.result
            elif isinstance(event, Waiting):
                self.waits = str(event)
            else:
                self.progress, self.waits = event, ""


_LOCK = threading.Lock()
_MEASUREMENTS = BoundedCache[ResNetSpec, GradientMeasurement](8)


def gradients(spec: ResNetSpec) -> GradientMeasurement:
    """The measurement of ``spec``: running, finished, or started by this call. The cache has the last eight.

    It waits while another job runs, and counts as asked for while the page polls.
    """
    with _LOCK:
        known = _MEASUREMENTS.get(spec)
        if known is None or known.abandoned or isinstance(known.result, ProbeCancelled):
            known = GradientMeasurement(spec)
            _MEASUREMENTS.put(spec, known)
        if isinstance(known.result, Exception):  # the page shows an error once; the next question tries again
            _MEASUREMENTS.forget(spec)
    known.ask()
    return known
