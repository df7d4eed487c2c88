"""What the diagram shows: a report folded to the level of detail that is open.

Levels, from the outside in: stem, stages and head; blocks, with equal neighbours as one run ("block × 5"); operations.
A folded block still shows what makes it residual: the branch F as a box, the shortcut beside it, the sum as a circle.
Works for any traced module: a stage is a top-level module that contains others, a block is such a module's child.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

from ..inspection import Merge, Op, Report
from .words import block_words, op_words, shape_text, shortcut_words

MAX_NODES = 700


class Role(str, Enum):
    """What a node or an edge stands for; the style sheet's class of the same name colours it."""

    INPUT = "input"
    OP = "op"
    STEM = "stem"
    BLOCK = "block"
    MERGE = "merge"
    MAIN = "main"
    IDENTITY = "identity"
    PROJECTION = "projection"
    ZERO_PAD = "zero_pad"
    OTHER = "other"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Node:
    """One thing in the diagram.

    Attributes:
        id: stable name, fit for a URL: a module path, ``stem``, ``head``, or path and operation as ``layer1.0:add``.
        lines: at most three: name, operation, output shape.
        ops: indices of the operations it stands for (of the first block, for a run).
        count: blocks it stands for.
        opens: group that a click opens; None for an operation.
        merge: the sum it stands for.
    """

    id: str
    role: Role
    lines: tuple[str, ...]
    ops: tuple[int, ...]
    group: tuple[str, ...] = ()
    count: int = 1
    opens: str | None = None
    merge: Merge | None = None


@dataclass(frozen=True)
class Edge:
    """Data flowing between two nodes. ``broken``: into a sum that does not fit."""

    source: str
    target: str
    role: Role
    label: str
    broken: bool = False


@dataclass(frozen=True)
class Group:
    """An opened stage or block, drawn as a frame around its nodes."""

    id: str
    parent: str | None
    title: str


@dataclass(frozen=True)
class Diagram:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]
    notice: str = ""

    def node(self, node_id: str) -> Node | None:
        return next((n for n in self.nodes if n.id == node_id), None)


@dataclass(frozen=True)
class Unit:
    """A foldable part of the network: the operations below one module path, or the loose ones of stem or head."""

    id: str
    ops: tuple[int, ...]
    blocks: tuple[Unit, ...] = ()


def units(report: Report) -> tuple[Unit, ...]:
    """Stem, stages with their blocks, head, in execution order."""
    ops = report.trace.ops[1:]
    parts = [(name, list(group)) for name, group in groupby(ops, key=lambda op: _stage_of(report, op))]
    found: list[Unit] = []
    for position, (stage, members) in enumerate(parts):
        indices = tuple(op.index for op in members)
        if stage is None:
            name = "stem" if position == 0 else "head" if position == len(parts) - 1 else f"between-{position}"
            found.append(Unit(name, indices))
        else:
            found.append(Unit(stage, indices, tuple(_blocks(report, stage, members))))
    return tuple(found)


def _stage_of(report: Report, op: Op) -> str | None:
    """Top-level module with children that ``op`` ran in; None for loose operations."""
    first = op.path.partition(".")[0]
    return first if first and first in report.trace.containers else None


def _blocks(report: Report, stage: str, members: Sequence[Op]) -> Iterator[Unit]:
    depth = stage.count(".") + 2
    for name, group in groupby(members, key=lambda op: ".".join(op.path.split(".")[:depth])):
        yield Unit(name, tuple(op.index for op in group))


def default_open(report: Report) -> frozenset[str]:
    """What a first look shows open: the stages, their repeats folded."""
    return frozenset(unit.id for unit in units(report) if unit.blocks)


def build_diagram(report: Report, opened: frozenset[str]) -> Diagram:
    """Fold ``report`` to what is ``opened`` (ids of stages, runs and blocks; unknown ids are ignored)."""
    return _Folder(report, opened).diagram()


