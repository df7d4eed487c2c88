"""Two diagrams that open together: which boxes correspond, and which of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from ...inspection import Report
from ...inspection.outline import outline, run_id, runs
from ..diagram.model import Diagram, Node, Role, build_diagram, stages
from ..diagram.svg import render
from ..kit.theme import SHORTCUT_ROLES

_ON_SHORTCUT = frozenset({*map(Role, SHORTCUT_ROLES), Role.OTHER})
_ACTIVATIONS = frozenset({"relu", "leaky_relu", "gelu", "silu"})


class Mark(str, Enum):
    """How a box relates to the other network; it is drawn by the style sheet's class of the same name."""

    DIFFERS = "differs"
    ONLY_HERE = "only-here"

    @property
    def words(self) -> str:
        return {"differs": "Differs.", "only-here": "Only in this network."}[self.value]


@dataclass(frozen=True)
class Side:
    """One of the two diagrams.

    Attributes:
        opened: ids of what is open in it.
        beside: id of each box and frame -> id of its counterpart, if it has one. Several may share one: a run is the
            counterpart of every block that it covers.
        marks: by id; equal boxes have none.
    """

    report: Report
    opened: frozenset[str]
    diagram: Diagram
    beside: Mapping[str, str]
    marks: Mapping[str, Mark]


@lru_cache(maxsize=16)
def align(left: Report, right: Report, opened: frozenset[str] | None = None) -> tuple[Side, Side]:
    """Both diagrams, opened alike: by name, and a run if the other side shows its blocks one by one.

    Args:
        opened: ids of either side; None for the first look, which has the stages open and every repeat folded: an open
            pair on one side would open the other side's run, however long it is.
    """
    reports = (left, right)
    wanted = stages(left) | stages(right) if opened is None else opened
    blocks = wanted.union(*(_blocks_of_runs(report, wanted) for report in reports))
    opens = [wanted | _runs_of_blocks(report, blocks) for report in reports]
    diagrams = [build_diagram(report, names) for report, names in zip(reports, opens, strict=True)]
    return (
        _side(left, opens[0], diagrams[0], right, diagrams[1]),
        _side(right, opens[1], diagrams[1], left, diagrams[0]),
    )


def draw(side: Side) -> str:
    """The diagram as one ``<svg>`` element, its marks as classes, and spoken.

    Raises:
        DiagramError: as ``render``.
    """
    return render(side.report, side.opened, {name: (mark.value, mark.words) for name, mark in side.marks.items()})


def _blocks_of_runs(report: Report, names: frozenset[str]) -> frozenset[str]:
    """Ids of the blocks of those runs that are named."""
    return frozenset(block for run, blocks in _runs(report).items() if run in names for block in blocks)


def _runs_of_blocks(report: Report, blocks: frozenset[str]) -> frozenset[str]:
    return frozenset(run for run, members in _runs(report).items() if not blocks.isdisjoint(members))


@lru_cache(maxsize=16)
def _runs(report: Report) -> Mapping[str, tuple[str, ...]]:
    """Blocks of each run of several, by the run's id."""
    found = (run for unit in outline(report).units for run in runs(report, unit.blocks))
    return {run_id(run): tuple(block.id for block in run) for run in found if len(run) > 1}


def _side(here: Report, opened: frozenset[str], diagram: Diagram, there: Report, other: Diagram) -> Side:
    beside = dict(_counterparts(here, diagram, there, other))
    marks = {
        node.id: mark
        for node in diagram.nodes
        if (mark := _mark(here, node, there, other.node(beside.get(node.id, ""))))
    }
    lines = {f"group:{group.id}": group.lines for group in other.groups}
    for group in diagram.groups:
        name = f"group:{group.id}"
        if name in lines:
            beside[name] = name
        if lines.get(name) != group.lines:
            marks[name] = Mark.DIFFERS if name in lines else Mark.ONLY_HERE
    return Side(here, opened, diagram, beside, marks)


def _counterparts(here: Report, diagram: Diagram, there: Report, other: Diagram) -> Iterator[tuple[str, str]]:
    """By name, otherwise the box that contains the operation of the same name."""
    names = outline(here).op_ids
    owners = dict(zip(outline(there).op_ids, other.owners, strict=True))
    nodes = {node.id: node for node in other.nodes}
    for node in diagram.nodes:
        found = nodes.get(node.id) or nodes.get(owners.get(names[node.ops[0]], ""))
        if found and _kind(found) == _kind(node):
            yield node.id, found.id


def _kind(node: Node) -> Role:
    """Boxes of one kind may correspond: everything that adapts x is one kind."""
    return Role.OTHER if node.role in _ON_SHORTCUT else node.role


def _mark(here: Report, node: Node, there: Report, other: Node | None) -> Mark | None:
    if other is None:
        return Mark.ONLY_HERE
    return None if _content(here, node) == _content(there, other) else Mark.DIFFERS


def _content(report: Report, node: Node) -> tuple[object, ...]:
    """What a box consists of, without its name."""
    last = report.trace.ops[node.ops[-1]]
    # A plain block ends with the activation that follows the addition in a residual one, where it is a box of its own.
    kept = node.ops[:-1] if node.role is Role.BLOCK and last.name in _ACTIVATIONS else node.ops
    ops = tuple((op.name, op.in_shapes, op.shape, op.attrs) for op in map(report.trace.ops.__getitem__, kept))
    return node.role, node.count, node.merge and (node.merge.kind, node.merge.verdict), ops
