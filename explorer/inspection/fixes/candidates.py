"""Changes of layers that might mend a finding; which of them do, only another trace can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import gcd

from ..joins.additions import Merge
from ..joins.layout import layout
from ..tracing.forks import is_sum
from ..tracing.operand_paths import OperandPath, same_padding, strides_that_agree
from ..tracing.operations import WEIGHTED, Op
from .edits import Edit

Edits = tuple[Edit, ...]
_NORMS = frozenset({"batch_norm", "group_norm", "layer_norm"})
MOST = 24  # each costs a pass


def for_merge(ops: Sequence[Op], merge: Merge) -> list[Edits]:
    """For a sum: one side's channels, one side's size, or both."""
    if len(merge.branch_shape) != len(merge.shortcut_shape):
        return []
    channels, size = layout(ops, merge)
    sides = OperandPath(ops, merge.shortcut, merge.fork), OperandPath(ops, merge.branch, merge.fork)
    wanted = channels(merge.branch_shape), channels(merge.shortcut_shape)
    widths: list[Edits] = [()]
    if wanted[0] != wanted[1]:
        widths = [e for side, width in zip(sides, wanted, strict=True) if (e := _outputs(side.members, width))]
    sizes: list[Edits] = [()]
    if size(merge.branch_shape) != size(merge.shortcut_shape):
        sizes = [*_sizes(ops, sides, size(merge.branch_shape), size(merge.shortcut_shape))]
        if wanted[0] != wanted[1]:
            widths, sizes = widths or [()], [*sizes, ()]
    return [(*w, *s) for w, s in product(widths, sizes) if w or s][:MOST]


def for_layer(ops: Sequence[Op], op: Op) -> list[Edits]:
    """For a layer that is built for other channels than it gets: it is made to fit, or what it reads is."""
    came = op.in_shapes[0][-1 if op.name in ("linear", "layer_norm") else 1]
    wants = op.attrs["wants"]
    found: list[Edits] = []
    if op.attrs.get("groups", 1) > 1:
        outputs = op.attrs["weight"][0] if op.name == "conv" else came
        common = gcd(came, outputs)
        fitting = max(g for g in range(1, op.attrs["groups"] + 1) if common % g == 0)
        found += [(Edit(op.path, "groups", g),) for g in dict.fromkeys((fitting, 1))]
    before = list(_before(ops, op))
    found.append(_outputs(before[::-1], wants))
    found.append(tuple(Edit(o.path, "inputs", came) for o in _until_weighted(ops, op)))
    return [edits for edits in found if edits]


def _outputs(side: Sequence[Op], width: int) -> Edits:
    """The last weighted layer of a path gets other outputs, and the norms behind it follow."""
    norms: list[Edit] = []
    for op in reversed(side):
        if op.name in WEIGHTED:
            return (Edit(op.path, "outputs", width), *norms)
        if op.name in _NORMS:
            norms.append(Edit(op.path, "inputs", width))
    return ()


def _sizes(
    ops: Sequence[Op], sides: tuple[OperandPath, OperandPath], branch: tuple[int, ...], shortcut: tuple[int, ...]
) -> Iterator[Edits]:
    changes = [*strides_that_agree(sides)] if sides[0].stride != sides[1].stride else []
    paddings = [padding for side in sides if (padding := same_padding(side))]
    changes += [*paddings, *(stride | padding for stride in changes for padding in paddings)]
    for change in changes:
        edits = [Edit(ops[i].path, name, value) for i, new in change.items() for name, value in new.items()]
        if all("kernel" in ops[i].attrs for i in change):  # an identity has no stride to change
            yield tuple(edits)
    yield from _roundings(sides)
    for side, goal in zip(sides, (branch, shortcut), strict=True):
        pools = (op for op in side.members if op.name in ("adaptive_avg_pool", "mean"))
        yield from ((Edit(op.path, "output_size", goal),) for op in pools)


def preparing(ops: Sequence[Op], merge: Merge) -> list[Edits]:
    """Changes of one side's paddings or rounding, after which a stride may lead from the shortcut's size to the
    branch's."""
    sides = OperandPath(ops, merge.shortcut, merge.fork), OperandPath(ops, merge.branch, merge.fork)
    paddings = [same_padding(side) for side in sides]
    edits = [tuple(Edit(ops[i].path, "padding", new["padding"]) for i, new in p.items()) for p in paddings if p]
    return [*edits, *_roundings(sides)]


def _roundings(sides: tuple[OperandPath, OperandPath]) -> Iterator[Edits]:
    pools = (op for side in sides for op in side.members if op.name in ("max_pool", "avg_pool"))
    yield from ((Edit(op.path, "ceil_mode", True),) for op in pools)


def _before(ops: Sequence[Op], op: Op) -> Iterator[Op]:
    """What led to a layer's input, back to the layer with weights that made it."""
    while op.inputs and not is_sum(op := ops[op.inputs[0]]):
        yield op
        if op.name in WEIGHTED or op.shape[1:2] != (op.in_shapes or ((),))[0][1:2]:
            return


def _until_weighted(ops: Sequence[Op], op: Op) -> Iterator[Op]:
    """A layer and the norms that follow, as far as the next layer with weights: all of one width."""
    while True:
        if op.name in _NORMS | WEIGHTED:
            yield op
        following = [o for o in ops[op.index + 1 :] if op.index in o.inputs]
        if op.name in WEIGHTED or not following or is_sum(following[0]):
            return
        op = following[0]
