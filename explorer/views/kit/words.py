"""Descriptions of operations: "3×3 conv, 128, stride 2"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unicodedata import category

from ...inspection import Op
from ...spec import shapes
from . import numbers

Shape = tuple[int, ...]


def shape_text(shape: Shape) -> str:
    """(1, 64, 56, 56) -> "64×56×56": without the batch dimension."""
    return shapes.text(shape[1:], empty="scalar")


def output_text(op: Op) -> str:
    """The shape of an operation's output, without the batch dimension."""
    return read_text(op, op.shape)


def read_text(producer: Op, shape: Shape) -> str:
    """The shape of one of an operation's outputs, as another reads it."""
    return "shape unknown" if "unknown" in producer.attrs else shape_text(shape)


def printable(text: str, most: int = 80) -> str:
    """Shorten outside text for a picture; remove control characters and lone surrogates, which XML does not allow."""
    safe = text[: most + 1]
    if not safe.isprintable():
        safe = "".join("\ufffd" if category(char) in ("Cc", "Cs") else char for char in safe)
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"


def op_words(op: Op) -> str:
    """One operation, in a few words."""
    return _WORDS[op.name](op) if op.name in _WORDS else op.name.replace("_", " ")


def block_words(ops: Sequence[Op]) -> str:
    """The convolutions of a branch: "1×1 64, 3×3 64 /2, 1×1 256"."""
    return ", ".join(_conv_short(op) for op in ops if op.name == "conv") or f"{len(ops)} operations"


def shortcut_words(ops: Sequence[Op]) -> str:
    """What adapts x: "1×1, 128 /2" or "zero-pad, +64 /2"."""
    convs = [op for op in ops if op.name == "conv"]
    if convs:
        return ", ".join(_conv_short(op) for op in convs)
    pads = [op for op in ops if op.name == "pad"]
    if pads:
        step = max((op.attrs["step"] for op in ops if op.name == "slice"), default=1)
        return f"zero-pad +{sum(pads[0].attrs['pad'][4:])}{f' /{step}' if step > 1 else ''}"
    return ", ".join(op.name for op in ops)


def _kernel(op: Op) -> str:
    return numbers.shape(op.attrs["kernel"])


def _stride(op: Op) -> str:
    stride = max(op.attrs["stride"])
    return f", stride {stride}" if stride > 1 else ""


def _conv_short(op: Op) -> str:
    stride = max(op.attrs["stride"])
    return f"{_kernel(op)} {op.shape[1]}{f' /{stride}' if stride > 1 else ''}"


def _conv(op: Op) -> str:
    groups = op.attrs["groups"]
    grouped = f", {groups} groups" if groups > 1 else ""
    return f"{_kernel(op)} conv, {op.shape[1]}{_stride(op)}{grouped}"


_WORDS: dict[str, Callable[[Op], str]] = {
    "conv": _conv,
    "batch_norm": lambda op: "batch norm",
    "group_norm": lambda op: "group norm",
    "relu": lambda op: "ReLU",
    "gelu": lambda op: "GELU",
    "silu": lambda op: "SiLU",
    "leaky_relu": lambda op: "leaky ReLU",
    "max_pool": lambda op: f"{_kernel(op)} max-pool{_stride(op)}",
    "avg_pool": lambda op: f"{_kernel(op)} average pool{_stride(op)}",
    "mean": lambda op: "global average pool" if len(op.in_shapes[0]) == 4 else "mean",
    "adaptive_avg_pool": lambda op: "average pool",
    "linear": lambda op: f"linear, {op.shape[-1]}",
    "view": lambda op: "flatten" if len(op.shape) == 2 else "reshape",
    "add": lambda op: "addition",
    "slice": lambda op: (
        f"every {op.attrs['step']}. {('image', 'channel', 'row', 'column')[op.attrs['dim']]}"
        if op.attrs["step"] > 1 and op.attrs["dim"] < 4
        else "slice"
    ),
    "pad": lambda op: f"zero-pad, +{sum(op.attrs['pad'][4:6])} channels" if len(op.attrs["pad"]) > 4 else "pad",
}
