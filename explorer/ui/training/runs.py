"""Runs of training that the page keeps, in memory, by names nobody can guess; the route that gives them as files."""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from ...errors import ExplorerError
from ...inference.checkpoint import Checkpoint, trained_checkpoint
from ...training import Record, run_json, weights_file
from ...views.kit.words import printable
from ...views.training.runs import csv

PER_PAGE, MAX_RUNS, MAX_BYTES = 16, 400, 2**30
SECONDS = 6 * 3600.0  # without use
MAX_NAME = 60


@dataclass(eq=False)
class Kept:
    """A run.

    Attributes:
        owner: who may list it; a secret of the browser.
        place: of its line among the owner's (see ``training_charts.line``).
        original: token of the run that it repeats.
    """

    record: Record
    owner: str
    place: int
    original: str = ""
    shown: bool = True
    used: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return sum(tensor.nbytes for tensor in (self.record.weights or {}).values())


class Runs:
    """The runs used last: at most ``PER_PAGE`` of an owner, ``MAX_RUNS`` and ``MAX_BYTES`` of weights in all."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Kept] = OrderedDict()
        self._lock = RLock()

    def put(self, records: Sequence[Record], owner: str, original: str = "") -> list[str]:
        """Keep runs, each under a name of its own; returns their tokens."""
        with self._lock:
            tokens = [self._put(record, owner, original) for record in records]
            self._tidy(owner)
            return tokens

    def find(self, token: str, owner: str | None = None) -> Kept:
        """The run of a token.

        Args:
            owner: who alone may have it; None where the token is enough.

        Raises:
            ExplorerError: it is not kept any more.
        """
        with self._lock:
            kept = self._runs.get(token)
            if kept is None or owner not in (None, kept.owner):
                raise ExplorerError("This run is not kept here any more.")
            kept.used = time.monotonic()
            return kept

    def of(self, owner: str) -> list[tuple[str, Kept]]:
        """Tokens and runs of an owner, in the order they came."""
        with self._lock:
            self._tidy(owner)
            return [(token, kept) for token, kept in self._runs.items() if kept.owner == owner]

    def rename(self, token: str, owner: str, name: str) -> None:
        """Give a run another name, as ``printable`` shows it; without letters, the one it has stays."""
        kept = self.find(token, owner)
        clean = " ".join(printable(name, MAX_NAME).split())
        if clean:
            kept.record.plan = replace(kept.record.plan, name=clean)

    def drop(self, token: str, owner: str) -> None:
        """Forget a run of ``owner``'s."""
        with self._lock:
            self.find(token, owner)
            self.forget(token)

    def forget(self, token: str) -> None:
        """As ``drop``, whoever asks; an unknown token is no error."""
        with self._lock:
            self._runs.pop(token, None)

    def _put(self, record: Record, owner: str, original: str) -> str:
        own = [kept for kept in self._runs.values() if kept.owner == owner]
        names, places = {kept.record.plan.name for kept in own}, {kept.place for kept in own}
        base, number = printable(record.plan.name, MAX_NAME), 2
        name = base
        while name in names:
            name, number = f"{base} ({number})", number + 1
        record.plan = replace(record.plan, name=name)
        token = secrets.token_urlsafe(12)
        place = next(place for place in range(len(own) + 1) if place not in places)
        self._runs[token] = Kept(record, owner, place, original)
        return token

    def _tidy(self, owner: str) -> None:
        old = time.monotonic() - SECONDS
        own = [token for token, kept in self._runs.items() if kept.owner == owner]
        stale = [token for token, kept in self._runs.items() if kept.used < old]
        for token in {*stale, *own[:-PER_PAGE]}:
            del self._runs[token]
        while len(self._runs) > MAX_RUNS or (
            len(self._runs) > 1 and sum(kept.size for kept in self._runs.values()) > MAX_BYTES
        ):
            self._runs.popitem(last=False)


RUNS = Runs()
_NEW: dict[str, str] = {}  # session -> owner


def owner_of(kept: Any, session: str) -> str:
    """Whose runs a page shows: the secret that its browser keeps, or a new one, which stays while the page is open."""
    if isinstance(kept, str) and 16 <= len(kept) <= 64:
        return kept
    return _NEW.setdefault(session, secrets.token_urlsafe(16))


def on_close(session: str) -> None:
    """A page was closed; its browser keeps the secret, and the runs stay for it."""
    _NEW.pop(session, None)


_FILES: dict[str, tuple[str, Callable[[Record], str | bytes]]] = {
    "csv": ("text/csv", csv),
    "json": ("application/json", run_json),
    "safetensors": ("application/octet-stream", weights_file),
}


def add_route(app: FastAPI) -> None:
    """``GET /run/TOKEN/KIND``: a kept run as ``csv``, ``json`` or ``safetensors``; 404 where there is no such."""

    @app.get("/run/{token}/{kind}")
    def take(token: str, kind: str) -> Response:
        try:
            record = RUNS.find(token).record
            media, write = _FILES[kind]
            name = re.sub(r"[^a-z0-9]+", "-", record.plan.name.lower()).strip("-") or "run"
            headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"}
            return Response(write(record), media_type=media, headers=headers)
        except ExplorerError as error:
            return PlainTextResponse(str(error), 404)
        except KeyError:
            return PlainTextResponse(f"There is no such file; there are: {', '.join(_FILES)}.", 404)


def checkpoint_of(record: Record) -> Checkpoint:
    """A run's weights as an opened model file, of which everything is known.

    Raises:
        ExplorerError: only its curves are known.
    """
    file = weights_file(record)
    return trained_checkpoint(record.plan.name, record.card(), dict(record.weights or {}), file)
