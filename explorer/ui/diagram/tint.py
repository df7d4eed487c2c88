"""The diagram's tint: amounts at once; gradients by a measurement that runs while the page asks for it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from ...gradients import GradientProbe, probe_gradients
from ...gradients.probe import ProbeCancelled
from ...spec import ResNetSpec
from ..kit.jobs import Finished, Job, Waiting

PATIENCE_S = 5.0  # a page that has not asked for so long is closed, or shows something else
KEPT = 8
OWNER = "tint"  # several pages may look at one measurement: it belongs to none


@dataclass
class Measurement:
    """A gradient probe as a job; stops when nobody asks for it any more.

    Attributes:
        progress: batches done, batches in all.
        waits: while other jobs come first, a sentence that says so.
        result: what was found, or the error; None while it runs.
    """

    spec: ResNetSpec
    progress: tuple[int, int] = (0, 0)
    waits: str = ""
    result: GradientProbe | Exception | None = None
    thread: threading.Thread = field(init=False)
    _asked: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._follow, args=[Job(self._probe, OWNER)], daemon=True)
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
_MEASUREMENTS: OrderedDict[ResNetSpec, Measurement] = OrderedDict()


def gradients(spec: ResNetSpec) -> Measurement:
    """The measurement of ``spec``: running, finished, or started by this call. The last eight are kept.

    It waits while another job runs, and counts as asked for while the page polls.
    """
    with _LOCK:
        known = _MEASUREMENTS.pop(spec, None)
        if known is None or known.abandoned or isinstance(known.result, ProbeCancelled):
            known = Measurement(spec)
        if not isinstance(known.result, Exception):  # an error is told once; the next question tries again
            _MEASUREMENTS[spec] = known
        while len(_MEASUREMENTS) > KEPT:
            _MEASUREMENTS.popitem(last=False)
    known.ask()
    return known
