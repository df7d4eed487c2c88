"""Model files opened on the page: kept in memory for who opened them, by a name nobody can guess."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import RLock

from ...errors import ExplorerError
from ...inference import Classifier
from ...inference.checkpoint import Checkpoint, checkpoint_classifier
from ...inspection import Report, inspect
from ...inspection.onnx.graph import OnnxGraph
from ...spec import FIELDS, ResNetSpec, from_query
from ...views.kit.words import printable

FILE = "file:"  # before a token, where a network's query or a variant's name stands otherwise
MAX_FILES, MAX_BYTES = 4, 2**30
SECONDS = 3600.0  # without use
_TRACES = ("init", "zero_init_residual")  # fields that trained weights keep no trace of, and no prediction needs


@dataclass(eq=False)
class Held:
    """One opened file.

    Attributes:
        name: the file's own, for people.
        session: of the page that opened it; None until that page has asked for it.
        used: when it was last asked for, s on the monotonic clock.
    """

    name: str
    content: Checkpoint | OnnxGraph
    session: str | None = None
    used: float = field(default_factory=time.monotonic)
    _lock: RLock = field(default_factory=RLock, repr=False)
    _latest: tuple[ResNetSpec, str, Classifier] | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """The name as it is shown: printable, and not endless."""
        return printable(self.name, 60)

    @property
    def checkpoint(self) -> Checkpoint:
        """Raises ``ExplorerError`` where it is a graph."""
        if isinstance(self.content, Checkpoint):
            return self.content
        raise ExplorerError("An ONNX file is shown by its graph; it is not asked about photos.")

    @property
    def classifies(self) -> bool:
        """Whether it can be asked about photos."""
        content = self.content
        if not isinstance(content, Checkpoint) or content.recognition.spec is None:
            return False
        return not content.broken and content.spec.in_channels == 3

    @property
    def size(self) -> int:
        """Bytes of its weights and of the network loaded with them, which holds them twice; 0 for a graph."""
        content, copies = self.content, 3 if self._latest else 1
        return copies * sum(t.nbytes for t in content.state.values()) if isinstance(content, Checkpoint) else 0

    def chosen(self, query: str) -> ResNetSpec:
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
            ExplorerError: a shortcut of ``spec`` does not fit, or as ``checkpoint_classifier``.
        """
        if broken := inspect(spec).broken:
            raise ExplorerError(f"With this choice the network cannot run. {broken[0].explanation}")
        with self._lock:
            if self._latest is None or self._latest[:2] != (spec, device):
                self._latest = None  # its memory is free before the next takes as much
                self._latest = (spec, device, checkpoint_classifier(self.checkpoint, spec, device))
            return self._latest[2]


class Shelf:
    """The files opened last: at most ``MAX_FILES`` and ``MAX_BYTES`` of weights, none an hour after its last use."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, Held] = OrderedDict()
        self._lock = RLock()

    def put(self, name: str, content: Checkpoint | OnnxGraph) -> str:
        """Keep a file; returns its token."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._files[token] = Held(name, content)
            self._tidy()
        return token

    def find(self, token: str, session: str | None = None) -> Held:
        """The file of a token, which from now on is ``session``'s if it is nobody's.

        Raises:
            ExplorerError: it is not here any more.
        """
        with self._lock:
            self._tidy()
            if token not in self._files:
                raise ExplorerError("This file is not kept here any more. Open it once more.")
            self._files.move_to_end(token)
            held = self._files[token]
            held.used, held.session = time.monotonic(), held.session or session
            return held

    def of(self, session: str) -> list[tuple[str, Held]]:
        """Tokens and files of a page, the one used last first."""
        with self._lock:
            self._tidy()
            return [(token, held) for token, held in reversed(self._files.items()) if held.session == session]

    def drop(self, token: str) -> None:
        """Forget a file; an unknown token is no error."""
        with self._lock:
            self._files.pop(token, None)

    def leave(self, session: str) -> None:
        """Forget what a page has opened."""
        for token, _ in self.of(session):
            self.drop(token)

    def _tidy(self) -> None:
        old = time.monotonic() - SECONDS
        for token in [token for token, held in self._files.items() if held.used < old]:
            self.drop(token)
        while len(self._files) > MAX_FILES or (
            len(self._files) > 1 and sum(held.size for held in self._files.values()) > MAX_BYTES
        ):
            self._files.popitem(last=False)


SHELF = Shelf()


def report_of(query: str) -> Report:
    """The report of a network's query, or of an opened graph where it is ``file:TOKEN``.

    Raises:
        ExplorerError: it names no network, or the file is gone.
    """
    if not query.startswith(FILE):
        return inspect(from_query(query))
    content = SHELF.find(query.removeprefix(FILE)).content
    return content.report if isinstance(content, OnnxGraph) else inspect(content.spec)
