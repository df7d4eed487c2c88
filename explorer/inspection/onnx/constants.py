"""Constants of an ONNX graph: the shapes of all, the values of the short ones, as slices and paddings read them, and
which stored tensors are behind each."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from .parameters import is_setting
from .parsing import LARGEST

# What exporters leave between constants; each gives a short result or is not run.
_EVALUATED = frozenset(
    {
        *("Add", "Cast", "Concat", "ConstantOfShape", "Div", "Gather", "Identity", "Mul", "Reshape", "Shape", "Slice"),
        *("Squeeze", "Sub", "Transpose", "Unsqueeze"),
    }
)


class Constants:
    """All that doesn't depend on the inputs: stored tensors, and what nodes make of these alone.

    Attributes:
        stored: number type and shape of the tensors that the file contains, by name.
        literals: names of those that are written as nodes, as exporters do with numbers in the code.
        shapes: of those and of what nodes make of them, by name, where known.
    """

    def __init__(self, graph: GraphProto, scales: frozenset[str] = frozenset()) -> None:
        """``scales``: names of constants that only scale quantised numbers, as does all that is made of them."""
        self.stored: dict[str, tuple[int, tuple[int, ...]]] = {}
        self.literals: set[str] = set()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._behind: dict[str, frozenset[str]] = {}
        self._values: dict[str, np.ndarray] = {}
        self._scales = set(scales)
        for tensor in graph.initializer:
            self._keep(tensor.name, tensor)
        for sparse in graph.sparse_initializer:
            self._store(sparse.values.name, sparse.values.data_type, tuple(sparse.dims))
        self.derive(graph, {})

    def derive(self, graph: GraphProto, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Work out what nodes make of constants, and of the shapes of tensors in ``shapes``; whether any value was new.

        A shape is constant, because every side of the inputs is fixed.
        """
        before = len(self._values)
        for node in graph.node:
            if node.op_type == "Constant" and node.output:
                self._constant(node)
            elif node.op_type == "Shape" and len(node.input) == 1 and node.input[0] in shapes:
                self._shape(node, shapes[node.input[0]])
            elif all(name in self for name in node.input if name):
                self._derived(node)
        return len(self._values) > before

    def __contains__(self, name: str) -> bool:
        return name in self._behind

    def behind(self, name: str) -> frozenset[str]:
        """Names of the stored tensors that a constant was made of, itself included."""
        return self._behind.get(name, frozenset())

    def adopt(self, inner: Constants) -> None:
        """Add those of a graph inside a node; names that both have are one tensor's."""
        self.stored = inner.stored | self.stored
        self.literals |= inner.literals
        self._behind = inner._behind | self._behind

    def ints(self, name: str) -> tuple[int, ...] | None:
        """Whole numbers of a short constant; None for any other."""
        value = self._values.get(name)
        return None if value is None or value.dtype.kind not in "iu" else tuple(value.reshape(-1).tolist())

    def store_in(self, graph: GraphProto) -> None:
        """Put known values in place of the nodes that give them, so that onnx works out shapes that depend on them."""
        stored = {tensor.name for tensor in graph.initializer}
        kept = [node for node in graph.node if not all(name in self._values for name in node.output)]
        del graph.node[:]
        graph.node.extend(kept)
        values = (item for item in self._values.items() if item[0] not in stored)
        graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values)

    def _store(self, name: str, kind: int, shape: tuple[int, ...]) -> None:
        self.stored[name], self.shapes[name], self._behind[name] = (kind, shape), shape, frozenset({name})

    def _keep(self, name: str, tensor: TensorProto) -> None:
        self._store(name, tensor.data_type, tuple(tensor.dims))
        if min(tensor.dims, default=1) >= 0 and prod(tensor.dims) <= LARGEST:
            try:
                self._values[name] = numpy_helper.to_array(tensor)
            except (ValueError, TypeError, KeyError):  # fewer bytes than its shape says, or an unknown number format
                return

    def _constant(self, node: NodeProto) -> None:
        name = node.output[0]
        self._behind[name] = frozenset({name})
        self.literals.add(name)
        for attribute in node.attribute:
            if attribute.name == "value":
                self._keep(name, attribute.t)
            elif attribute.name == "sparse_value":
                sparse = attribute.sparse_tensor
                self._store(name, sparse.values.data_type, tuple(sparse.dims))
            elif attribute.name in ("value_int", "value_ints"):
                ints = list(attribute.ints) if attribute.name == "value_ints" else attribute.i
                self._set(name, np.array(ints, dtype=np.int64))
            elif attribute.name in ("value_float", "value_floats"):
                floats = list(attribute.floats) if attribute.name == "value_floats" else attribute.f
                self._set(name, np.array(floats, dtype=np.float32))

    def _shape(self, node: NodeProto, shape: tuple[int, ...]) -> None:
        self._behind[node.output[0]] = frozenset()
        self._run(node, {node.input[0]: np.broadcast_to(np.zeros((), np.float32), shape)})

    def _derived(self, node: NodeProto) -> None:
        """Run a node on short constants."""
        sources = [self._behind[n] for i, n in enumerate(node.input) if n and not is_setting(node.op_type, i)]
        scales = not self._scales.isdisjoint(node.input)
        for output in filter(None, node.output):
            self._behind[output] = frozenset() if scales else frozenset().union(*sources)
            self._scales |= {output} if scales else set()
            if node.op_type == "Identity" and node.input[0] in self.shapes:
                self.shapes[output] = self.shapes[node.input[0]]
        values = {name: self._values[name] for name in node.input if name in self._values}
        if node.op_type not in _EVALUATED or len(node.output) != 1 or len(values) < len(set(filter(None, node.input))):
            return
        if node.op_type == "ConstantOfShape" and not all(_gives_few(value) for value in values.values()):
            return
        self._run(node, values)

    def _run(self, node: NodeProto, values: dict[str, Any]) -> None:
        try:
            (result,) = ReferenceEvaluator(node).run(None, values)
        except Exception:  # whatever a damaged node makes of its inputs: its value stays unknown
            return
        self._set(node.output[0], result)

    def _set(self, name: str, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.size <= LARGEST:
            self.shapes[name], self._values[name] = value.shape, value


def _gives_few(shape: np.ndarray) -> bool:
    return 0 <= prod(shape.reshape(-1).tolist()) <= LARGEST