class _Folder:
    """Assigns every operation to the node that stands for it, then draws the edges between nodes."""

    def __init__(self, report: Report, opened: frozenset[str]) -> None:
        self.report, self.opened = report, opened
        self.ops = report.trace.ops
        self.merges = {m.op: m for m in report.merges}
        self.on_shortcut = {i: m for m in report.merges for i in m.shortcut}
        self.owner: dict[int, str] = {}
        self.nodes: dict[str, Node] = {}
        self.groups: list[Group] = []
        self.hidden_repeats: set[int] = set()

    def diagram(self) -> Diagram:
        first = self.ops[0]
        self._add(Node("input", Role.INPUT, ("input", shape_text(first.shape)), (0,)))
        for unit in units(self.report):
            self._unit(unit)
        nodes = tuple(self.nodes.values())
        return Diagram(nodes, tuple(self._edges()), tuple(self.groups))

    def _add(self, node: Node) -> None:
        self.nodes[node.id] = node
        for index in node.ops:
            self.owner[index] = node.id

    def _unit(self, unit: Unit) -> None:
        if unit.id not in self.opened:
            self._folded(unit)
            return
        self.groups.append(Group(unit.id, None, self._title(unit)))
        if not unit.blocks:
            self._operations(unit, (unit.id,))
        for run in self._runs(unit.blocks):
            run_id = _run_id(run)
            if len(run) > 1 and run_id not in self.opened:
                self._block(run[0], (unit.id,), run)
                continue
            for block in run:
                if block.id in self.opened:
                    self.groups.append(Group(block.id, unit.id, block.id))
                    self._operations(block, (unit.id, block.id))
                else:
                    self._block(block, (unit.id,), [block])

    def _title(self, unit: Unit) -> str:
        blocks = len(unit.blocks)
        count = f" · {blocks} block{'s' if blocks > 1 else ''}" if blocks else ""
        return f"{unit.id}{count}"

    def _folded(self, unit: Unit) -> None:
        shape = shape_text(self.ops[unit.ops[-1]].shape)
        words = f"{len(unit.blocks)} blocks" if unit.blocks else self._summary(unit.ops)
        self._add(Node(unit.id, Role.STEM, (unit.id, words, shape), unit.ops, opens=unit.id))

    def _summary(self, ops: Sequence[int]) -> str:
        return " · ".join(op_words(self.ops[i]) for i in ops if self.ops[i].name in _SHOWN_IN_SUMMARY)[:60]

    def _runs(self, blocks: Sequence[Unit]) -> Iterator[list[Unit]]:
        """Neighbouring blocks that do exactly the same."""
        for _, run in groupby(blocks, key=self._signature):
            yield list(run)

    def _signature(self, block: Unit) -> tuple[object, ...]:
        start = block.ops[0]
        cut = len(block.id)
        return tuple(
            (
                op.name,
                op.path[cut:],
                op.in_shapes,
                op.shape,
                tuple(i - start for i in op.inputs),
                repr(op.attrs),
            )
            for op in map(self.ops.__getitem__, block.ops)
        )

    def _block(self, block: Unit, group: tuple[str, ...], run: Sequence[Unit]) -> None:
        """A folded block, or a run of equal ones: box, shortcut and sum."""
        merges = [self.merges[i] for i in block.ops if i in self.merges]
        merge = merges[0] if len(merges) == 1 else None
        count, run_id = len(run), _run_id(run)
        opens = run_id if count > 1 else block.id
        outside = {*merge.shortcut, *range(merge.op, block.ops[-1] + 1)} if merge else set()
        inside = tuple(i for i in block.ops if i not in outside)
        last = self.ops[max(inside)]
        kind = self.report.trace.kinds.get(block.id, "block")
        name = run_id if count > 1 else block.id
        words = block_words([self.ops[i] for i in inside])
        lines = (name, f"{kind} × {count}" if count > 1 else f"{kind}: {words}", shape_text(last.shape))
        self._add(Node(name, Role.BLOCK, lines, inside, group, count, opens))
        if merge:
            self._shortcut_and_sum(block, merge, group, count)
        for repeat in run[1:]:
            # The repeats' operations stand behind the first block's nodes.
            shift = repeat.ops[0] - block.ops[0]
            self.hidden_repeats.update(repeat.ops)
            self.owner.update({i + shift: self.owner[i] for i in block.ops})

    def _shortcut_and_sum(self, block: Unit, merge: Merge, group: tuple[str, ...], count: int) -> None:
        if merge.shortcut:
            words = shortcut_words([self.ops[i] for i in merge.shortcut])
            lines = (words, shape_text(self.ops[merge.shortcut[-1]].shape))
            self._add(Node(f"{block.id}:shortcut", Role(merge.kind), lines, merge.shortcut, group, count))
        after = tuple(range(merge.op, block.ops[-1] + 1))
        self._add(Node(f"{block.id}:add", Role.MERGE, ("+",), after, group, count, merge=merge))

    def _operations(self, unit: Unit, group: tuple[str, ...]) -> None:
        seen: dict[str, int] = {}
        for index in unit.ops:
            op = self.ops[index]
            name = op_id(op, self.report)
            seen[name] = seen.get(name, 0) + 1
            node_id = name if seen[name] == 1 else f"{name}~{seen[name]}"
            merge = self.merges.get(index)
            on = self.on_shortcut.get(index)
            role = Role.MERGE if merge else Role(on.kind) if on else Role.OP
            short = name[len(unit.id) + 1 :] if name.startswith(unit.id) else name
            lines = ("+",) if merge else (short, op_words(op), shape_text(op.shape))
            self._add(Node(node_id, role, lines, (index,), group, merge=merge))

    def _edges(self) -> Iterator[Edge]:
        drawn: set[tuple[str, str, Role]] = set()
        for op in self.ops[1:]:
            merge = self.merges.get(op.index)
            for producer, shape in zip(op.inputs, op.in_shapes, strict=True):
                edge = self._edge(op, producer, shape, merge)
                key = (edge.source, edge.target, edge.role)
                within_run = op.index in self.hidden_repeats
                if edge.source != edge.target and key not in drawn and not within_run:
                    drawn.add(key)
                    yield edge

    def _edge(self, op: Op, producer: int, shape: tuple[int, ...], merge: Merge | None) -> Edge:
        role = Role.MAIN
        if merge and producer not in merge.branch:
            role = Role(merge.kind)
        elif op.index in self.on_shortcut:
            role = Role(self.on_shortcut[op.index].kind)
        broken = merge is not None and not merge.fits
        return Edge(self.owner[producer], self.owner[op.index], role, shape_text(shape), broken)


_SHOWN_IN_SUMMARY = frozenset({"conv", "max_pool", "avg_pool", "mean", "linear", "adaptive_avg_pool"})


def _run_id(run: Sequence[Unit]) -> str:
    """``layer3.1-5`` for a run, the block's own path for a single one."""
    first, last = run[0].id, run[-1].id
    return first if first == last else f"{first}-{last.rpartition('.')[2]}"


def op_id(op: Op, report: Report) -> str:
    """Module path for the one operation of a leaf module; path and name for a functional one."""
    leaf = op.path and op.path not in report.trace.containers
    return op.path if leaf else f"{op.path}:{op.name}"
