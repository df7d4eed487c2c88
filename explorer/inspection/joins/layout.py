"""Which axes of a shape hold channels, and which hold height and width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..tracing.operations import Op
from ..tracing.repeats import Shape
from .additions import Merge


def layout(ops: Sequence[Op], merge: Merge) -> tuple[Callable[[Shape], int], Callable[[Shape], Shape]]:
    """How to read channels, and height and width, from a shape without its batch. Behind a linear layer channels come
    last, as in a transformer's tokens; else first."""
    if channels_last(ops, merge):
        return lambda shape: shape[-1], lambda shape: shape[:-1]
    return lambda shape: shape[0], lambda shape: shape[1:]


def channels_last(ops: Sequence[Op], merge: Merge) -> bool:
    for index in reversed(merge.branch):
        if ops[index].name in ("permute", "transpose", "conv"):
            return False
        if ops[index].name == "linear":
            return True
    return False
