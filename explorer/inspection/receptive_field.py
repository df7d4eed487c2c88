"""Receptive fields that know shortcuts, padding of every kind, permutations and upsampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, prod

from .tracing.operations import Op
from .tracing.repeats import Shape, Trace


@dataclass(frozen=True)
class ReceptiveField:
    """What one output pixel can see.

    Attributes:
        size: side of the input window that can influence it, px; of the wider path where paths merge. Border effects
            are not counted: the window may be larger than the image. Nor are gates that see the whole map.
        jump: distance of neighbouring outputs in the input, px (the cumulative stride); 1 if it is less.
    """

    size: int
    jump: int


@dataclass(frozen=True)
class _Seen:
    """What is known of an operation's output while the trace is walked.

    Attributes:
        size, jump: as ``ReceptiveField``'s.
        axes: that hold positions; None while nothing has said which do: every element is still one of the input's.
        grid: height and width that the positions form.
    """

    size: Fraction
    jump: Fraction
    axes: tuple[int, ...] | None
    grid: Shape


WHOLE, UNKNOWN = "whole", "unknown"
State = _Seen | str
# They move or mix positions, though the shape stays.
_MIX_POSITIONS = frozenset({"roll", "flip", "cumsum", "sort", "gather", "index", "index_select", "fft_r2c", "fft_c2c"})
_ATTENTION = frozenset({"bmm", "baddbmm", "attention"})
_READS = {"upsample_bilinear2d": 1, "upsample_linear1d": 1, "upsample_trilinear3d": 1, "upsample_bicubic2d": 3}


def receptive_fields(trace: Trace) -> tuple[ReceptiveField | None, ...]:
    """One for each operation; None behind an operation that sees the whole map (global pooling, linear on features,
    attention), and where it cannot be told.

    Square kernels and strides are assumed; of unequal sides the larger counts. (Araujo et al. 2019, "Computing
    Receptive Fields of Convolutional Neural Networks", Distill, Eq. 1, 2.)
    """
    return tuple(
        ReceptiveField(ceil(state.size), max(1, ceil(state.jump))) if isinstance(state, _Seen) else None
        for state in _states(trace)
    )


def network_receptive_field(trace: Trace) -> ReceptiveField | None:
    """Receptive field of the last feature map; None without a map, or if a later operation is unknown."""
    states = _states(trace)
    last = next((i for i in reversed(range(len(states))) if isinstance(states[i], _Seen)), None)
    if last is None or UNKNOWN in states[last + 1 :]:
        return None
    return receptive_fields(trace)[last]


def _states(trace: Trace) -> list[State]:
    states: list[State] = []
    for op in trace.ops:
        if not op.inputs:
            states.append(_Seen(Fraction(1), Fraction(1), None, ()) if op.name == "input" else UNKNOWN)
        else:
            states.append(_step(op, [states[i] for i in op.inputs]))
    return states


def _step(op: Op, sources: Sequence[State]) -> State:
    if UNKNOWN in sources or "opaque" in op.attrs:
        return UNKNOWN
    if op.name in _ATTENTION:
        return WHOLE
    pairs = [(s, shape) for s, shape in zip(sources, op.in_shapes, strict=True) if isinstance(s, _Seen)]
    if len(pairs) < len(sources) and not _is_gated(op, sources):
        return WHOLE
    moved = [_moved(op, seen, shape) for seen, shape in pairs]
    known = [seen for seen in moved if isinstance(seen, _Seen)]
    if len(known) < len(moved):
        return UNKNOWN if UNKNOWN in moved else WHOLE
    told = [seen for seen in known if seen.axes is not None]
    if len({seen.axes for seen in told}) > 1:
        return UNKNOWN
    largest = max(known, key=lambda seen: seen.size)
    first = told[0] if told else known[0]
    return _Seen(largest.size, max(seen.jump for seen in known), first.axes, first.grid)


def _is_gated(op: Op, sources: Sequence[State]) -> bool:
    """Whether what sees the whole map has one pixel, and is spread over a map."""
    wholes = [shape for state, shape in zip(sources, op.in_shapes, strict=True) if state == WHOLE]
    return len(wholes) < len(sources) and all(len(s) < 3 or prod(s[2:]) == 1 or prod(s[1:-1]) == 1 for s in wholes)


def _moved(op: Op, seen: _Seen, shape: Shape) -> State:
    """What one operand becomes."""
    if op.name == "write":
        return replace(seen, grid=()) if len(op.shape) == len(shape) else UNKNOWN
    if "kernel" in op.attrs:
        return _windowed(op, seen, shape)
    if op.name == "linear":
        return WHOLE if seen.axes is None or len(shape) - 1 in seen.axes else seen
    if "dims" in op.attrs:
        order = op.attrs["dims"]
        return seen if seen.axes is None else replace(seen, axes=tuple(sorted(order.index(a) for a in seen.axes)))
    if op.name in ("view", "unsafe_view", "reshape"):
        return _reshaped(op, seen, shape)
    if "reduced" in op.attrs or op.name == "select":
        return _reduced(op, seen, shape)
    if op.name == "unsqueeze":
        return seen if seen.axes is None else _shifted(seen, [a + (op.attrs["dim"] <= a) for a in seen.axes])
    if op.name.startswith("upsample") or op.name in ("pixel_shuffle", "pixel_unshuffle", "adaptive_avg_pool"):
        return _rescaled(op, seen, shape)
    if op.name == "slice":
        axes = _map_axes(shape) if seen.axes is None else seen.axes
        if op.attrs["dim"] not in axes:
            return seen
        # One of height and width stands for both.
        step = op.attrs["step"] if op.attrs["dim"] == axes[0] else 1
        return replace(seen, jump=seen.jump * step, grid=())
    if op.name in _MIX_POSITIONS:
        return UNKNOWN
    if op.name == "softmax" or len(op.shape) != len(shape):
        return WHOLE if op.name == "softmax" and seen.axes and len(shape) - 1 in seen.axes else _alike(op, seen, shape)
    if op.shape[2:] == shape[2:] or "pad" in op.name or op.name in ("cat", "expand", "write") or len(op.inputs) > 1:
        return replace(seen, grid=op.shape[2:] if seen.axes == _map_axes(op.shape) else seen.grid)
    return _alike(op, seen, shape)


def _alike(op: Op, seen: _Seen, shape: Shape) -> State:
    return seen if op.shape == shape or len(op.inputs) > 1 else UNKNOWN


def _shifted(seen: _Seen, axes: Sequence[int]) -> _Seen:
    return replace(seen, axes=tuple(axes))


def _map_axes(shape: Shape) -> tuple[int, ...]:
    return tuple(range(2, len(shape)))


def _is_map(seen: _Seen, shape: Shape) -> bool:
    """Whether its positions are height and width of N×C×H×W, as a window needs them."""
    if seen.axes is None:
        return len(shape) > 2
    inner = tuple(axis for axis in seen.axes if axis > 0)
    return inner == _map_axes(shape) and seen.grid in ((), shape[2:])


def _windowed(op: Op, seen: _Seen, shape: Shape) -> State:
    if not _is_map(seen, shape):
        return UNKNOWN
    size, jump, kernel = seen.size, seen.jump, op.attrs["kernel"]
    if op.attrs.get("transposed"):
        # An output pixel reads ⌈kernel ÷ stride⌉ inputs; neighbours are closer than before.
        stride = max(op.attrs["stride"])
        size, jump = size + (-(-max(kernel) // stride) - 1) * jump, jump / stride
    else:
        reach = max((k - 1) * d for k, d in zip(kernel, op.attrs["dilation"], strict=True))
        if op.name != "conv" and kernel == shape[2:] and prod(op.shape[2:]) == 1:
            return WHOLE
        size, jump = size + reach * jump, jump * max(op.attrs["stride"])
    return _Seen(size, jump, _map_axes(op.shape), op.shape[2:])


def _rescaled(op: Op, seen: _Seen, shape: Shape) -> State:
    if not _is_map(seen, shape):
        return UNKNOWN
    before, after = max(shape[2:]), max(op.shape[2:])
    if op.name == "adaptive_avg_pool":
        if prod(op.shape[2:]) == 1:
            return WHOLE
        if any(b % a for b, a in zip(shape[2:], op.shape[2:], strict=True)):
            return UNKNOWN
        reads = before // after - 1
    elif op.name == "pixel_unshuffle":
        reads = before // after - 1
    else:
        reads = _READS.get(op.name, 0)
    jump = seen.jump * Fraction(before, after)
    return _Seen(seen.size + reads * seen.jump, jump, _map_axes(op.shape), op.shape[2:])


def _reduced(op: Op, seen: _Seen, shape: Shape) -> State:
    gone = op.attrs.get("reduced", (op.attrs.get("dim"),))
    if seen.axes is None:  # an image: more than channels are gone
        return seen if set(gone) <= {1} and len(shape) > 3 else WHOLE
    if set(gone) & set(seen.axes):
        return WHOLE if "reduced" in op.attrs else UNKNOWN
    if len(op.shape) == len(shape):
        return seen
    return _shifted(seen, [axis - sum(g < axis for g in gone) for axis in seen.axes])


def _reshaped(op: Op, seen: _Seen, shape: Shape) -> State:
    """Positions may be flattened, alone or with the batch, and be brought back; with channels they become features."""
    if seen.axes is None:
        rows = len(op.shape) == 2 and len(shape) > 2 and op.shape[-1] == shape[-1]
        return replace(seen, axes=(0,), grid=shape[1:-1]) if rows else seen
    axes: list[int] = []
    for before, after in _groups(shape, op.shape):
        held = [a for a in before if a in seen.axes]
        if not held:
            continue
        if any(a not in seen.axes and a > 0 and shape[a] > 1 for a in before):
            return WHOLE
        axes += after
    return replace(seen, axes=tuple(a for a in axes if a > 0 or len(op.shape) == 2), grid=seen.grid)


def _groups(before: Shape, after: Shape) -> list[tuple[list[int], list[int]]]:
    """Neighbouring axes of two shapes of one number of elements that hold the same ones."""
    groups: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(before) and j < len(after):
        left, right, a, b = [i], [j], before[i], after[j]
        i, j = i + 1, j + 1
        while a != b:
            if a < b and i < len(before):
                a, i = a * before[i], i + 1
                left.append(i - 1)
            elif j < len(after):
                b, j = b * after[j], j + 1
                right.append(j - 1)
            else:
                break
        groups.append((left, right))
    return groups
