"""Nodes of an ONNX graph as this program's operations, with shapes that survive additions that do not match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from onnx import ModelProto, NodeProto, helper, shape_inference

from ...errors import TraceError
from ..tracing.forks import find_fork
from ..tracing.operations import Op, added
from ..tracing.repeats import Shape
from .constants import Constants
from .scopes import own_path, placed

_MAX_BROKEN = 200  # additions that do not match: each takes another pass
_NAMES = {
    **{"Conv": "conv", "ConvTranspose": "conv", "BatchNormalization": "batch_norm", "GroupNormalization": "group_norm"},
    **{"InstanceNormalization": "group_norm", "LayerNormalization": "layer_norm", "LeakyRelu": "leaky_relu"},
    **{"MaxPool": "max_pool", "AveragePool": "avg_pool", "GlobalAveragePool": "adaptive_avg_pool"},
    **{"ReduceMean": "mean", "Gemm": "linear", "Flatten": "view", "Reshape": "view", "Sum": "add"},
}
_WITHOUT_EFFECT = frozenset({"Identity", "Dropout", "Cast"})
# How many inputs of a kind of node are data and parameters; what follows are running statistics or settings.
_WITH_PARAMETERS = {
    **{"Conv": 3, "ConvTranspose": 3, "Gemm": 3, "MatMul": 2, "PRelu": 2, "Add": 2, "BatchNormalization": 3},
    **{"GroupNormalization": 3, "InstanceNormalization": 3, "LayerNormalization": 3},
}


@dataclass(frozen=True)
class NodeOp:
    """An operation, the kind of node it was, and the parameters it is the first to read."""

    op: Op
    kind: str
    params: int


def read_nodes(model: ModelProto) -> list[NodeOp]:
    """Every node that depends on an input, in order, behind the inputs themselves. ``model`` is used up.

    Where two sides of a sum can't be added, the shape of the main branch continues, as in ``trace``.

    Raises:
        TraceError: a shape can't be worked out; names the node.
    """
    constants = Constants(model.graph)
    constants.store_in(model.graph)
    instead: dict[int, str] = {}  # position of an addition that does not match -> name of its main branch
    for _ in range(_MAX_BROKEN):
        walk = _Walk(model, constants, _shapes(model, instead), instead)
        if walk.broken is None:
            return walk.placed()
        instead.update([walk.broken])
    raise TraceError(f"more than {_MAX_BROKEN} additions of the ONNX graph do not match")


def _shapes(model: ModelProto, instead: Mapping[int, str]) -> dict[str, tuple[Shape, int]]:
    """Shape and bytes per element of every tensor whose shape is known."""
    shown = ModelProto()
    shown.CopyFrom(model)
    for index, main in instead.items():
        shown.graph.node[index].CopyFrom(helper.make_node("Identity", [main], shown.graph.node[index].output))
    try:
        graph = shape_inference.infer_shapes(shown, data_prop=True).graph
    except (shape_inference.InferenceError, RuntimeError, ValueError) as error:
        raise TraceError("the shapes in the ONNX file can't be worked out: it is damaged") from error
    found = {}
    for value in [*graph.input, *graph.value_info, *graph.output]:
        tensor = value.type.tensor_type
        dims = tuple(dim.dim_value for dim in tensor.shape.dim)
        if tensor.HasField("shape") and all(side > 0 for side in dims):
            found[value.name] = (dims, _item(tensor.elem_type))
    return found


def _item(kind: int) -> int:
    """Bytes of an element; 4 for formats numpy doesn't know."""
    try:
        return int(helper.tensor_dtype_to_np_dtype(kind).itemsize)
    except (KeyError, TypeError, ValueError):
        return 4


class _Walk:
    """One pass over the nodes.

    Attributes:
        broken: an addition that does not match and isn't yet in ``instead``, with the name of its main branch; the pass
            ended there.
    """

    def __init__(
        self,
        model: ModelProto,
        constants: Constants,
        shapes: dict[str, tuple[Shape, int]],
        instead: Mapping[int, str],
    ) -> None:
        self.constants, self.shapes, self.instead = constants, shapes, instead
        self.broken: tuple[int, str] | None = None
        self.node_ops: list[NodeOp] = []
        self.paths: list[str | None] = []
        self.producers: dict[str, int] = {}
        self.counted: set[str] = set()
        for value in model.graph.input:
            if value.name not in constants:
                self._append("input", "", [value.name], [], {}, 0, "")
        if not self.node_ops:
            raise TraceError("the ONNX graph has no input")
        for index, node in enumerate(model.graph.node):
            self._node(index, node)
            if self.broken:
                return

    def placed(self) -> list[NodeOp]:
        """The operations, each with the path of a module; in a graph that tells of none, with the name of its node."""
        ops = [node.op for node in self.node_ops]
        if any(path for path in self.paths):
            paths = placed([op.name for op in ops], [op.inputs for op in ops], self.paths)
        else:
            paths = [f"{node.kind}_{node.op.index}" if node.kind else "" for node in self.node_ops]
        return [replace(node, op=replace(node.op, path=path)) for node, path in zip(self.node_ops, paths, strict=True)]

    def _node(self, index: int, node: NodeProto) -> None:
        read = [name for name in node.input if name in self.producers]
        if not read or not node.output:
            return
        if node.op_type in _WITHOUT_EFFECT:
            self.producers[node.output[0]] = self.producers[read[0]]
            self.shapes.setdefault(node.output[0], self.shapes[read[0]])
            return
        sides = [self.shapes[name][0] for name in read]
        if node.op_type == "Add" and len(read) == 2 and index not in self.instead and added(sides[0], sides[1]) is None:
            fork = find_fork([node.op for node in self.node_ops], *(self.producers[name] for name in read))
            self.broken = (index, read[fork.main])
            return
        name = self._name(node, read)
        weights = [name for name in node.input if name in self.constants]
        attrs = _READERS.get(node.op_type, _nothing)(_Node(node, sides, weights, self.constants))
        self._append(name, node.op_type, list(node.output), read, attrs, self._params(node), own_path(node, weights))

    def _append(
        self,
        name: str,
        kind: str,
        outputs: list[str],
        read: list[str],
        attrs: dict[str, Any],
        params: int,
        path: str | None,
    ) -> None:
        if outputs[0] not in self.shapes:
            raise TraceError(f"the ONNX file: the shape that {kind or name} gives to {outputs[0][:80]!a} is unknown")
        shape, item = self.shapes[outputs[0]]
        sources = tuple(self.producers[source] for source in read)
        shapes = tuple(self.shapes[source][0] for source in read)
        op = Op(len(self.node_ops), name, "", sources, shapes, shape, item * prod(shape), attrs)
        self.producers |= dict.fromkeys(outputs, op.index)
        self.node_ops.append(NodeOp(op, kind, params))
        self.paths.append(path)

    def _name(self, node: NodeProto, read: Sequence[str]) -> str:
        if node.op_type == "MatMul":
            return "linear" if len(read) == 1 else "bmm"
        return _NAMES.get(node.op_type, node.op_type.lower()[:40])

    def _params(self, node: NodeProto) -> int:
        """Parameters this node is the first to read."""
        names = list(node.input)[1 : _WITH_PARAMETERS.get(node.op_type, 0)]
        if node.op_type in ("Add", "MatMul"):
            names = list(node.input)
        fresh = {name for name in names if name in self.constants} - self.counted
        self.counted |= fresh
        return sum(prod(self.constants.shapes[name]) for name in fresh)


