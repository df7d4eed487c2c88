"""What some operations of a network amount to together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from .report import Report


@dataclass(frozen=True)
class Amounts:
    """Sums over some operations, for the traced batch; parts that share no operation add up to the whole.

    Attributes:
        params: parameters; a module's count at the first operation that ran in it, buffers are not counted.
        macs: multiply-adds of convolutions and matrix products.
        bytes: outputs of the operations, as if all were kept.
    """

    params: int
    macs: int
    bytes: int


def amounts(report: Report, ops: Iterable[int]) -> Amounts:
    """Sums over the operations with these indices."""
    params, chosen = _params(report), list(ops)
    return Amounts(
        params=sum(params[i] for i in chosen),
        macs=sum(report.trace.ops[i].macs for i in chosen),
        bytes=sum(report.trace.ops[i].bytes for i in chosen),
    )


@lru_cache(maxsize=8)
def _params(report: Report) -> tuple[int, ...]:
    """Parameters of each operation, by index."""
    left = dict(report.trace.params)
    return tuple([left.pop(op.path, 0) for op in report.trace.ops])
