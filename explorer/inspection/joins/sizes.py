"""Why two paths come to different height and width: in words, from what their operations are."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from ...spec.shapes import text
from ..tracing.flow import carried
from ..tracing.forks import operands
from ..tracing.operand_paths import (
    Changes,
    OperandPath,
    agree,
    own_stride,
    same_padding,
    strides_that_agree,
    transposed_that_agree,
)
from ..tracing.operations import Op
from ..tracing.repeats import Shape

Named = tuple[str, str]  # rule and words
Sides = tuple[OperandPath, OperandPath]


def size_causes(
    ops: Sequence[Op], sides: Sides, where: str, labels: tuple[str, str], sizes: tuple[Shape, Shape]
) -> list[Named]:
    """The smallest change of strides, paddings or kernels with which both sides come to one size.

    Args:
        labels: what the sides are called, the branch first.
        sizes: that they come to.
    """
    paddings = [changes for side in sides if (changes := same_padding(side))]
    if len(paddings) == 2:
        paddings.append(paddings[0] | paddings[1])
    if sides[0].stride != sides[1].stride:
        strides = [_stride(side.stride, size) for side, size in zip(sides, sizes, strict=True)]
        words = ("stride-differs", f"{where}: {labels[0]} takes {strides[0]}, {labels[1]} {strides[1]}")
        agreeing = strides_that_agree(sides)
        if any(agree(sides, changes) for changes in agreeing):
            return [words]
        padding = next((p for p in paddings if any(agree(sides, changes | p) for changes in agreeing)), None)
        return [words, *([_padding(ops, padding)] if padding else [])]
    padding = next((p for p in paddings if agree(sides, p)), None)
    if padding:
        return [_padding(ops, padding)]
    found = _even_kernel(sides, sizes) or _transposed(ops, sides) or _odd(ops, sides, where, labels, sizes)
    chains = [f" ({text_of})" if "→" in (text_of := chain(side)) else "" for side in sides]
    default = f"{where}: {labels[0]} comes to {text(sizes[0])}{chains[0]}, {labels[1]} to {text(sizes[1])}{chains[1]}"
    return [found or ("size-differs", default)]


def _stride(stride: Fraction, size: Shape) -> str:
    if stride == 1:
        return f"stride 1 and stays at {text(size)}"
    return f"stride {stride} to {text(size)}" if stride > 1 else f"upsampling by {1 / stride} to {text(size)}"


def _padding(ops: Sequence[Op], changes: Changes) -> Named:
    changed = [ops[i] for i in changes]
    layers = [_window(op) for op in changed]
    wanted = " and ".join(str(new["padding"][0]) for new in changes.values())
    excess = all(op.attrs["padding"] > changes[op.index]["padding"] for op in changed)
    rule, words = ("padding-in-excess", "too much padding") if excess else ("padding-forgotten", "too little padding")
    verb = "has" if len(layers) == 1 else "have"
    return rule, f"{' and '.join(layers)} {verb} {words}: with {wanted} the sizes would agree"


def _window(op: Op) -> str:
    return f"{op.path or op.name} ({text(op.attrs['kernel'])}, padding {op.attrs['padding'][0]})"


def _even_kernel(sides: Sides, sizes: tuple[Shape, Shape]) -> Named | None:
    """Windows of stride 1 whose even kernel no padding on both sides can balance."""
    for side, sign in zip(sides, (1, -1), strict=True):
        even = [op for op in side.windows if is_off_by_one(op)]
        added = sum(2 * op.attrs["padding"][-1] - _reach(op, -1) for op in even)
        if even and added and sign * (sizes[0][-1] - sizes[1][-1]) == added:
            layers = " and ".join(map(_window, even))
            verb = "has an even kernel" if len(even) == 1 else "have even kernels"
            change = f"adds {added}" if added > 0 else f"takes {-added} away"
            return "even-kernel", (
                f"{layers} {verb}, which no padding on both sides balances: the path {change}. An odd kernel, or "
                'padding="same", keeps the size'
            )
    return None


def is_off_by_one(op: Op) -> bool:
    """Whether it is a window of stride 1 and even reach that is padded by half of it, as well as can be."""
    return max(op.attrs["stride"]) == 1 and all(
        abs(2 * op.attrs["padding"][axis] - _reach(op, axis)) == 1 for axis in range(len(op.attrs["kernel"]))
    )


def _reach(op: Op, axis: int) -> int:
    return int((op.attrs["kernel"][axis] - 1) * op.attrs["dilation"][axis])


def _transposed(ops: Sequence[Op], sides: Sides) -> Named | None:
    """A transposed convolution whose kernel and paddings don't undo the stride before it."""
    for changes in transposed_that_agree(sides):
        ((index, new),) = changes.items()
        op = ops[index]
        name, value = next(iter(new.items()))
        short = op.shape[-1] < op.in_shapes[0][-1] * op.attrs["stride"][-1]
        words = "gives too small a map" if short else "gives a map that is too large"
        side = next(side for side in sides if index in [o.index for o in side.members])
        return "transposed-size", (
            f"{op.path or op.name} ({text(op.attrs['kernel'])}, stride {op.attrs['stride'][-1]}, padding "
            f"{op.attrs['padding'][-1]}) {words} ({chain(side)}): with {name} {value[-1]} the sizes would agree"
        )
    return None


