"""A cache within a bound: what was used last stays, the rest goes."""

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
    """The values used last. A value that leaves the cache stays usable for those who have it. Threads may share it.

    Args:
        limit: size of all values together; the value put last stays even if it is larger.
        size: of a value, for example its bytes; by default 1, so that ``limit`` is a number of values.
    """

    def __init__(self, limit: int, size: Callable[[Value], int] = _one) -> None:
        self.limit = limit
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Of all values in the cache."""
        with self._lock:
            return self._total()

    def get(self, key: Key) -> Value | None:
        """The value of a key, which now counts as used last; None if it is not in the cache."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Add a value, or replace the one of that key; the values used longest ago make room."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self._total() > self.limit:
                self._values.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Remove a value; an unknown key is no error."""
        with self._lock:
            self._values.pop(key, None)

    def _total(self) -> int:
        return sum(map(self._size, self._values.values()))
