"""Values that the page stores in memory for its visitors, until the page closes or a limit is reached.

A session is one opened page: Gradio's ``session_hash``.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import gradio as gr

from ...errors import ExplorerError

_LOG = logging.getLogger("explorer")
_TOKEN_BYTES = 16  # random: nobody can guess a token

Value = TypeVar("Value")
Closer = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """The bounds of a store; None: there is none.

    Attributes:
        count: values of all sessions.
        per_session: values of one session.
        size: of all values together; one value alone may be larger.
        seconds: without use, after which a value is gone.
    """

    count: int | None = None
    per_session: int | None = None
    size: int | None = None
    seconds: float | None = None


@dataclass
class _Entry(Generic[Value]):
    value: Value
    session: str | None
    used: float  # s on the store's clock


class SessionStore(Generic[Value]):
    """Values of page sessions, each under a token that nobody can guess. Threads may share it.

    A token is enough to use its value. Beyond a limit, the value used longest ago goes first.

    Args:
        gone: the sentence for a person whose token has no value any more.
        limits: bounds of the store.
        error: the class of the error that says so.
        size: of a value, in the unit of ``limits.size``.
        by_arrival: the oldest value goes first, even if it was used since.
        clock: s, as ``time.monotonic``.
    """

    def __init__(
        self,
        gone: str,
        limits: Limits,
        *,
        error: type[ExplorerError] = ExplorerError,
        size: Callable[[Value], int] | None = None,
        by_arrival: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._gone, self._error, self._size = gone, error, size
        self._by_arrival, self._clock = by_arrival, clock
        self._entries: OrderedDict[str, _Entry[Value]] = OrderedDict()
        self._lock = RLock()
        _STORES.add(self)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def put(self, value: Value, session: str | None = None) -> str:
        """Add a value; returns its token.

        Args:
            session: whose it is; None: the first that claims it.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            self._entries[token] = _Entry(value, session, self._clock())
            self._tidy(session)
        return token

    def find(self, token: str, session: str | None = None) -> Value:
        """The value of a token, which now counts as used last.

        Args:
            session: whose it must be; None: the token is enough.

        Raises:
            ExplorerError: it is not here (see ``gone_error``).
        """
        with self._lock:
            return self._use(token, session).value

    def claim(self, token: str, session: str) -> Value:
        """As ``find``; a value that is nobody's is ``session``'s from now on."""
        with self._lock:
            entry = self._use(token)
            if entry.session is None:
                entry.session = session
                self._tidy(session)
            return entry.value

    def of(self, session: str) -> list[tuple[str, Value]]:
        """Tokens and values of a session: the one used last first, or the newest first (``by_arrival``)."""
        with self._lock:
            self._tidy(session)
            own = [(token, entry.value) for token, entry in self._entries.items() if entry.session == session]
        return own[::-1]

    def drop(self, token: str, session: str | None = None) -> None:
        """Forget a value; an unknown token is ignored.

        Args:
            session: whose it must be; None: the token is enough.

        Raises:
            ExplorerError: ``session`` is given, and has no such value.
        """
        with self._lock:
            if session is not None:
                self._use(token, session)
            self._entries.pop(token, None)

    def close(self, session: str) -> None:
        """Forget all values of a session."""
        with self._lock:
            for token in [token for token, entry in self._entries.items() if entry.session == session]:
                del self._entries[token]

    def gone_error(self) -> ExplorerError:
        """What to raise for a value that is not here any more."""
        return self._error(self._gone)

    def _use(self, token: str, session: str | None = None) -> _Entry[Value]:
        self._tidy()
        entry = self._entries.get(token)
        if entry is None or session not in (None, entry.session):
            raise self.gone_error()
        entry.used = self._clock()
        if not self._by_arrival:
            self._entries.move_to_end(token)
        return entry

    def _tidy(self, session: str | None = None) -> None:
        """Keep to the limits; to the one of ``session`` only if it is given."""
        entries, limits = self._entries, self.limits
        if limits.seconds is not None:
            oldest = self._clock() - limits.seconds
            for token in [token for token, entry in entries.items() if entry.used < oldest]:
                del entries[token]
        if limits.per_session is not None and session is not None:
            own = [token for token, entry in entries.items() if entry.session == session]
            for token in own[: -limits.per_session]:
                del entries[token]
        while limits.count is not None and len(entries) > limits.count:
            entries.popitem(last=False)
        while limits.size is not None and len(entries) > 1 and self._total() > limits.size:
            entries.popitem(last=False)

    def _total(self) -> int:
        return sum(self._size(entry.value) for entry in self._entries.values()) if self._size else 0


# Weak: a store that nobody uses any more needs no closing.
_STORES: WeakSet[SessionStore[Any]] = WeakSet()
_CLOSERS: list[Closer] = []


def register_closer(closer: Closer) -> Closer:
    """Decorate a function of a session: ``close`` calls it before the stores forget what the session had."""
    _CLOSERS.append(closer)
    return closer


def close(session: str) -> None:
    """Forget everything that a closed page had. A closer that fails is logged; the others still run."""
    for closer in (*_CLOSERS, *(store.close for store in list(_STORES))):
        try:
            closer(session)
        except Exception:
            _LOG.exception("closing a page")


def on_close(request: gr.Request) -> None:
    """Handler of the page's ``unload`` event."""
    close(str(request.session_hash))
