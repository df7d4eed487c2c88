"""The foldable parts of a traced network and the name of each, fit for a URL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from .report import Report
from .tracing.operations import Op


@dataclass(frozen=True)
class Unit:
    """A foldable part: the operations below one module path, or the loose ones between such modules.

    Attributes:
        id: unique: module path, ``stem``, ``head``, ``between-1`` …; with ``~2`` for the second of one name.
        path: module path; empty for loose operations.
        ops: indices of its operations.
        blocks: its children; empty for a block and for loose operations.
    """

    id: str
    path: str
    ops: tuple[int, ...]
    blocks: tuple[Unit, ...] = ()


@dataclass(frozen=True)
class Outline:
    """A report's units in execution order, and a unique id for every operation, by index."""

    units: tuple[Unit, ...]
    op_ids: tuple[str, ...]


@lru_cache(maxsize=64)
def outline(report: Report) -> Outline:
    """Stem, stages with their blocks, and head.

    A stage is a top-level module whose children are modules of several layers or hold a sum; a block is a child of
    one. Where a network has no stage, its top-level containers stand in for them, without blocks.
    """
    ops, stages = report.trace.ops, _stages(report)
    parts = [(stage, list(members)) for stage, members in groupby(ops[1:], key=lambda op: _top(op, stages))]
    names = [stage or _loose(position, len(parts)) for position, (stage, _) in enumerate(parts)]
    units = [
        Unit(unit_id, stage, _indices(members), tuple(_blocks(stage, unit_id, members)) if stages.get(stage) else ())
        for unit_id, (stage, members) in zip(_unique(names), parts, strict=True)
    ]
    return Outline(tuple(units), tuple(_unique(["input", *(op_name(op, report) for op in ops[1:])])))


def runs(report: Report, blocks: Sequence[Unit]) -> Iterator[tuple[Unit, ...]]:
    """Neighbouring blocks that do exactly the same, in groups of one or more."""
    for _, run in groupby(blocks, key=lambda block: _signature(report, block)):
        yield tuple(run)


def run_id(run: Sequence[Unit]) -> str:
    """``layer3.1-5`` for a run, the block's own id for a single one."""
    first, last = run[0].id, run[-1].id
    return first if first == last else f"{first}-{last.rpartition('.')[2]}"


def op_name(op: Op, report: Report) -> str:
    """Module path for an operation of a leaf module; path and name for a functional one."""
    leaf = op.path and op.path not in report.trace.containers
    return op.path if leaf else f"{op.path}:{op.name}"


def _stages(report: Report) -> dict[str, bool]:
    """Top-level modules that are units, and whether they have blocks."""
    containers = report.trace.containers - {""}
    inner = {*containers, *(merge.path for merge in report.merges)}
    nested = {path.partition(".")[0] for path in inner if "." in path}
    if nested:
        return dict.fromkeys(nested, True)
    return {path: False for path in containers if "." not in path}


def _top(op: Op, stages: dict[str, bool]) -> str:
    """The stage that ``op`` ran in; empty for loose operations."""
    first = op.path.partition(".")[0]
    return first if first in stages else ""


def _loose(position: int, parts: int) -> str:
    return "stem" if position == 0 else "head" if position == parts - 1 else f"between-{position}"


def _blocks(stage: str, stage_id: str, members: Sequence[Op]) -> Iterator[Unit]:
    depth = stage.count(".") + 2
    grouped = groupby(members, key=lambda op: ".".join(op.path.split(".")[:depth]))
    parts = [(path, _indices(ops)) for path, ops in grouped]
    # The stage's own id stands in for its path, so that a stage called twice has two sets of blocks.
    ids = _unique([stage_id + path[len(stage) :] if path != stage else f"{stage_id}:own" for path, _ in parts])
    for block_id, (path, indices) in zip(ids, parts, strict=True):
        yield Unit(block_id, path, indices)


def _indices(ops: Iterable[Op]) -> tuple[int, ...]:
    return tuple([op.index for op in ops])


def _unique(names: Sequence[str]) -> list[str]:
    """The second of one name gets ``~2`` behind it, and so on; no result equals another name."""
    seen: dict[str, int] = {}
    taken = set(names)
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        fresh = name
        if seen[name] > 1:
            fresh = f"{name}~{seen[name]}"
            while fresh in taken:
                seen[name] += 1
                fresh = f"{name}~{seen[name]}"
            taken.add(fresh)
        result.append(fresh)
    return result


def _signature(report: Report, block: Unit) -> tuple[object, ...]:
    """What a block does, without its place."""
    start, cut = block.ops[0], len(block.path)
    return tuple(
        (op.name, op.path[cut:], op.in_shapes, op.shape, tuple([i - start for i in op.inputs]), op.attrs)
        for op in map(report.trace.ops.__getitem__, block.ops)
    )