def _odd(
    ops: Sequence[Op], sides: Sides, where: str, labels: tuple[str, str], sizes: tuple[Shape, Shape]
) -> Named | None:
    if any(abs(b - s) >= _steps(sides) for b, s in zip(*sizes, strict=True)):
        return None
    odd = next((n for side in sides for n in side.odd_inputs), None)
    if odd is None:
        return None
    for side, label in zip(sides, labels, strict=True):
        if side.upsamples:
            reader = next((op for op in side.members if any(_is_odd(op, n) for n in op.in_shapes[0][2:])), None)
            rounded = f"{reader.path or reader.name} halves" if reader else "the path halves"
            multiple = multiple_of(ops, side)
            return "odd-size", (
                f"{where}: {label} goes {chain(side)}: {rounded} an odd side, which upsampling does not bring back. "
                f"Pad the input to a multiple of {multiple}, or interpolate to {text(_other(side, sides, sizes))}"
            )
    up, down = labels if sizes[0] > sizes[1] else labels[::-1]
    high, low = max(sizes), min(sizes)
    up, down = (label.removeprefix("its ").removeprefix("the ") for label in (up, down))
    return "odd-size", (
        f"{where}: a side of {odd} is odd, and the {up} rounds its half up to {text(high)}, the {down} down to "
        f"{text(low)}"
    )


def _other(side: OperandPath, sides: Sides, sizes: tuple[Shape, Shape]) -> Shape:
    return sizes[1] if side is sides[0] else sizes[0]


def _steps(sides: Sides) -> int:
    """A difference below it can come of rounding."""
    return max([2, *(int(max(op.attrs["stride"])) for side in sides for op in side.windows)])


def _is_odd(op: Op, side: int) -> bool:
    stride = own_stride(op)
    return stride > 1 and side % stride != 0


def chain(path: OperandPath) -> str:
    """'65→32→64': the sizes that a path goes through, along the side where they change most."""
    shapes = ([] if path.fork is None else [path.ops[path.fork].shape]) + [op.shape for op in path.members]
    maps = [shape[2:] for shape in shapes if len(shape) == len(shapes[-1]) > 2]
    if not maps:
        return ""
    lines = [[m[axis] for m in maps] for axis in range(len(maps[-1]))]
    line = max(lines, key=lambda sizes: (len(set(sizes)), -sizes[-1] * 2 + 2 * sizes[0]))
    changes = [line[0], *(b for a, b in pairwise(line) if a != b)]
    return "→".join(map(str, changes))


def multiple_of(ops: Sequence[Op], path: OperandPath) -> int:
    """The stride from the network's input to the smallest map of a path: sides that it divides are halved evenly."""
    strides = strides_from_input(ops)
    deepest = max((strides[op.index] for op in path.members), default=Fraction(1))
    return max(1, deepest.numerator)


def strides_from_input(ops: Sequence[Op]) -> list[Fraction]:
    """The stride of every operation; where paths join, the largest."""
    strides: list[Fraction] = []
    for op in ops:
        before = [strides[op.inputs[i]] for i in carried(op)]
        strides.append(max(before, default=Fraction(1)) * own_stride(op))
    return strides


def own_operands(ops: Sequence[Op], op: Op) -> tuple[tuple[int, ...], tuple[Shape, ...]]:
    """What an operation joins: what it reads, or what the stack reads that it sums."""
    met = operands(ops, op)
    return (met.inputs, met.shapes) if met else (op.inputs, op.in_shapes)