class _Node:
    """A node's attributes, the shapes it reads, and its constants."""

    def __init__(self, node: NodeProto, sides: list[Shape], weights: list[str], constants: Constants) -> None:
        self.node, self.sides, self.weights, self.constants = node, sides, weights, constants
        self.attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute if not a.g.ByteSize()}

    def pair(self, name: str, default: int) -> Shape:
        """An attribute of one number for each axis of the map."""
        return tuple(self.attributes.get(name) or [default] * max(1, len(self.sides[0]) - 2))

    def number(self, name: str, default: int = 0) -> int:
        return int(self.attributes.get(name, default))

    def constant(self, position: int) -> Shape | None:
        """Whole numbers given as an input."""
        given = self.node.input
        return self.constants.ints(given[position]) if position < len(given) else None

    @property
    def padding(self) -> Shape:
        """Before each axis; behind it exporters of ResNets put as much."""
        pads = self.pair("pads", 0)
        return pads[: len(pads) // 2] if "pads" in self.attributes else pads


def _nothing(node: _Node) -> dict[str, Any]:
    return {}


def _conv(node: _Node) -> dict[str, Any]:
    weight = node.constants.shapes[node.weights[0]] if node.weights else ()
    if len(weight) < 3 and "kernel_shape" not in node.attributes:
        raise TraceError(f"the ONNX file: the weight of the convolution {node.node.name[:80]!a} is not stored in it")
    return {
        "kernel": tuple(node.attributes.get("kernel_shape", weight[2:])),
        "stride": node.pair("strides", 1),
        "padding": node.padding,
        "dilation": node.pair("dilations", 1),
        "groups": node.number("group", 1),
        "bias": len(node.node.input) > 2,
        "transposed": node.node.op_type == "ConvTranspose",
        "weight": weight,
    }


def _pool(node: _Node) -> dict[str, Any]:
    return {
        "kernel": node.pair("kernel_shape", 1),
        "stride": node.pair("strides", 1),
        "padding": node.padding,
        "dilation": node.pair("dilations", 1),
    }


def _gemm(node: _Node) -> dict[str, Any]:
    return {"inner": node.sides[0][0 if node.number("transA") else -1]}


def _matmul(node: _Node) -> dict[str, Any]:
    return {"inner": node.sides[0][-1]}


def _slice(node: _Node) -> dict[str, Any]:
    """The axis sliced with the longest step, which is what a strided shortcut does."""
    rank = len(node.sides[0])
    steps, axes = node.constant(4) or (1,), node.constant(3) or tuple(range(rank))
    step, axis = max(zip(steps, axes, strict=False), key=lambda pair: (pair[0], -pair[1]))
    return {"dim": axis % rank, "step": step}


def _pad(node: _Node) -> dict[str, Any]:
    """In torch's order: before and behind the last axis first."""
    pads = node.constant(1) or tuple(node.attributes.get("pads", ()))
    half = len(pads) // 2
    return {"pad": tuple(n for axis in reversed(range(half)) for n in (pads[axis], pads[half + axis]))}


def _transpose(node: _Node) -> dict[str, Any]:
    return {"dims": tuple(node.attributes.get("perm") or reversed(range(len(node.sides[0]))))}


def _reduce(node: _Node) -> dict[str, Any]:
    """Axes are an attribute, or an input in newer versions; without any, all are reduced."""
    rank = len(node.sides[0])
    axes = node.constant(1) or tuple(node.attributes.get("axes", ())) or tuple(range(rank))
    return {"reduced": tuple(axis % rank for axis in axes), "keeps": bool(node.attributes.get("keepdims", 1))}


_READERS: dict[str, Callable[[_Node], dict[str, Any]]] = {
    "Conv": _conv,
    "ConvTranspose": _conv,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Slice": _slice,
    "Pad": _pad,
    "Transpose": _transpose,
    "ReduceMean": _reduce,
}
