"""What stays in memory because it may be wanted again: within a number of bytes, not of things."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The values used last. Whoever holds one that is dropped can go on with it. Safe to share between threads.

    Args:
        limit: bytes of all values together; the one put last stays even if it has more.
        size: bytes of a value.
    """

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self.limit = limit
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        """Of what is kept now."""
        with self._lock:
            return self._bytes()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and self._bytes() > self.limit:
                self._values.popitem(last=False)

    def forget(self, key: Key) -> None:
        with self._lock:
            self._values.pop(key, None)

    def _bytes(self) -> int:
        return sum(map(self._size, self._values.values()))
