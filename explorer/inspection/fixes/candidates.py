"""Changes of layers that might fix a finding; which of them do, only another trace can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import gcd

from ..joins.additions import Merge
from ..joins.layout import layout
from ..joins.sizes import is_off_by_one
from ..tracing.flow import carried, source
from ..tracing.forks import is_sum
from ..tracing.operand_paths import OperandPath, same_padding, strides_that_agree, transposed_that_agree
from ..tracing.operations import WEIGHTED, Op, Refusal
from .edits import PARAMETER, Edit
from .remedies import Meeting, output_paddings

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
        widths = [
            (*e, *_beside(ops, side, old, width))
            for side, width, old in zip(sides, wanted, wanted[::-1], strict=True)
            if (e := _outputs(side.members, width))
        ]
    sizes: list[Edits] = [()]
    if size(merge.branch_shape) != size(merge.shortcut_shape):
        sizes = [*_sizes(ops, sides, size(merge.branch_shape), size(merge.shortcut_shape))]
        if wanted[0] != wanted[1]:
            widths, sizes = widths or [()], [*sizes, ()]
    return [(*w, *s) for w, s in product(widths, sizes) if w or s][:MOST]


def for_meeting(ops: Sequence[Op], met: Meeting) -> list[Edits]:
    """For two maps of different size that are concatenated, stacked or multiplied."""
    sizes = met.shapes[0][2:], met.shapes[1][2:]
    return [*output_paddings(met), *_sizes(ops, met.sides[::-1], *sizes)][:MOST]


def for_refusal(op: Op) -> list[Edits]:
    """For a parameter of another shape, and a layer for another rank or size."""
    refusal: Refusal = op.attrs["refusal"]
    facts = refusal.facts
    if refusal.rule == "constant-differs":
        at = facts["constant"]
        path, _, name = facts["name"].rpartition(".")
        shape = _fitting(facts["shapes"][at], facts["shapes"][1 - at])
        return [(Edit(path, PARAMETER + name, shape),)] if name and shape else []
    if refusal.rule == "wrong-norm-shape":
        return [(Edit(op.path, "normalized_shape", facts["came"][-len(facts["normalized"]) :]),)]
    rank = len(facts.get("came", ())) - 2
    if refusal.rule == "wrong-rank" and op.name == "batch_norm" and rank in (0, 1, 2, 3):
        return [(Edit(op.path, "kind", f"{facts['layer'][:-2]}{max(1, rank)}d"),)]
    return []


def _fitting(constant: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that a parameter would need: one axis of another size, or axes of 1 behind its channels."""
    if len(constant) == 1 and len(other) > 2 and constant[0] == other[1]:
        return (*constant, *(1,) * (len(other) - 2))
    tail = other[-len(constant) :] if constant else ()
    differing = [i for i, (a, b) in enumerate(zip(constant, tail, strict=False)) if a != b and a != 1]
    if len(constant) > len(other) or len(differing) != 1:
        return None
    return tuple(b if i in differing else a for i, (a, b) in enumerate(zip(constant, tail, strict=True)))


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
    if op.name == "linear" and op.shape[-1] == wants:  # it mixes what it gets, as over tokens
        found.append((Edit(op.path, "inputs", came), Edit(op.path, "outputs", came)))
    if op.name == "layer_norm":
        found.append((Edit(op.path, "normalized_shape", (came,)),))
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


def _beside(ops: Sequence[Op], side: OperandPath, old: int, width: int) -> Iterator[Edit]:
    """The gates beside a path follow its width."""
    carrying = {op.index for op in side.members}
    for op in (ops[i] for i in side.indices if i not in carrying):
        if op.name in WEIGHTED and op.attrs.get("groups", 1) == 1:
            if op.in_shapes[0][-1 if op.name == "linear" else 1] == old:
                yield Edit(op.path, "inputs", width)
            if op.shape[-1 if op.name == "linear" else 1] == old:
                yield Edit(op.path, "outputs", width)


def _sizes(
    ops: Sequence[Op], sides: tuple[OperandPath, OperandPath], branch: tuple[int, ...], shortcut: tuple[int, ...]
) -> Iterator[Edits]:
    changes = [*strides_that_agree(sides)] if sides[0].stride != sides[1].stride else []
    paddings = [padding for side in sides if (padding := same_padding(side))]
    for side in sides:
        even = [op for op in side.windows if is_off_by_one(op)]
        if even:
            yield tuple(Edit(op.path, "padding", "same") for op in even)
    changes += [{**change} for change in transposed_that_agree(sides)]
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
    while op.inputs and not is_sum(op := ops[source(op)]):
        yield op
        if op.name in WEIGHTED or not op.inputs or op.shape[1:2] != op.in_shapes[carried(op)[0]][1:2]:
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
