"""The control that gives a block a shortcut of its own. ``ui/inspector/inspector.js`` listens to it."""

from __future__ import annotations

from ...spec import BlockPlan, ResNetSpec
from ...spec.options import modes_of_block
from ..diagram.model import Node, Role
from ..kit import numbers
from ..kit.markup import tag, text
from ..kit.theme import ADAPTING_ROLES

AS_NETWORK = "as-network"


def concerns(node: Node) -> bool:
    """Whether the control belongs to ``node``: a sum, a folded block or what adapts x."""
    return node.merge is not None or node.role is Role.BLOCK or node.role.value in ADAPTING_ROLES


def control(spec: ResNetSpec, plan: BlockPlan, count: int = 1) -> str:
    """A labelled choice for ``plan``'s block, or for it and the equal ones after it, ``count`` in total."""
    paths = [f"layer{plan.stage}.{plan.index + i}" for i in range(count)]
    chosen = dict(spec.shortcut_overrides).get(plan.path)
    # Where x fits already, A and B are the identity.
    offered = modes_of_block(plan.changes_shape)
    if chosen and chosen not in offered:
        offered = (*offered, chosen)
    options = [_option(AS_NETWORK, f"As the network: {spec.shortcut.label}", chosen is None)]
    options += [_option(mode.value, mode.words.in_block, mode is chosen) for mode in offered]
    label = "Shortcut of this block" if count == 1 else f"Shortcut of these {numbers.exact(count)} blocks"
    select = tag("select", "".join(options), data_blocks=" ".join(paths), aria_label=label)
    return tag("label", text(label) + select, css="rx-override")


def _option(value: str, words: str, chosen: bool) -> str:
    return tag("option", text(words), value=value, selected="selected" if chosen else "")
