"""What the diagram shows: a report folded to the level of detail that is open.

Levels, from the outside in: stem, stages and head; blocks, with equal neighbours as one run; operations.
A folded block still shows what makes it residual: the branch F as a box, the shortcut beside it, the addition as a
circle. A run shows one of its blocks in a frame that says "× 5", so that each block is seen to have its own shortcut.
Works for any traced module: a stage is a top-level module that contains others, a block is such a module's child.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ...inspection import Merge, Op, Report
from ...inspection.outline import Unit, outline, run_id, runs
from ..kit.words import block_words, op_words, output_text, printable, read_text, shortcut_words

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
    """A box, a circle or a text of the diagram.

    Attributes:
        id: stable name that a URL can hold: a module path, ``stem``, ``head``, or path and operation
            as in ``layer1.0:add``.
        lines: at most three: name, operation, output shape.
        ops: indices of the operations it stands for (of the first block, for a run).
        count: blocks it stands for.
        opens: group that a click opens; None for an operation.
        merge: the residual addition it stands for.
        hides_broken: whether a shape mismatch is folded away inside it.
        repeat: id of the ``Repeat`` whose frame is around it.
    """

    id: str
    role: Role
    lines: tuple[str, ...]
    ops: tuple[int, ...]
    group: tuple[str, ...] = ()
    count: int = 1
    opens: str | None = None
    merge: Merge | None = None
    hides_broken: bool = False
    repeat: str | None = None


@dataclass(frozen=True)
class Edge:
    """Data flowing between two nodes. ``broken``: into an addition whose shapes do not match."""

    source: str
    target: str
    role: Role
    label: str
    broken: bool = False


@dataclass(frozen=True)
class Group:
    """An opened stage or block, drawn as a frame around its nodes, with ``lines`` at the top of it."""

    id: str
    parent: str | None
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Repeat:
    """A folded run, drawn as a frame around one block with its shortcut and its addition, which are there ``count``
    times.

    Attributes:
        id: of the run, which is also the id of the block's box.
        parent: the opened stage around it.
    """

    id: str
    parent: str | None
    count: int


@dataclass(frozen=True)
class Diagram:
    """What is drawn. ``owners``: id of the node that stands for each operation of the trace, by its index."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]
    owners: tuple[str, ...]
    repeats: tuple[Repeat, ...] = ()

    def node(self, node_id: str) -> Node | None:
        return next((n for n in self.nodes if n.id == node_id), None)


def stages(report: Report) -> frozenset[str]:
    """Ids of the units that have blocks."""
    return frozenset(unit.id for unit in outline(report).units if unit.blocks)


def default_open(report: Report) -> frozenset[str]:
    """What a first look shows open: the stages, and pairs of equal blocks. Only longer repeats are folded."""
    found = (run for unit in outline(report).units for run in runs(report, unit.blocks))
    return stages(report) | {run_id(run) for run in found if len(run) == 2}


def everything(report: Report) -> frozenset[str]:
    """All that can be opened: units, runs and blocks."""
    units = outline(report).units
    blocks = [block.id for unit in units for block in unit.blocks]
    repeats = [run_id(run) for unit in units for run in runs(report, unit.blocks)]
    return frozenset([*(unit.id for unit in units), *blocks, *repeats])


def build_diagram(report: Report, opened: frozenset[str]) -> Diagram:
    """Fold ``report`` to what is ``opened`` (ids of units, runs and blocks; unknown ids are ignored)."""
    return _Folder(report, opened).diagram()


@dataclass(frozen=True)
class _Seat:
    """Where the nodes of a folded block are, and for how many blocks they stand."""

    group: tuple[str, ...]
    count: int
    repeat: str | None

    def node(self, node_id: str, role: Role, lines: tuple[str, ...], ops: tuple[int, ...], **more: Any) -> Node:
        return Node(node_id, role, lines, ops, self.group, self.count, repeat=self.repeat, **more)


