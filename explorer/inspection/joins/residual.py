"""Which additions of two paths are residual, y = F(x) + x, and which broadcasts are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from ..tracing.flow import carried, carriers
from ..tracing.forks import Fork, Operands
from ..tracing.operations import WEIGHTED, Op
from ..tracing.repeats import Shape

_RECURRENT = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")
_PIECES = frozenset({"split", "unbind", "split_with_sizes", "chunk"})
# A side of 1 that these make is lost; anything else makes one on purpose.
_POOLS = frozenset({"mean", "adaptive_avg_pool", "max_pool", "avg_pool"})
_LOSE = frozenset({"conv", "linear", "bmm", "baddbmm", "max_pool", "avg_pool", "input"})


def is_residual(ops: Sequence[Op], op: Op, met: Operands, fork: Fork, kinds: Mapping[str, str]) -> bool:
    """Whether one operand is what the other was made from, or both are made from one x in ways of their own.

    None are: sums of two inputs, the gates of recurrent layers, scores and their bias, two poolings through one
    perceptron, and losses.
    """
    if fork.at is None or min(map(len, met.shapes)) < 2 or kinds.get(op.path, "") in _RECURRENT:
        return False
    branch, shortcut = (carriers(ops, side) for side in (fork.sides[fork.main], fork.sides[1 - fork.main]))
    weights = [{o.path for o in side if o.name in WEIGHTED} for side in (branch, shortcut)]
    if weights[0] and weights[0] == weights[1]:
        return False
    if all(side and _is_gated(side[-1]) for side in (branch, shortcut)):
        return False
    if all(weights) and _reads_pieces(ops, fork):
        return False
    return not _is_bias(ops, op)


def _is_gated(op: Op) -> bool:
    """A product with another tensor that is not a single number."""
    return op.name == "mul" and all(prod(shape) > 1 for shape in op.attrs.get("factors", ((),)))


def _reads_pieces(ops: Sequence[Op], fork: Fork) -> bool:
    """Whether both paths start from pieces of one tensor, such as its time steps."""
    at = fork.at
    if at is None:
        return False
    first = [{ops[i].name for i in side if at in ops[i].inputs} for side in fork.sides]
    return ops[at].name in _PIECES or all(names & (_PIECES | {"select"}) for names in first)


def _is_bias(ops: Sequence[Op], op: Op) -> bool:
    """Whether attention's scores are added to: a softmax reads the sum."""
    following = next((o for o in ops[op.index + 1 :] if op.index in o.inputs), None)
    return following is not None and following.name == "softmax"


def is_meant(ops: Sequence[Op], met: Operands, fork: Fork) -> bool:
    """Whether operands of different shape are added on purpose: the side of 1 was made by pooling to one pixel,
    ``unsqueeze``, ``keepdim`` or the like. Where both paths have weights, only two maps of another size than x are
    taken for a branch and its shortcut."""
    if fork.at is None:
        return True
    start = ops[fork.at].shape
    if all(any(ops[i].name in WEIGHTED for i in side) for side in fork.sides):
        return not all(_resized(start, shape) for shape in met.shapes)
    made = [_maker(ops, met, fork, side) for side in (0, 1)]
    weighted = [any(ops[i].name in WEIGHTED for i in side) for side in fork.sides]
    # Beside a branch with weights, x pooled is a shortcut that lost its map; x pooled and transformed is a context.
    is_map = len(met.shapes[0]) > 3
    if is_map and any(
        op and op.name in _POOLS and weighted[1 - side] and not weighted[side] for side, op in enumerate(made)
    ):
        return False
    return not any(op is not None and _loses(op) for op in made)


def is_doubtful(ops: Sequence[Op], met: Operands, fork: Fork) -> bool:
    """Whether a layer with weights made the side of 1 of an operand that is repeated."""
    made = [_maker(ops, met, fork, side) for side in (0, 1)]
    return any(op is not None and op.name in WEIGHTED for op in made)


def _resized(start: Shape, shape: Shape) -> bool:
    return len(start) > 2 and len(shape) == len(start) and shape[2:] != start[2:]


def _maker(ops: Sequence[Op], met: Operands, fork: Fork, side: int) -> Op | None:
    """What made the side of 1 by which an operand differs from the other; None if it has none."""
    shape, other = met.shapes[side], met.shapes[1 - side]
    if len(shape) != len(other):
        return None
    axes = [i for i, (a, b) in enumerate(zip(shape, other, strict=True)) if a == 1 != b]
    if not axes:
        return None
    op, axis = ops[met.inputs[side]], axes[0]
    while op.inputs:
        place = carried(op)[0]
        before = op.in_shapes[place]
        if len(before) != len(op.shape) or before[axis] != 1:
            return op
        op = ops[op.inputs[place]]
    return op


def _loses(op: Op) -> bool:
    whole = "kernel" in op.attrs and op.name.endswith("pool") and op.attrs["kernel"] == op.in_shapes[0][2:]
    return op.name in _LOSE and not whole
