"""Attributes of ONNX nodes as those of this program's operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import prod
from typing import Any

from onnx import NodeProto, helper

from ..tracing.repeats import Shape
from .constants import Constants

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class Node:
    """A node with the shapes it reads.

    Attributes:
        inputs: shape of each input in the order of the node; None where unknown or left out.
    """

    def __init__(self, node: NodeProto, inputs: list[Shape | None], constants: Constants) -> None:
        self.node, self.inputs, self.constants = node, inputs, constants
        self.attributes = {a.name: _value(a) for a in node.attribute if not a.g.ByteSize()}

    @property
    def first(self) -> Shape:
        """Shape of the first input."""
        return self.shape(0)

    def shape(self, position: int) -> Shape:
        """Shape of an input.

        Raises:
            Unknown: it is not known.
        """
        found = self.inputs[position] if position < len(self.inputs) else None
        if found is None:
            raise Unknown
        return found

    def pair(self, name: str, default: int) -> Shape:
        """An attribute of one number for each axis of the map."""
        return self._numbers(name, len(self.first) - 2) or (default,) * max(1, len(self.first) - 2)

    def _numbers(self, name: str, count: int) -> Shape:
        """An attribute of so many whole numbers, none negative; empty if it is another."""
        given = self.attributes.get(name)
        found = tuple(given) if isinstance(given, (list, tuple)) and len(given) == count else ()
        return found if all(isinstance(number, int) and number >= 0 for number in found) else ()

    def number(self, name: str, default: int = 0) -> int:
        given = self.attributes.get(name, default)
        return int(given) if isinstance(given, (int, float)) else default

    def constant(self, position: int) -> Shape | None:
        """Whole numbers given as an input."""
        given = self.node.input
        return self.constants.ints(given[position]) if position < len(given) else None

    @property
    def padding(self) -> Shape:
        """Before each axis; behind it exporters of ResNets put as much."""
        axes = len(self.first) - 2
        return self._numbers("pads", 2 * axes)[:axes] or (0,) * max(1, axes)


class Unknown(Exception):
    """A shape that an attribute hangs on is not known, or damaged."""


def attributes(node: Node) -> dict[str, Any]:
    """The attributes of a node's operation.

    Raises:
        Unknown: see there.
    """
    reader = _READERS.get(node.node.op_type)
    try:
        return reader(node) if reader else {}
    except (IndexError, ValueError, TypeError, ZeroDivisionError) as error:  # a rank or number that no runtime takes
        raise Unknown from error


def _value(attribute: Any) -> Any:
    try:
        return helper.get_attribute_value(attribute)
    except (ValueError, TypeError, AttributeError):
        return None


def _conv(node: Node) -> dict[str, Any]:
    weight = node.shape(1)
    groups, transposed = node.number("group", 1), node.node.op_type == "ConvTranspose"
    if len(weight) != len(node.first) or len(weight) < 3 or groups < 1:
        raise Unknown
    wants = weight[0] if transposed else weight[1] * groups
    return {
        "kernel": weight[2:],
        "stride": node.pair("strides", 1),
        "padding": node.padding,
        "dilation": node.pair("dilations", 1),
        "groups": groups,
        "bias": len(node.node.input) > 2,
        "transposed": transposed,
        "weight": weight,
        **({"output_padding": node.pair("output_padding", 0)} if transposed else {}),
        **({"wants": wants} if node.first[1] != wants or weight[0] % groups else {}),
    }


def _pool(node: Node) -> dict[str, Any]:
    if len(node.first) < 3:
        raise Unknown
    return {
        "kernel": node.pair("kernel_shape", 1),
        "stride": node.pair("strides", 1),
        "padding": node.padding,
        "dilation": node.pair("dilations", 1),
    }


def _gemm(node: Node) -> dict[str, Any]:
    (rows, inner), (wants, columns) = node.first, node.shape(1)
    if node.number("transA"):
        rows, inner = inner, rows
    if node.number("transB"):
        wants, columns = columns, wants
    return {"inner": inner, **({"wants": wants, "rows": rows, "columns": columns} if inner != wants else {})}


def _matmul(node: Node) -> dict[str, Any]:
    inner, other = node.first[-1], node.shape(1)
    wants = other[-2] if len(other) > 1 else other[-1]
    return {"inner": inner, **({"wants": wants} if inner != wants else {})}


def _recurrent(node: Node) -> dict[str, Any]:
    """Matrix products of all steps: of the input and of the state, for each gate and direction."""
    steps, batch, width = node.first
    hidden = node.number("hidden_size") or node.shape(2)[-1]
    directions = 2 if node.attributes.get("direction") == b"bidirectional" else 1
    gates = _GATES[node.node.op_type]
    return {"macs": steps * batch * directions * gates * hidden * (width + hidden), "opaque": True}


def _einsum(node: Node) -> dict[str, Any]:
    """Every index of a product of two once."""
    given = node.attributes.get("equation", b"")
    terms = (given.decode() if isinstance(given, bytes) else "").replace(" ", "").partition("->")[0].split(",")
    if len(terms) != 2 or any(not term.isalpha() for term in terms):
        raise Unknown
    sizes = {
        letter: side
        for position, term in enumerate(terms)
        for letter, side in zip(term, node.shape(position), strict=True)
    }
    return {"macs": prod(sizes.values()), "opaque": True}


def _slice(node: Node) -> dict[str, Any]:
    """The axis sliced with the longest step, which is what a strided shortcut does."""
    rank = len(node.first)
    steps, axes = node.constant(4) or (1,), node.constant(3) or tuple(range(rank))
    step, axis = max(zip(steps, axes, strict=False), key=lambda pair: (pair[0], -pair[1]))
    return {"dim": axis % rank, "step": step}


def _pad(node: Node) -> dict[str, Any]:
    """In torch's order: before and behind the last axis first."""
    pads = node.constant(1) or tuple(node.attributes.get("pads") or ())
    half = len(pads) // 2
    if not half:
        raise Unknown
    return {"pad": tuple(n for axis in reversed(range(half)) for n in (pads[axis], pads[half + axis]))}


