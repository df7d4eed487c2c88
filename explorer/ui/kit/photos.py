"""Photos given to the page, decoded: kept in memory for who gave them, by a name nobody can guess."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import RLock

from ...errors import ImageError
from ...inference import Photo

MAX_PIXELS = 300_000_000  # of all photos kept: 1.2 GB
PER_SESSION = 64
SECONDS = 3600.0  # without use


@dataclass(eq=False)
class _Kept:
    photo: Photo
    name: str
    session: str
    used: float = field(default_factory=time.monotonic)

    @property
    def pixels(self) -> int:
        return self.photo.image.width * self.photo.image.height


class Album:
    """The photos used last, within ``MAX_PIXELS``; none is found an hour after its last use."""

    def __init__(self) -> None:
        self._photos: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = RLock()

    def put(self, photo: Photo, session: str, name: str = "") -> str:
        """Keep a decoded photo; returns its token. Of one page's photos the ``PER_SESSION`` used last are kept.

        Args:
            name: the file's own, for people; shown only escaped.
        """
        token = secrets.token_urlsafe(12)
        with self._lock:
            self._photos[token] = _Kept(photo, name, session)
            self._tidy(session)
        return token

    def find(self, token: str) -> Photo:
        """The photo of a token.

        Raises:
            ImageError: it is not here any more.
        """
        with self._lock:
            self._tidy()
            kept = self._photos.get(token)
            if kept is None:
                raise ImageError("This photo is not kept here any more. Drop it once more.")
            kept.used = time.monotonic()
            self._photos.move_to_end(token)
            return kept.photo

    def of(self, session: str) -> list[tuple[str, str, Photo]]:
        """Token, name and photo of what a page has given, the one used last first."""
        with self._lock:
            self._tidy(session)
            return [(t, kept.name, kept.photo) for t, kept in reversed(self._photos.items()) if kept.session == session]

    def leave(self, session: str) -> None:
        """Forget what a page has given."""
        for token, _, _ in self.of(session):
            with self._lock:
                self._photos.pop(token, None)

    def _tidy(self, session: str = "") -> None:
        old = time.monotonic() - SECONDS
        own = [token for token, kept in self._photos.items() if kept.session == session]
        stale = [token for token, kept in self._photos.items() if kept.used < old]
        for token in {*stale, *own[:-PER_SESSION]}:
            del self._photos[token]
        while len(self._photos) > 1 and sum(kept.pixels for kept in self._photos.values()) > MAX_PIXELS:
            self._photos.popitem(last=False)


ALBUM = Album()
