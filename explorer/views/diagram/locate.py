"""Where a module or an operation is seen in a diagram, and what has to be open for it."""

from __future__ import annotations

from collections.abc import Iterator

from ...inspection import Report
from ...inspection.outline import outline, run_id, runs
from .model import build_diagram


def locate(report: Report, opened: frozenset[str], name: str) -> tuple[frozenset[str], str]:
    """What to open to see ``name`` (a node's id or any module's path), and the id it is seen under.

    Opens as little as it takes. A run that is open is seen at its first block, a module without a box of its own at its
    first operation. An unknown name changes nothing.
    """
    lines = outline(report)
    if any(unit.id == name for unit in lines.units):
        return opened, name
    inside = (i for op, i in zip(report.trace.ops, lines.op_ids, strict=True) if f"{op.path}.".startswith(f"{name}."))
    for target in (name, _first_block(report, name), next(inside, name)):
        for hiding in _hiding_places(report, target):
            for most in range(len(hiding) + 1):
                wider = opened | set(hiding[:most])
                diagram = build_diagram(report, wider)
                if diagram.node(target) or any(group.id == target for group in diagram.groups):
                    return wider, target
    return opened, name


def _first_block(report: Report, name: str) -> str:
    """Id of the first block of the run ``name``; any other name as it is."""
    found = (run for unit in outline(report).units for run in runs(report, unit.blocks))
    return next((run[0].id for run in found if run_id(run) == name), name)


def _hiding_places(report: Report, node_id: str) -> Iterator[tuple[str, ...]]:
    """Unit, run and block around ``node_id``, from the outside in."""
    lines = outline(report)
    for unit in lines.units:
        if not unit.blocks and any(lines.op_ids[i] == node_id for i in unit.ops):
            yield (unit.id,)
        for run in runs(report, unit.blocks):
            if run_id(run) == node_id:
                yield (unit.id,)
            for block in run:
                parts = (block.id, f"{block.id}:shortcut", f"{block.id}:shared")
                if node_id in parts or any(lines.op_ids[i] == node_id for i in block.ops):
                    yield (unit.id, run_id(run), block.id)
