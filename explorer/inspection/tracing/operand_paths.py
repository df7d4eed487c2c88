"""The two paths that lead to an addition: their strides, and the sizes they would end in if layers were changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from .flow import carried, carriers
from .operations import Op
from .repeats import Shape

Changes = dict[int, dict[str, Shape]]  # operation -> its attributes "stride" and "padding" as they would be


@dataclass(frozen=True)
class OperandPath:
    """The operations from the fork to the addition that lead to one of its operands.

    Attributes:
        indices: of the operations, in execution order; empty for the identity.
        fork: operation it starts from; None if the two paths never meet.
    """

    ops: Sequence[Op]
    indices: Sequence[int]
    fork: int | None

    @cached_property
    def members(self) -> list[Op]:
        """The operations that carry the map; not the gates beside it."""
        return carriers(self.ops, self.indices)

    @property
    def windows(self) -> list[Op]:
        """Convolutions and poolings."""
        return [op for op in self.members if "kernel" in op.attrs and not op.attrs.get("transposed")]

    @property
    def upsamples(self) -> bool:
        return any(own_stride(op) < 1 for op in self.members)

    @cached_property
    def stride(self) -> Fraction:
        """Stride of the whole path, below 1 if it upsamples; the larger stride where it parts within."""
        strides: dict[int, Fraction] = {}
        for op in self.members:
            strides[op.index] = own_stride(op) * max((strides.get(i, Fraction(1)) for i in op.inputs), default=1)
        return strides[self.indices[-1]] if self.indices else Fraction(1)

    @property
    def odd_inputs(self) -> Iterator[int]:
        """Odd sides of maps that an operation with an even stride reads."""
        for op in self.members:
            stride = own_stride(op)
            yield from (n for n in op.in_shapes[0][2:] if n % 2 and stride.denominator == 1 and stride % 2 == 0)

    def size(self, changes: Changes) -> Shape | None:
        """Height and width it comes to with other strides and paddings; None where that can't be said. ``changes`` of
        the fork are those of an identity: as if there were a subsampling."""
        if self.fork is None:
            return None
        start = self.ops[self.fork].shape[2:]
        sizes: dict[int, Shape] = {}
        for op in self.members:
            before = op.inputs[carried(op)[0]] if op.inputs else None
            size = () if before is None else sizes.get(before, self.ops[before].shape[2:])
            out = _out(op, size, changes.get(op.index, {}))
            if out is None:
                return None
            sizes[op.index] = out
        if self.indices:
            return sizes[self.indices[-1]]
        steps = changes.get(self.fork, {}).get("stride", (1,) * len(start))
        return tuple(-(-n // s) for n, s in zip(start, steps, strict=True))


def own_stride(op: Op) -> Fraction:
    """By which an operation makes a map smaller; below 1 if it upsamples."""
    if "stride" in op.attrs:
        stride = Fraction(max(op.attrs["stride"]))
        return 1 / stride if op.attrs.get("transposed") else stride
    if op.name == "slice" and op.attrs["dim"] >= 2:
        return Fraction(op.attrs["step"])
    if op.name.startswith("upsample") or op.name in ("pixel_shuffle", "pixel_unshuffle"):
        before, after = op.in_shapes[0][-1], op.shape[-1]
        return Fraction(1, round(after / before)) if after >= before else Fraction(round(before / after))
    return Fraction(1)


def _out(op: Op, size: Shape, change: Mapping[str, Shape]) -> Shape | None:
    if "kernel" in op.attrs and not op.attrs.get("transposed"):
        attrs = {**op.attrs, **change}
        windows = list(zip(attrs["kernel"], attrs["dilation"], attrs["padding"], attrs["stride"], strict=True))
        ran = [(op.attrs["padding"][i], op.attrs["stride"][i]) for i in range(len(windows))]
        # A pooling may round up: its own result tells.
        rounds_up = any(
            out > (n + 2 * p - (k - 1) * d - 1) // s + 1
            for out, n, (k, d, _, _), (p, s) in zip(op.shape[2:], op.in_shapes[0][2:], windows, ran, strict=True)
        )
        return tuple(
            (n + 2 * p - (k - 1) * d - 1 + (s - 1) * rounds_up) // s + 1
            for n, (k, d, p, s) in zip(size, windows, strict=True)
        )
    if op.attrs.get("transposed"):
        attrs = {**op.attrs, **change}
        sides = zip(
            size, *(attrs[key] for key in ("kernel", "dilation", "padding", "stride", "output_padding")), strict=True
        )
        return tuple((n - 1) * s - 2 * p + (k - 1) * d + o + 1 for n, k, d, p, s, o in sides)
    came = op.in_shapes[carried(op)[0]][2:] if op.inputs else ()
    if op.shape[2:] == came:
        return size
    factor = own_stride(op)
    if factor < 1 and size != came:
        return tuple(int(n / factor) for n in size)
    if op.name == "slice" and op.attrs["dim"] > 1:
        axis = op.attrs["dim"] - 2
        return (*size[:axis], -(-size[axis] // op.attrs["step"]), *size[axis + 1 :])
    return op.shape[2:] if size == came else None


def same_padding(path: OperandPath) -> Changes:
    """The paddings with which every odd window of stride 1 would keep the size, where there are others."""
    changes: Changes = {}
    for op in path.windows:
        reach = [(k - 1) * d for k, d in zip(op.attrs["kernel"], op.attrs["dilation"], strict=True)]
        same = tuple(r // 2 for r in reach)
        if all(r % 2 == 0 for r in reach) and same != tuple(op.attrs["padding"]):
            changes[op.index] = {"padding": same}
    return changes


def strides_that_agree(paths: tuple[OperandPath, OperandPath]) -> list[Changes]:
    """Each change of one stride after which both paths have the same; an identity is named by its fork."""
    found: list[Changes] = []
    for path, other in (paths, paths[::-1]):
        for op in path.windows:
            wanted = other.stride / (path.stride / max(op.attrs["stride"]))
            if wanted.denominator == 1 and other.stride != path.stride:
                found.append({op.index: {"stride": (int(wanted),) * len(op.attrs["stride"])}})
        if not path.indices and path.fork is not None and other.stride.denominator == 1:
            found.append({path.fork: {"stride": (int(other.stride),) * len(path.ops[path.fork].shape[2:])}})
    return found


def agree(paths: tuple[OperandPath, OperandPath], changes: Changes) -> bool:
    """Whether both paths would end in the same size."""
    first, second = (path.size(changes) for path in paths)
    return first is not None and first == second


def transposed_that_agree(paths: tuple[OperandPath, OperandPath]) -> list[Changes]:
    """Each change of one transposed convolution's paddings with which it undoes its stride, if both paths then end in
    the same size."""
    found: list[Changes] = []
    for path in paths:
        for op in path.members:
            if not op.attrs.get("transposed"):
                continue
            dims = len(op.attrs["kernel"])
            excess = {
                out - n * stride
                for n, out, stride in zip(op.in_shapes[0][2:], op.shape[2:], op.attrs["stride"], strict=True)
            }
            by = excess.pop() if len(excess) == 1 else 0
            change: dict[str, Shape] = {}
            if by < 0 and -by < min(op.attrs["stride"]):
                change = {"output_padding": tuple(o - by for o in op.attrs["output_padding"])}
            elif by > 0 and by % 2 == 0:
                change = {"padding": tuple(p + by // 2 for p in op.attrs["padding"])}
            if change and len(op.shape) == dims + 2 and agree(paths, {op.index: change}):
                found.append({op.index: change})
    return found
