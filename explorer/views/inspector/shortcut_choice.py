"""The control that gives a block a shortcut of its own. ``ui/inspector/inspector.js`` listens to it."""

from __future__ import annotations

from ...spec import BlockPlan, ResNetSpec, Shortcut
from ..diagram.model import Node, Role
from ..kit import numbers
from ..kit.markup import tag, text
from ..kit.words import SHORTCUT_CHOICES

AS_NETWORK = "as-network"


def modes(plan: BlockPlan) -> tuple[Shortcut, ...]:
    """The modes that build different things in this block: where x fits already, A and B are the identity."""
    if plan.changes_shape:
        return Shortcut.ZERO_PAD, Shortcut.PROJECTION, Shortcut.IDENTITY, Shortcut.NONE
    return Shortcut.IDENTITY, Shortcut.PROJECTION_ALL, Shortcut.NONE


def concerns(node: Node) -> bool:
    """Whether the control belongs to ``node``: a sum, a folded block or what adapts x."""
    return node.merge is not None or node.role in (Role.BLOCK, Role.PROJECTION, Role.ZERO_PAD)


def control(spec: ResNetSpec, plan: BlockPlan, count: int = 1) -> str:
    """A labelled choice for ``plan``'s block, or for it and the equal ones after it, ``count`` in all."""
    paths = [f"layer{plan.stage}.{plan.index + i}" for i in range(count)]
    chosen = dict(spec.shortcut_overrides).get(plan.path)
    offered = modes(plan)
    if chosen and chosen not in offered:
        offered = (*offered, chosen)
    options = [_option(AS_NETWORK, f"As the network: {spec.shortcut.label}", chosen is None)]
    options += [_option(mode.value, SHORTCUT_CHOICES[mode], mode is chosen) for mode in offered]
    label = "Shortcut of this block" if count == 1 else f"Shortcut of these {numbers.exact(count)} blocks"
    select = tag("select", "".join(options), data_blocks=" ".join(paths), aria_label=label)
    return tag("label", text(label) + select, css="rx-override")


def _option(value: str, words: str, chosen: bool) -> str:
    return tag("option", text(words), value=value, selected="selected" if chosen else "")
