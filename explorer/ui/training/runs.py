"""Training runs in memory, for the browser that trained them; the route that serves them as files."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from ...errors import ExplorerError
from ...inference.checkpoint import Checkpoint, trained_checkpoint
from ...training import Record, run_json, weights_file
from ...views.kit.words import printable
from ...views.training.runs import csv
from ..kit.sessions import Limits, SessionStore, register_closer

LIMITS = Limits(count=400, per_session=16, size=2**30, seconds=6 * 3600.0)  # bytes of weights
MAX_NAME = 60


@dataclass(eq=False)
class SavedRun:
    """A run of an owner.

    Attributes:
        place: of its line among the owner's (see ``charts.line``).
        original: token of the run that it repeats.
        in_charts: whether the charts show it.
    """

    record: Record
    place: int
    original: str = ""
    in_charts: bool = True

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return sum(tensor.nbytes for tensor in (self.record.weights or {}).values())


class Runs(SessionStore[SavedRun]):
    """Runs by owner: the key is a secret of the browser instead of the session, so that runs outlive the page."""

    def __init__(self) -> None:
        super().__init__("This run is no longer saved here.", LIMITS, size=lambda run: run.size, by_arrival=True)

    def add(self, records: Sequence[Record], owner: str, original: str = "") -> list[str]:
        """Save runs, each with a unique name and line among the owner's; returns their tokens."""
        with self._lock:
            own, tokens = [run for _, run in self.of(owner)], []
            names, places = {run.record.plan.name for run in own}, {run.place for run in own}
            for record in records:
                name = _unique(printable(record.plan.name, MAX_NAME), names)
                place = next(place for place in count() if place not in places)
                names.add(name)
                places.add(place)
                record.plan = replace(record.plan, name=name)
                tokens.append(self.put(SavedRun(record, place, original), owner))
            return tokens

    def hide_all(self, owner: str) -> None:
        """The charts show none of the owner's runs, until one is chosen."""
        for _, run in self.of(owner):
            run.in_charts = False

    def of(self, session: str) -> list[tuple[str, SavedRun]]:
        """Tokens and runs of an owner, in the order they came."""
        return super().of(session)[::-1]

    def rename(self, token: str, owner: str, name: str) -> None:
        """Give a run another name, as ``printable`` shows it; a name without letters changes nothing."""
        record = self.find(token, owner).record
        clean = " ".join(printable(name, MAX_NAME).split())
        if clean:
            record.plan = replace(record.plan, name=clean)


RUNS = Runs()


def _unique(name: str, others: Set[str]) -> str:
    """``name``, or "name, run 2" and so on if others have it."""
    numbered = (f"{name}, run {number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one not in others)


_NEW_OWNERS: dict[str, str] = {}  # by session


def owner_of(secret: Any, session: str) -> str:
    """Owner of the runs that a page shows: the browser's secret, or a new one that lasts while the page is open."""
    if isinstance(secret, str) and 16 <= len(secret) <= 64:
        return secret
    return _NEW_OWNERS.setdefault(session, secrets.token_urlsafe(16))


@register_closer
def _forget_owner(session: str) -> None:
    """The browser has the secret, and its runs stay."""
    _NEW_OWNERS.pop(session, None)


_FILES: dict[str, tuple[str, Callable[[Record], str | bytes]]] = {
    "csv": ("text/csv", csv),
    "json": ("application/json", run_json),
    "safetensors": ("application/octet-stream", weights_file),
}


def add_route(app: FastAPI) -> None:
    """``GET /run/TOKEN/KIND``: a saved run as ``csv``, ``json`` or ``safetensors``; 404 if there is none."""

    @app.get("/run/{token}/{kind}")
    def send_file(token: str, kind: str) -> Response:
        try:
            record = RUNS.find(token).record
            media, write = _FILES[kind]
            name = re.sub(r"[^a-z0-9]+", "-", record.plan.name.lower()).strip("-") or "run"
            headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"}
            return Response(write(record), media_type=media, headers=headers)
        except ExplorerError as error:
            return PlainTextResponse(str(error), 404)
        except KeyError:
            return PlainTextResponse(f"No such file. Available: {', '.join(_FILES)}.", 404)


def checkpoint_of(record: Record) -> Checkpoint:
    """A run's weights as an opened model file that is fully described.

    Raises:
        ExplorerError: only its curves are known.
    """
    file = weights_file(record)
    return trained_checkpoint(record.plan.name, record.card(), dict(record.weights or {}), file)