class _Folder:
    """Assigns every operation to the node that stands for it, then draws the edges between nodes."""

    def __init__(self, report: Report, opened: frozenset[str]) -> None:
        self.report, self.opened = report, opened
        self.outline = outline(report)
        self.ops = report.trace.ops
        self.merges = {m.op: m for m in report.merges}
        self.on_shortcut = {i: m for m in report.merges for i in m.shortcut}
        self.owner: dict[int, str] = {}
        self.nodes: dict[str, Node] = {}
        self.groups: list[Group] = []
        self.repeats: list[Repeat] = []
        self.hidden_repeats: set[int] = set()

    def diagram(self) -> Diagram:
        first = self.ops[0]
        self._add(Node("input", Role.INPUT, ("input", output_text(first)), (0,)))
        for unit in self.outline.units:
            self._unit(unit)
        owners = tuple(self.owner[op.index] for op in self.ops)
        nodes, edges = tuple(self.nodes.values()), tuple(self._edges())
        return Diagram(nodes, edges, tuple(self.groups), owners, tuple(self.repeats))

    def _add(self, node: Node) -> None:
        broken = node.merge is None and any(i in self.merges and not self.merges[i].fits for i in node.ops)
        self.nodes[node.id] = replace(node, lines=tuple(map(printable, node.lines)), hides_broken=broken)
        for index in node.ops:
            self.owner[index] = node.id

    def _frame(self, unit: Unit, parent: str | None, *lines: str) -> None:
        self.groups.append(Group(unit.id, parent, tuple(map(printable, lines))))

    def _unit(self, unit: Unit) -> None:
        if unit.id not in self.opened:
            self._folded(unit)
            return
        blocks = len(unit.blocks)
        self._frame(unit, None, unit.id, *([f"{blocks} block{'s' if blocks > 1 else ''}"] if blocks else []))
        if not unit.blocks:
            self._operations(unit, (unit.id,))
        for run in runs(self.report, unit.blocks):
            if len(run) > 1 and run_id(run) not in self.opened:
                self._block(run[0], (unit.id,), run)
                continue
            for block in run:
                if block.id in self.opened:
                    self._frame(block, unit.id, block.id)
                    self._operations(block, (unit.id, block.id))
                else:
                    self._block(block, (unit.id,), (block,))

    def _folded(self, unit: Unit) -> None:
        shape = output_text(self.ops[unit.ops[-1]])
        broken = sum(i in self.merges and not self.merges[i].fits for i in unit.ops)
        words = f"{len(unit.blocks)} blocks" if unit.blocks else self._summary(unit.ops)
        words += f" · ✕ {broken} mismatch{'es' if broken > 1 else ''}" if broken else ""
        self._add(Node(unit.id, Role.STEM, (unit.id, words, shape), unit.ops, opens=unit.id))

    def _summary(self, ops: Sequence[int]) -> str:
        return " · ".join(op_words(self.ops[i]) for i in ops if self.ops[i].name in _SHOWN_IN_SUMMARY)[:60]

    def _block(self, block: Unit, group: tuple[str, ...], run: Sequence[Unit]) -> None:
        """A folded block, or a run of equal ones: box, shortcut and addition."""
        merge = self._own_merge(block)
        count, name = len(run), run_id(run)
        repeat = name if merge and count > 1 else None
        if repeat:
            self.repeats.append(Repeat(name, group[-1] if group else None, count))
        seat = _Seat(group, count, repeat)
        shared = self._shared(block, merge) if merge else ()
        outside = {*shared, *merge.shortcut, *range(merge.op, block.ops[-1] + 1)} if merge else set()
        inside = tuple(i for i in block.ops if i not in outside)
        if shared:
            words = " · ".join(op_words(self.ops[i]) for i in shared)
            lines = (f"{block.id} · shared", words, output_text(self.ops[shared[-1]]))
            self._add(seat.node(f"{block.id}:shared", Role.OP, lines, shared))
        kind = self.report.trace.kinds.get(block.path, "block")
        words = block_words([self.ops[i] for i in inside])
        does = f"{kind} × {count}" if count > 1 and not repeat else f"{kind}: {words}"
        lines = (name, does, output_text(self.ops[max(inside)]))
        self._add(seat.node(name, Role.BLOCK, lines, inside, opens=name))
        if merge:
            self._shortcut_and_addition(block, merge, seat)
        for equal in run[1:]:
            # The repeats' operations are behind the first block's nodes.
            shift = equal.ops[0] - block.ops[0]
            self.hidden_repeats.update(equal.ops)
            self.owner.update({i + shift: self.owner[i] for i in block.ops})

    def _shared(self, block: Unit, merge: Merge) -> tuple[int, ...]:
        """What runs before the paths part, in a block that adapts its pre-activated input (He et al. 2016)."""
        return tuple(i for i in block.ops if merge.fork is not None and i <= merge.fork)

    def _own_merge(self, block: Unit) -> Merge | None:
        """The block's only addition, if both its paths are in the block; any other stays inside the box."""
        found = [self.merges[i] for i in block.ops if i in self.merges]
        if len(found) != 1 or not found[0].branch:
            return None
        return found[0] if {*found[0].branch, *found[0].shortcut} <= set(block.ops) else None

    def _shortcut_and_addition(self, block: Unit, merge: Merge, seat: _Seat) -> None:
        if merge.shortcut:
            words = shortcut_words([self.ops[i] for i in merge.shortcut])
            lines = (words, output_text(self.ops[merge.shortcut[-1]]))
            self._add(seat.node(f"{block.id}:shortcut", Role(merge.kind), lines, merge.shortcut))
        after = tuple(range(merge.op, block.ops[-1] + 1))
        self._add(seat.node(self.outline.op_ids[merge.op], Role.MERGE, ("+",), after, merge=merge))

    def _operations(self, unit: Unit, group: tuple[str, ...]) -> None:
        for index in unit.ops:
            op, node_id = self.ops[index], self.outline.op_ids[index]
            merge, on = self.merges.get(index), self.on_shortcut.get(index)
            role = Role.MERGE if merge else Role(on.kind) if on else Role.OP
            inner = unit.path and node_id.startswith(unit.path)
            short = node_id[len(unit.path) + 1 :] or op.name if inner else node_id
            lines = ("+",) if merge else (short.partition("~")[0], op_words(op), output_text(op))
            self._add(Node(node_id, role, lines, (index,), group, merge=merge))

    def _edges(self) -> Iterator[Edge]:
        """One line of each role between two boxes; where both paths run inside them, the main one stands for both."""
        edges = list(self._lines())
        main = {(edge.source, edge.target) for edge in edges if edge.role is Role.MAIN}
        for edge in edges:
            folded = (edge.source, edge.target) in main and self.nodes[edge.target].role is not Role.MERGE
            if edge.role is Role.MAIN or not folded:
                yield edge

    def _lines(self) -> Iterator[Edge]:
        drawn: set[tuple[str, str, Role]] = set()
        for op in self.ops[1:]:
            if op.index in self.hidden_repeats:
                continue
            merge = self.merges.get(op.index)
            for producer, shape in zip(op.inputs, op.in_shapes, strict=True):
                edge = self._edge(op, producer, shape, merge)
                key = (edge.source, edge.target, edge.role)
                if edge.source != edge.target and key not in drawn:
                    drawn.add(key)
                    yield edge

    def _edge(self, op: Op, producer: int, shape: tuple[int, ...], merge: Merge | None) -> Edge:
        role = Role.MAIN
        if merge and producer not in merge.branch:
            role = Role(merge.kind)
        elif op.index in self.on_shortcut:
            role = Role(self.on_shortcut[op.index].kind)
        broken = merge is not None and not merge.fits
        return Edge(self.owner[producer], self.owner[op.index], role, read_text(self.ops[producer], shape), broken)


_SHOWN_IN_SUMMARY = frozenset({"conv", "max_pool", "avg_pool", "mean", "linear", "adaptive_avg_pool"})
