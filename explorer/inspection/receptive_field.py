"""Receptive fields that know shortcuts."""

from __future__ import annotations

from dataclasses import dataclass

from .tracing.operations import Op
from .tracing.repeats import Trace


@dataclass(frozen=True)
class ReceptiveField:
    """What one output pixel can see.

    Attributes:
        size: side of the input window that can influence it, px; of the wider path where paths merge. Border effects
            are not counted: the window may be larger than the image.
        jump: distance of neighbouring outputs in the input, px (the cumulative stride).
    """

    size: int
    jump: int


def receptive_fields(trace: Trace) -> tuple[ReceptiveField | None, ...]:
    """One for each operation; None behind an operation that sees the whole map (global pooling, linear on features).

    Square kernels and strides are assumed; of unequal sides the larger counts. (Araujo et al. 2019, "Computing
    Receptive Fields of Convolutional Neural Networks", Distill, Eq. 1, 2.)
    """
    fields: list[ReceptiveField | None] = []
    for op in trace.ops:
        sources = [fields[i] for i in op.inputs]
        fields.append(ReceptiveField(1, 1) if op.name == "input" else _step(op, sources))
    return tuple(fields)


def _step(op: Op, sources: list[ReceptiveField | None]) -> ReceptiveField | None:
    known = [s for s in sources if s is not None]
    if len(known) < len(sources) or not known or len(op.shape) != 4:
        return None
    size, jump = max(s.size for s in known), max(s.jump for s in known)
    if op.attrs.get("transposed"):
        kernel, stride = max(op.attrs["kernel"]), max(op.attrs["stride"])
        # An output pixel reads ⌈kernel ÷ stride⌉ inputs; neighbours are closer than before.
        return ReceptiveField(size + (-(-kernel // stride) - 1) * jump, jump // stride) if jump % stride == 0 else None
    if "kernel" in op.attrs:
        kernel = max((k - 1) * d + 1 for k, d in zip(op.attrs["kernel"], op.attrs["dilation"], strict=True))
        return ReceptiveField(size + (kernel - 1) * jump, jump * max(op.attrs["stride"]))
    if op.name == "slice" and op.attrs["dim"] == 2:
        return ReceptiveField(size, jump * op.attrs["step"])
    if op.shape[2:] != op.in_shapes[0][2:] and op.name != "slice" and op.name != "add":
        return None
    return ReceptiveField(size, jump)
