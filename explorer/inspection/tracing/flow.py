"""The data flow of one tensor: which operands carry it, and which of its axes is the channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from .operations import Op
from .repeats import Shape

_JOINS = frozenset({"cat", "stack"})
_CHANNELS_FIRST = frozenset(
    {
        "conv",
        "batch_norm",
        "group_norm",
        "max_pool",
        "avg_pool",
        "adaptive_avg_pool",
        "pixel_shuffle",
        "pixel_unshuffle",
    }
)
_ELEMENTWISE = frozenset({"add", "sub", "mul", "div", "maximum", "minimum", "where"})
_RESHAPES = frozenset({"view", "reshape", "unsafe_view", "squeeze"})


def carried(op: Op) -> tuple[int, ...]:
    """Positions among ``op.inputs`` of the operands that carry the map on; the gate of a product is none, nor is a bias
    that is repeated."""
    if len(op.inputs) < 2 or op.name in _JOINS or op.name not in _ELEMENTWISE:
        return tuple(range(len(op.inputs)))
    whole = tuple(i for i, shape in enumerate(op.in_shapes) if shape == op.shape)
    if whole:
        return whole
    sizes = [(len(shape), prod(shape)) for shape in op.in_shapes]
    return (sizes.index(max(sizes)),)


def source(op: Op) -> int:
    """The operation whose output continues in that of ``op``, which reads some."""
    return op.inputs[carried(op)[0]]


def carriers(ops: Sequence[Op], indices: Sequence[int]) -> list[Op]:
    """Those of a path's operations (in execution order, the operand last) that carry it."""
    inside, found = set(indices), set()
    frontier = list(indices[-1:])
    while frontier:
        index = frontier.pop()
        if index in inside and index not in found:
            found.add(index)
            op = ops[index]
            frontier += [op.inputs[i] for i in carried(op)]
    return [ops[i] for i in sorted(found)]


def channel_axis(ops: Sequence[Op], index: int, depth: int = 64) -> int | None:
    """Which axis of an operation's output is the channels, batch counted; None where no layer on the way tells."""
    op = ops[index]
    if op.name in _CHANNELS_FIRST or op.name.startswith("upsample"):
        return 1
    if op.name == "linear" or (op.name == "layer_norm" and len(op.attrs.get("normalized", ())) == 1):
        return len(op.shape) - 1
    if not op.inputs or depth == 0:
        return None
    sides = [(op.inputs[i], op.in_shapes[i]) for i in carried(op)]
    if op.name in ("bmm", "baddbmm"):
        sides = sides[::-1]
    for producer, shape in sorted(sides, reverse=op.name not in ("bmm", "baddbmm")):
        axis = channel_axis(ops, producer, depth - 1)
        if axis is not None and (moved := _moved(op, axis, shape)) is not None:
            return moved
    return None


def _moved(op: Op, axis: int, shape: Shape) -> int | None:
    """Where an axis of an operand of that shape is in the output."""
    if axis >= len(shape):
        return None
    if "dims" in op.attrs:
        return op.attrs["dims"].index(axis) if axis in op.attrs["dims"] else None
    if op.name == "unsqueeze":
        return axis + (op.attrs["dim"] <= axis)
    if op.name in ("select", "stack") or "reduced" in op.attrs:
        return _after_removal(op, axis, shape)
    if len(shape) == len(op.shape) and op.name not in _RESHAPES:
        return axis
    before, after = prod(shape[:axis]), prod(shape[axis + 1 :])
    fitting = [
        i
        for i, side in enumerate(op.shape)
        if side == shape[axis] and prod(op.shape[:i]) == before and prod(op.shape[i + 1 :]) == after
    ]
    return fitting[0] if fitting else None


def _after_removal(op: Op, axis: int, shape: Shape) -> int | None:
    if op.name == "stack" or op.attrs.get("keeps"):
        return axis if len(op.shape) == len(shape) else axis + 1
    gone = set(op.attrs.get("reduced", (op.attrs.get("dim"),)))
    return None if axis in gone else axis - sum(dim < axis for dim in gone)


def walk_back(ops: Sequence[Op], op: Op) -> Iterator[Op]:
    """An operation and those that carried its input, latest first."""
    yield op
    while op.inputs:
        op = ops[source(op)]
        yield op
