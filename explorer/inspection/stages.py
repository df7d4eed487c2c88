"""What each stage costs: stem, stages and head as rows that add up to the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .amounts import amounts
from .outline import outline
from .report import Report


@dataclass(frozen=True)
class Stage:
    """One part of the network, in execution order.

    Attributes:
        name: module path, or ``stem``, ``head``; ``elsewhere`` for parameters that no operation's module owns.
        blocks: blocks in it; 0 for loose operations.
        output: shape of its last operation, without the batch; empty for ``elsewhere``.
        params: parameters whose module is first used here; buffers are not counted.
        macs, bytes: multiply-adds and activations of the traced batch (see ``Report``).
    """

    name: str
    blocks: int
    output: tuple[int, ...]
    params: int
    macs: int
    bytes: int


def stages(report: Report) -> tuple[Stage, ...]:
    """The parts of ``report``; their parameters and multiply-adds add up to its totals."""
    return tuple(_stages(report))


def _stages(report: Report) -> Iterator[Stage]:
    rest = report.params
    for unit in outline(report).units:
        found = amounts(report, unit.ops)
        rest -= found.params
        output = report.trace.ops[unit.ops[-1]].shape[1:]
        yield Stage(unit.id, len(unit.blocks), output, found.params, found.macs, found.bytes)
    if rest:
        yield Stage("elsewhere", 0, (), rest, 0, 0)
