"""The selected box, and its place in the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...inspection import Op, Report
from ...inspection.outline import Unit, outline
from ...spec import BlockPlan
from ..diagram.model import Node, Role
from ..kit.markup import tag, text
from ..kit.words import printable


@dataclass(frozen=True)
class Selected:
    """A box of the diagram in its report."""

    report: Report
    node: Node

    @cached_property
    def indices(self) -> tuple[int, ...]:
        """Indices of its operations; of a folded block all, those of its shortcut and its addition too."""
        if self.node.role is not Role.BLOCK:
            return self.node.ops
        blocks = (block for unit in outline(self.report).units for block in unit.blocks)
        return next((block.ops for block in blocks if self.node.ops[0] in block.ops), self.node.ops)

    @cached_property
    def run(self) -> tuple[Unit, ...]:
        """The equal blocks that it stands for, or is a part of the first of; empty for a single block."""
        if self.node.count == 1:
            return ()
        blocks = [block for unit in outline(self.report).units for block in unit.blocks]
        first = next(i for i, block in enumerate(blocks) if self.node.ops[0] in block.ops)
        return tuple(blocks[first : first + self.node.count])

    @property
    def single(self) -> Op | None:
        """Its operation, if it has only one."""
        return self.report.trace.ops[self.node.ops[0]] if len(self.node.ops) == 1 else None

    @property
    def path(self) -> str:
        """Module path of the block it is or is a part of, if its network has blocks."""
        return ".".join(self.report.trace.ops[self.node.ops[0]].path.split(".")[:2])

    @cached_property
    def plan(self) -> BlockPlan | None:
        """The block it is, or is a part of; None for stem, stage and head and in a foreign network."""
        if self.report.spec is None or self.node.role is Role.STEM:
            return None
        return next((plan for plan in self.report.spec.blocks if plan.path == self.path), None)

    @cached_property
    def unit(self) -> Unit | None:
        """The stem, stage or head that contains it."""
        return next((unit for unit in outline(self.report).units if self.node.ops[0] in unit.ops), None)


def link(name: str, words: str = "") -> str:
    """A button that shows the box ``name`` in the diagram; it reads ``words``, or the name."""
    return tag("button", text(words or printable(name.lstrip(":"))), type="button", css="rx-to", data_select=name)
