"""Which axes of a shape hold channels, and which hold height and width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..tracing.flow import channel_axis
from ..tracing.operations import Op
from ..tracing.repeats import Shape
from .additions import Merge


def layout(ops: Sequence[Op], merge: Merge) -> tuple[Callable[[Shape], int], Callable[[Shape], Shape]]:
    """How to read channels, and height and width, from a shape without its batch."""
    axis = axis_of(ops, merge)
    return lambda shape: shape[axis], lambda shape: (*shape[:axis], *shape[axis + 1 :])


def axis_of(ops: Sequence[Op], merge: Merge) -> int:
    """The axis of channels in both of a sum's shapes, batch not counted: told by the data flow of the branch, else of
    the shortcut, else the first."""
    known = [axis for axis in axes_of(ops, merge) if axis is not None]
    return known[0] if known else 0


def axes_of(ops: Sequence[Op], merge: Merge) -> tuple[int | None, int | None]:
    """The axes of channels in the branch's shape and in the shortcut's; None where nothing on the path tells."""
    shapes = merge.branch_shape, merge.shortcut_shape
    ends = [side[-1] if side else merge.fork for side in (merge.branch, merge.shortcut)]
    axes = [None if end is None else channel_axis(ops, end) for end in ends]
    if axes[1] is None and not merge.shortcut and merge.fork is not None:
        axes[1] = _axis_read(ops, merge.fork)
    # An axis before the batch's, or none of this shape, is not an axis of channels.
    branch, shortcut = (
        axis - 1 if axis and axis <= len(shape) else None for axis, shape in zip(axes, shapes, strict=True)
    )
    return branch, shortcut


def channels_last(ops: Sequence[Op], merge: Merge) -> bool:
    """Whether channels are behind height and width, as in a transformer's tokens."""
    return axis_of(ops, merge) == len(merge.branch_shape) - 1


def _axis_read(ops: Sequence[Op], index: int) -> int | None:
    """The axis that the first layer with weights behind an operation reads as channels."""
    reader = next((op for op in ops[index + 1 :] if index in op.inputs and op.name in ("conv", "linear")), None)
    return None if reader is None else 1 if reader.name == "conv" else len(ops[index].shape) - 1
