"""What brings two maps of different size together: pad the input, or resize one map where they meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from ...spec.shapes import text
from ..joins.findings import Finding
from ..joins.refused import meeting
from ..joins.sizes import multiple_of, own_operands
from ..tracing.forks import find_fork
from ..tracing.operand_paths import OperandPath, own_stride
from ..tracing.operations import Op
from ..tracing.recorder import OperandChange
from ..tracing.trace import Called
from .edits import Edit

MOST = 64  # the largest multiple that an input is padded to


@dataclass(frozen=True)
class Remedy:
    """A change outside of any layer.

    Attributes:
        snippet: lines of PyTorch.
        inputs: what the network is called with instead; None: with the same.
        change: of the operands at the finding's operation.
    """

    title: str
    snippet: str
    inputs: Called | None = None
    change: OperandChange | None = None


@dataclass(frozen=True)
class Meeting:
    """Two operands of one operation: the one that lost its size, and the one it should have had.

    Attributes:
        positions: among the operation's operands, the one to change first.
        sides: their paths from where they parted, in that order.
    """

    positions: tuple[int, int]
    sides: tuple[OperandPath, OperandPath]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]


def find_meeting(ops: Sequence[Op], finding: Finding) -> Meeting | None:
    """None where something else than the size of two maps differs."""
    op = ops[finding.op]
    pair = meeting(op)
    if pair is None:
        return None
    producers, shapes = own_operands(ops, op)
    first, second = pair
    if first >= len(producers) or second >= len(producers) or producers[first] == producers[second]:
        return None
    a, b = shapes[first], shapes[second]
    if len(a) != len(b) or len(a) < 3 or a[2:] == b[2:]:
        return None
    fork = find_fork(ops, producers[first], producers[second])
    sides = OperandPath(ops, fork.sides[0], fork.at), OperandPath(ops, fork.sides[1], fork.at)
    if sides[1].upsamples and not sides[0].upsamples:
        return Meeting((second, first), (sides[1], sides[0]), (b, a))
    return Meeting(pair, sides, (a, b))


def remedies(ops: Sequence[Op], met: Meeting, inputs: Called) -> Iterator[Remedy]:
    """Those that may help; which of them do, only another pass can tell."""
    if met.sides[0].upsamples:
        yield from _padded(multiple_of(ops, met.sides[0]), inputs)
    lost, right = met.shapes
    position, other = met.positions
    if len(lost) in (3, 4, 5) and (met.sides[0].upsamples or max(lost[2:]) == 1 or abs(lost[-1] - right[-1]) < 3):

        def resized(operands: list[Tensor]) -> list[Tensor]:
            size = operands[other].shape[2:]
            alike = operands[position].dim()
            return [F.interpolate(t, size) if t.dim() == alike and t.shape[2:] != size else t for t in operands]

        yield Remedy(
            f"Interpolate {text(lost[2:])} to {text(right[2:])} where they meet",
            "y = F.interpolate(y, skip.shape[2:])  # in forward, y is the map that lost its size",
            change=resized,
        )


def aligned(op: Op) -> Iterator[Remedy]:
    """A gate of (N, C) gets the axes of the map that it scales."""
    if len(op.in_shapes) != 2 or len(op.in_shapes[0]) == len(op.in_shapes[1]):
        return
    small, large = sorted(op.in_shapes, key=len)
    if small != large[: len(small)]:
        return
    missing = len(large) - len(small)

    def with_axes(operands: list[Tensor]) -> list[Tensor]:
        return [t[(...,) + (None,) * missing] if t.dim() == len(small) else t for t in operands]

    axes = ", ".join([":"] * len(small) + ["None"] * missing)
    yield Remedy(f"Give the gate its axes: gate[{axes}]", f"gate = gate[{axes}]  # in forward", change=with_axes)


def _padded(multiple: int, inputs: Called) -> Iterator[Remedy]:
    values = list(inputs.values()) if isinstance(inputs, dict) else inputs
    maps = [value for value in values if isinstance(value, Tensor)]
    if not 1 < multiple <= MOST or len(maps) != 1 or maps[0].dim() < 3:
        return
    sides = maps[0].shape[2:]
    pads = [pad for side in reversed(sides) for pad in (0, -side % multiple)]
    if not any(pads):
        return

    def padded(value: Any) -> Any:
        return F.pad(value, pads) if isinstance(value, Tensor) else value

    larger = {k: padded(v) for k, v in inputs.items()} if isinstance(inputs, dict) else [padded(v) for v in inputs]
    terms = ", ".join(f"0, -x.shape[{axis}] % {multiple}" for axis in range(-1, -len(sides) - 1, -1))
    after = tuple(side + -side % multiple for side in sides)
    yield Remedy(
        f"Pad the input to a multiple of {multiple}: {text(tuple(sides))} → {text(after)}",
        f"x = F.pad(x, ({terms}))  # before the network",
        inputs=larger,
    )


def output_paddings(met: Meeting) -> Iterator[tuple[Edit, ...]]:
    """The last transposed convolution gives the rows and columns that are missing."""
    op = next((o for o in reversed(met.sides[0].members) if own_stride(o) != 1), None)
    if op is None or not op.attrs.get("transposed"):
        return
    missing = [b - a for a, b in zip(met.shapes[0][2:], met.shapes[1][2:], strict=True)]
    if all(0 <= n < stride for n, stride in zip(missing, op.attrs["stride"], strict=True)):
        value = tuple(o + n for o, n in zip(op.attrs["output_padding"], missing, strict=True))
        yield (Edit(op.path, "output_padding", value),)
