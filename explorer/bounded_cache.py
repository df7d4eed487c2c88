"""A cache with a size limit that removes the least recently used values (LRU)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def _one(value: object) -> int:
    return 1


class BoundedCache(Generic[Key, Value]):
    """A thread-safe cache of the most recently used values. A removed value stays usable for callers that have it.

    Args:
        limit: maximum total size; the newest value stays even if it alone is larger.
        size: size of one value, for example its bytes; by default 1, so that ``limit`` is a number of values.
    """

    def __init__(self, limit: int, size: Callable[[Value], int] = _one) -> None:
        self.limit = limit
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Total size of all values."""
        with self._lock:
            return self._total()

    def get(self, key: Key) -> Value | None:
        """Return the value of a key and mark it as most recently used; None if it is not in the cache."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Add or replace a value; the least recently used values are removed to make room."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self._total() > self.limit:
                self._values.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Remove a value, if there is one."""
        with self._lock:
            self._values.pop(key, None)

    def _total(self) -> int:
        return sum(map(self._size, self._values.values()))
