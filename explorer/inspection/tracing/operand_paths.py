"""The two paths that lead to an addition: their strides, and the sizes they would end in if layers were changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

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

    @property
    def members(self) -> list[Op]:
        return [self.ops[i] for i in self.indices]

    @property
    def windows(self) -> list[Op]:
        """Convolutions and poolings."""
        return [op for op in self.members if "kernel" in op.attrs and not op.attrs.get("transposed")]

    @cached_property
    def stride(self) -> int:
        """Of the whole path; the larger stride where it parts within."""
        strides: dict[int, int] = {}
        for op in self.members:
            own = max(op.attrs["stride"]) if "stride" in op.attrs else 1
            if op.name == "slice" and op.attrs["dim"] == 2:
                own = op.attrs["step"]
            strides[op.index] = own * max((strides.get(i, 1) for i in op.inputs), default=1)
        return strides[self.indices[-1]] if self.indices else 1

    @property
    def odd_inputs(self) -> Iterator[int]:
        """Odd sides of maps that an operation with an even stride reads."""
        for op in self.members:
            strides = op.attrs["stride"] if "stride" in op.attrs else (op.attrs.get("step", 1),)
            yield from (n for n in op.in_shapes[0][2:] if n % 2 and max(strides) % 2 == 0)

    def size(self, changes: Changes) -> Shape | None:
        """Height and width it comes to with other strides and paddings; None where that can't be said. ``changes`` of
        the fork are those of an identity: as if a subsampling stood there."""
        if self.fork is None:
            return None
        start = self.ops[self.fork].shape[2:]
        sizes: dict[int, Shape] = {}
        for op in self.members:
            size = sizes.get(op.inputs[0], self.ops[op.inputs[0]].shape[2:]) if op.inputs else ()
            out = _out(op, size, changes.get(op.index, {}))
            if out is None:
                return None
            sizes[op.index] = out
        if self.indices:
            return sizes[self.indices[-1]]
        steps = changes.get(self.fork, {}).get("stride", (1,) * len(start))
        return tuple(-(-n // s) for n, s in zip(start, steps, strict=True))


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
    if op.shape[2:] == op.in_shapes[0][2:]:
        return size
    if op.name == "slice" and op.attrs["dim"] > 1:
        axis = op.attrs["dim"] - 2
        return (*size[:axis], -(-size[axis] // op.attrs["step"]), *size[axis + 1 :])
    return op.shape[2:] if size == op.in_shapes[0][2:] else None


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
            rest, exact = divmod(path.stride, max(op.attrs["stride"]))
            if exact == 0 and other.stride % rest == 0 and other.stride != path.stride:
                found.append({op.index: {"stride": (other.stride // rest,) * len(op.attrs["stride"])}})
        if not path.indices and path.fork is not None:
            found.append({path.fork: {"stride": (other.stride,) * len(path.ops[path.fork].shape[2:])}})
    return found


def agree(paths: tuple[OperandPath, OperandPath], changes: Changes) -> bool:
    """Whether both paths would end in the same size."""
    first, second = (path.size(changes) for path in paths)
    return first is not None and first == second
