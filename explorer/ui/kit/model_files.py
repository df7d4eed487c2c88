"""Model files opened on the page, in memory for the session that opened them."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock

from ...errors import ExplorerError
from ...inference import Classifier
from ...inference.checkpoint import Checkpoint, checkpoint_classifier
from ...inspection import Graph, Report, inspect
from ...spec import FIELDS, ResNetSpec, from_query
from ...views.kit.words import printable
from .sessions import Limits, SessionStore

FILE = "file:"  # before a token, instead of a network's query or the name of pretrained weights
GONE = "Your session expired. Open the file again."
LIMITS = Limits(count=4, size=2**30, seconds=3600.0)  # bytes
_TRACES = ("init", "zero_init_residual")  # fields that trained weights keep no trace of, and no prediction needs


@dataclass(eq=False)
class OpenFile:
    """One opened file.

    Attributes:
        name: the file's own, for people.
    """

    name: str
    content: Checkpoint | Graph
    _lock: RLock = field(default_factory=RLock, repr=False)
    _latest: tuple[ResNetSpec, str, Classifier] | None = field(default=None, repr=False)

    @property
    def display_name(self) -> str:
        """The printable, shortened name."""
        return printable(self.name, 60)

    @property
    def checkpoint(self) -> Checkpoint:
        """Raises ``ExplorerError`` where it is a graph."""
        if isinstance(self.content, Checkpoint):
            return self.content
        raise ExplorerError("Only the graph of this network is shown; it cannot classify photos.")

    @property
    def can_classify(self) -> bool:
        """Whether it can classify photos."""
        content = self.content
        if not isinstance(content, Checkpoint) or content.recognition.spec is None:
            return False
        return not content.broken and content.recognition.has_head and content.spec.in_channels == 3

    @property
    def size(self) -> int:
        """Bytes of its weights and of the network loaded with them, which stores them twice; 0 for a graph."""
        content, copies = self.content, 3 if self._latest else 1
        return copies * sum(t.nbytes for t in content.state.values()) if isinstance(content, Checkpoint) else 0

    def spec_for(self, query: str) -> ResNetSpec:
        """The file's network, with what its weights don't tell as ``query`` says if that is of the same network.

        Raises:
            SpecError: ``query`` names no network.
        """
        spec, said = self.checkpoint.spec, from_query(query)
        unknown = tuple(self.checkpoint.recognition.unknown)
        known = (name for name in FIELDS if name not in (*unknown, *_TRACES))
        if any(getattr(said, name) != getattr(spec, name) for name in known):
            return spec
        return spec.with_(**{name: getattr(said, name) for name in unknown})

    def classifier(self, spec: ResNetSpec, device: str) -> Classifier:
        """The network with the file's weights; the one asked for last stays loaded.

        Raises:
            ExplorerError: a shortcut of ``spec`` does not match, or as ``checkpoint_classifier``.
        """
        if broken := inspect(spec).broken:
            raise ExplorerError(f"With this choice the network cannot run. {broken[0].explanation}")
        with self._lock:
            if self._latest is None or self._latest[:2] != (spec, device):
                self._latest = None  # its memory is free before the next takes as much
                self._latest = (spec, device, checkpoint_classifier(self.checkpoint, spec, device))
            return self._latest[2]


OPEN_FILES = SessionStore[OpenFile](GONE, LIMITS, size=lambda file: file.size)


def report_of(query: str) -> Report:
    """The report of a network's query, or of an opened graph where it is ``file:TOKEN``.

    Raises:
        ExplorerError: it names no network, or the file is gone.
    """
    if not query.startswith(FILE):
        return inspect(from_query(query))
    content = OPEN_FILES.find(query.removeprefix(FILE)).content
    return content.report if isinstance(content, Graph) else inspect(content.spec)
