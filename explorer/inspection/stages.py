"""What each stage costs: stem, stages and head as rows that add up to the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
    counted: set[str] = set()
    for unit in outline(report).units:
        ops = [report.trace.ops[i] for i in unit.ops]
        owners = {op.path for op in ops} - counted
        counted |= owners
        yield Stage(
            name=unit.id,
            blocks=len(unit.blocks),
            output=ops[-1].shape[1:],
            params=sum(report.trace.params.get(path, 0) for path in owners),
            macs=sum(op.macs for op in ops),
            bytes=sum(op.bytes for op in ops),
        )
    rest = sum(count for path, count in report.trace.params.items() if path not in counted)
    if rest:
        yield Stage("elsewhere", 0, (), rest, 0, 0)
