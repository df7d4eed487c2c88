"""Nodes of an ONNX graph as this program's operations, with shapes that survive what does not match or is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, helper, shape_inference

from ...errors import TraceError
from ..tracing.forks import find_fork
from ..tracing.operations import Op
from ..tracing.repeats import Shape
from .attributes import Node, Unknown, attributes
from .constants import Constants
from .order import inner_graphs, reads
from .parameters import is_setting, parameter_count
from .plain import CONTRIB, SAME_SHAPE
from .refused import Refused, Side, refused_node
from .scopes import own_path, placed

_MAX_REFUSED = 200  # nodes that do not match: each takes another pass
_MAX_ROUNDS = 40  # shapes that depend on values that depend on shapes
_NAMES = {
    **{"Conv": "conv", "ConvTranspose": "conv", "BatchNormalization": "batch_norm", "GroupNormalization": "group_norm"},
    **{"InstanceNormalization": "group_norm", "LayerNormalization": "layer_norm", "LeakyRelu": "leaky_relu"},
    **{"MaxPool": "max_pool", "AveragePool": "avg_pool", "GlobalAveragePool": "adaptive_avg_pool"},
    **{"ReduceMean": "mean", "Gemm": "linear", "Flatten": "view", "Reshape": "view", "Sum": "add", "Concat": "cat"},
}
_WITHOUT_EFFECT = frozenset({"Identity", "Dropout", "Cast", "CastLike", "QuantizeLinear", "DequantizeLinear"})
_OWN = ("", "ai.onnx")  # names of the domain of ONNX's own operators
_MULTIPLY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "Einsum"})
# They multiply matrices, which is not worked out here.
_UNCOUNTED = frozenset({"Attention", "DeformConv"})

Shapes = dict[str, tuple[Shape, int]]


@dataclass(frozen=True)
class NodeOp:
    """An operation, the kind of node it was, and the parameters it is the first to read."""

    op: Op
    kind: str
    params: int


@dataclass(frozen=True)
class Nodes:
    """What a graph does.

    Attributes:
        uncounted: how often kinds of node occur whose work is not counted.
        unknown: of how many operations the shape is not known.
        first_unknown: kind of the first such node, and the name of what it gives.
    """

    ops: list[NodeOp]
    uncounted: Counter[str]
    unknown: int
    first_unknown: tuple[str, str]


def read_nodes(model: ModelProto, scales: frozenset[str] = frozenset()) -> Nodes:
    """Every node that depends on an input, in order, behind the inputs themselves. ``model`` is used up.

    Where two sides of a sum can't be added, the shape of the main branch continues, as in ``trace``. An operation whose
    shape is not known has the attribute ``unknown`` and no sides.

    Args:
        scales: as ``Constants``'s.

    Raises:
        TraceError: the graph has no input, or more nodes do not match than are looked at.
    """
    constants = Constants(model.graph, scales)
    constants.store_in(model.graph)
    for _ in range(_MAX_ROUNDS):
        if not constants.derive(model.graph, {name: shape for name, (shape, _) in _shapes(model, {}).items()}):
            break
        constants.store_in(model.graph)
    instead: dict[int, Shape | str] = {  # node -> shape that it gives, or name of the tensor whose shape it gives
        index: node.input[0]
        for index, node in enumerate(model.graph.node)
        if node.domain == CONTRIB and node.op_type in SAME_SHAPE and node.input
    }
    refused: set[int] = set()
    for _ in range(_MAX_REFUSED):
        walk = _Walk(model, constants, _shapes(model, instead), refused)
        if walk.broken is None:
            return walk.nodes()
        index, shape = walk.broken
        instead[index] = shape
        refused.add(index)
    raise TraceError(f"more than {_MAX_REFUSED} nodes of the ONNX graph do not match")


def _shapes(model: ModelProto, instead: Mapping[int, Shape | str]) -> Shapes:
    """Shape and bytes per element of every tensor whose shape is known."""
    shown = ModelProto()
    shown.CopyFrom(model)
    for index, given in instead.items():
        node = shown.graph.node[index]
        name = given if isinstance(given, str) else f"shape of node {index}"
        if not isinstance(given, str):
            shown.graph.initializer.append(TensorProto(name=name, dims=given, data_type=TensorProto.FLOAT))
        node.CopyFrom(helper.make_node("Identity", [name], node.output[:1]))
    try:
        graph = shape_inference.infer_shapes(shown, data_prop=True).graph
    except Exception:  # of many classes, for versions, types and shapes that it does not take: they stay unknown
        graph = shown.graph
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
        broken: a node that does not match and isn't yet in ``refused``, with what gives the shape that continues; the
            pass ended there.
    """

    def __init__(self, model: ModelProto, constants: Constants, shapes: Shapes, refused: set[int]) -> None:
        self.constants, self.shapes, self.refused = constants, shapes, refused
        self.broken: tuple[int, Shape | str] | None = None
        self.node_ops: list[NodeOp] = []
        self.paths: list[str | None] = []
        self.producers: dict[str, int] = {}
        self.counted: set[str] = set()
        self.uncounted: Counter[str] = Counter()
        self.unknown: list[tuple[str, str]] = []
        for value in model.graph.input:
            if value.name not in constants:
                self._append("input", "", [value.name], [], {}, 0, "")
        if not self.node_ops:
            raise TraceError("the ONNX graph has no input")
        for index, node in enumerate(model.graph.node):
            self._node(index, node)
            if self.broken:
                return

    def nodes(self) -> Nodes:
        """The operations, each with the path of a module; in a graph that tells of none, with the name of its node."""
        ops = [node.op for node in self.node_ops]
        if any(path for path in self.paths):
            paths = placed([op.name for op in ops], [op.inputs for op in ops], self.paths)
        else:
            paths = [f"{node.kind}_{node.op.index}" if node.kind else "" for node in self.node_ops]
        placed_ops = [replace(n, op=replace(n.op, path=path)) for n, path in zip(self.node_ops, paths, strict=True)]
        return Nodes(placed_ops, self.uncounted, len(self.unknown), (self.unknown or [("", "")])[0])

    def _node(self, index: int, node: NodeProto) -> None:
        read = [name for name in reads(node) if name in self.producers]
        outputs = [name for name in node.output if name]
        if not read or not outputs:
            return
        if node.op_type in _WITHOUT_EFFECT and node.domain in _OWN:
            self.producers[outputs[0]] = self.producers[read[0]]
            if outputs[0] not in self.shapes and read[0] in self.shapes:
                self.shapes[outputs[0]] = self.shapes[read[0]]
            return
        attrs = self._attributes(node)
        wrong = refused_node(node.op_type, self._sides(node), attrs or {}) if node.domain in _OWN else None
        if wrong and index not in self.refused:
            self.broken = (index, self._continuing(wrong, read))
            return
        if attrs is None or outputs[0] not in self.shapes:
            self._note_uncounted(node, known=False)
            name, attrs = node.op_type[:40], {"opaque": True}
        else:
            self._note_uncounted(node, known=True)
            name, attrs = self._name(node, read), attrs | (wrong.attrs if wrong else {})
        path = own_path(node, [name for name in node.input if name in self.constants])
        self._append(name, node.op_type, outputs, read, attrs, self._params(node), path)

    def _attributes(self, node: NodeProto) -> dict[str, Any] | None:
        """Attributes of the operation; None if the operator is not known, or a shape that they hang on."""
        if node.domain not in _OWN:
            return {} if _keeps_shape(node) else None
        if any(self._shape(name) is None for name in node.input if name in self.producers) or inner_graphs(node):
            return None
        try:
            return attributes(Node(node, [self._shape(name) for name in node.input], self.constants))
        except Unknown:
            return None

    def _shape(self, name: str) -> Shape | None:
        known = self.constants.shapes.get(name)
        return known if known is not None else self.shapes[name][0] if name in self.shapes else None

    def _sides(self, node: NodeProto) -> list[Side]:
        """Operands of a node; none if the shape of one is not known."""
        shapes = [(name, self._shape(name)) for name in node.input]
        sides = [Side(name, shape, name in self.producers) for name, shape in shapes if shape is not None]
        return sides if len(sides) == len(shapes) else []

    def _continuing(self, wrong: Refused, read: Sequence[str]) -> Shape | str:
        if wrong.shape is not None:
            return wrong.shape
        fork = find_fork([node.op for node in self.node_ops], *(self.producers[name] for name in read))
        return read[fork.main]

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
            self.unknown.append((kind or name, outputs[0]))
            attrs = {**attrs, "unknown": True, "opaque": True}
        shape, item = self.shapes.get(outputs[0], ((), 0))
        sources = tuple(self.producers[source] for source in read)
        shapes = tuple(self.shapes.get(source, ((), 0))[0] for source in read)
        op = Op(len(self.node_ops), name, "", sources, shapes, shape, item * prod(shape), attrs)
        self.producers |= dict.fromkeys(outputs, op.index)
        self.node_ops.append(NodeOp(op, kind, params))
        self.paths.append(path)

    def _name(self, node: NodeProto, read: Sequence[str]) -> str:
        if node.op_type == "MatMul":
            return "linear" if len(read) == 1 else "bmm"
        return _NAMES.get(node.op_type, node.op_type.lower()[:40])

    def _note_uncounted(self, node: NodeProto, *, known: bool) -> None:
        """Name the kind of a node that may multiply, and whose multiplications are not counted."""
        is_foreign = node.domain not in _OWN and not _keeps_shape(node)
        if is_foreign or inner_graphs(node) or node.op_type in _UNCOUNTED or (node.op_type in _MULTIPLY and not known):
            self.uncounted[node.op_type[:40]] += 1

    def _params(self, node: NodeProto) -> int:
        """Parameters that this node, and what runs inside it, are the first to read."""
        total = 0
        for position, name in enumerate(node.input):
            if is_setting(node.op_type, position):
                continue
            for source in self.constants.behind(name) - self.counted:
                kind, shape = self.constants.stored.get(source, (0, ()))
                literal = source in self.constants.literals
                if count := parameter_count(node.op_type, source, kind, shape, is_literal=literal):
                    self.counted.add(source)
                    total += count
        for graph in inner_graphs(node):
            inner = Constants(graph)
            self.constants.adopt(inner)
            total += sum(self._params(inside) for inside in graph.node)
        return total


def _keeps_shape(node: NodeProto) -> bool:
    return node.domain == CONTRIB and node.op_type in SAME_SHAPE
