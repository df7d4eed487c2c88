"""Which tensors training saves for the backward pass, and their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from .tracing.operations import Op
from .tracing.repeats import Trace

# What PyTorch's derivative of an operation reads again (torch 2.13, tools/autograd/derivatives.yaml). Sums, slices,
# paddings, reshapes and global means read nothing again, only shapes.
_READS_INPUTS = frozenset(
    {"conv", "batch_norm", "group_norm", "layer_norm", "gelu", "silu", "leaky_relu", "max_pool", "avg_pool"}
    | {"adaptive_avg_pool", "linear", "bmm", "baddbmm", "mul"}
)
_READS_OUTPUT = frozenset({"relu", "sigmoid", "tanh", "_softmax", "_log_softmax"})
_VIEWS = frozenset({"view", "slice", "expand", "permute", "transpose", "t", "squeeze", "unsqueeze", "select"})
_FLOAT, _INDEX = 4, 8


@dataclass(frozen=True)
class SavedTensors:
    """What is saved for backward of one operation.

    Attributes:
        bytes: ``output`` and ``statistics`` together.
        output: bytes of the memory of its output; 0 if nothing reads it again, and for a view and an
            operation in place, whose output is in memory that counts at an earlier operation.
        statistics: bytes of what else it saves: mean and inverse deviation of a norm, the positions of a pool's maxima.
        readers: operations whose derivative reads the output again, by index; itself for ReLU.
    """

    output: int
    statistics: int
    readers: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return self.output + self.statistics


@lru_cache(maxsize=8)
def find_saved_tensors(trace: Trace) -> tuple[SavedTensors, ...]:
    """One for each operation of ``trace``, in training mode, with gradients for every parameter.

    Every piece of memory is counted once, at the operation that made it, however many read it again; so the sum over
    all operations is what autograd saves between the two passes. Not counted: parameters and their gradients, running
    statistics, the gradients that flow back (each as large as the output it belongs to), the masks of a dropout, what
    the loss saves, and workspace of the device. Operations that this project never builds count as saving nothing.
    """
    ops = trace.ops
    root = _memory(ops)
    readers: dict[int, list[int]] = {}
    for op in ops:
        for read in _read_again(op):
            readers.setdefault(root[read], []).append(op.index)
    return tuple(
        SavedTensors(op.bytes if op.index in readers else 0, _statistics(op), tuple(readers.get(op.index, ())))
        for op in ops
    )


def _memory(ops: tuple[Op, ...]) -> list[int]:
    """For each operation, the one that made the memory its output is in."""
    root: list[int] = []
    for op in ops:
        shares = op.inputs and (op.name in _VIEWS or op.attrs.get("in_place", False))
        root.append(root[op.inputs[0]] if shares else op.index)
    return root


def _read_again(op: Op) -> Iterator[int]:
    if op.name in _READS_OUTPUT or (op.name == "leaky_relu" and op.attrs.get("in_place", False)):
        yield op.index
    elif op.name in _READS_INPUTS:
        yield from op.inputs


def _statistics(op: Op) -> int:
    """Bytes, as float32 and 64-bit positions."""
    if op.name == "batch_norm":
        return 2 * _FLOAT * op.shape[1]
    if op.name == "group_norm":
        return 2 * _FLOAT * op.shape[0] * int(op.attrs["groups"])
    return _INDEX * prod(op.shape) if op.name == "max_pool" else 0