def _transpose(node: Node) -> dict[str, Any]:
    rank = len(node.first)
    dims = tuple(node.attributes.get("perm") or reversed(range(rank)))
    if sorted(dims) != list(range(rank)):
        raise Unknown
    return {"dims": dims}


def _reduce(node: Node) -> dict[str, Any]:
    """Axes are an attribute, or an input in newer versions; without any, all are reduced."""
    rank = len(node.first)
    axes = node.constant(1) or tuple(node.attributes.get("axes") or ()) or tuple(range(rank))
    return {"reduced": tuple(axis % rank for axis in axes), "keeps": bool(node.number("keepdims", 1))}


def _scale(node: Node) -> dict[str, Any]:
    """The shapes of a product of two paths."""
    if len(node.inputs) != 2 or any(name in node.constants for name in node.node.input):
        return {}
    return {"factors": (node.shape(0), node.shape(1))}


def _concat(node: Node) -> dict[str, Any]:
    """Paths that differ in another axis than the one they are joined along are refused, as PyTorch does."""
    shapes, axis = [node.shape(i) for i in range(len(node.inputs))], node.number("axis", 1)
    rests = [tuple(side for i, side in enumerate(s) if i != axis % len(s)) for s in shapes]
    most = Counter(rests).most_common(1)[0][0]
    reference = shapes[rests.index(most)]
    if all(rest == most for rest in rests):
        return {"dim": axis}
    facts = {"shapes": tuple(shapes), "dim": axis, "reference": reference}
    return {"dim": axis, "refusal": {"rule": "concat-differs", "facts": facts}}


_READERS: dict[str, Callable[[Node], dict[str, Any]]] = {
    "Conv": _conv,
    "ConvTranspose": _conv,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
    "Einsum": _einsum,
    "Slice": _slice,
    "Pad": _pad,
    "Transpose": _transpose,
    "ReduceMean": _reduce,
    "Mul": _scale,
    "Concat": _concat,
}
