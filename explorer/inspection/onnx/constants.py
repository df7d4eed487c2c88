"""Constants of an ONNX graph: the shapes of all, and the values of the short ones, as slices and paddings read them."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

LARGEST = 64  # elements of a constant whose value is kept
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
        shapes: by name; empty for a constant whose shape isn't known, and for a single number.
    """

    def __init__(self, graph: GraphProto) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._values: dict[str, np.ndarray] = {}
        for tensor in graph.initializer:
            self._keep(tensor.name, tensor)
        for sparse in graph.sparse_initializer:
            self.shapes[sparse.values.name] = tuple(sparse.dims)
        for node in graph.node:
            if node.op_type == "Constant":
                self._constant(node)
            elif node.input and all(name in self for name in node.input if name):
                self._derived(node)

    def __contains__(self, name: str) -> bool:
        return name in self.shapes

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

    def _keep(self, name: str, tensor: TensorProto) -> None:
        self.shapes[name] = tuple(tensor.dims)
        if prod(tensor.dims) <= LARGEST:
            try:
                self._values[name] = numpy_helper.to_array(tensor)
            except (ValueError, TypeError, KeyError):  # fewer bytes than its shape says, or an unknown number format
                return

    def _constant(self, node: NodeProto) -> None:
        self.shapes[node.output[0]] = ()
        for attribute in node.attribute:
            if attribute.name == "value":
                self._keep(node.output[0], attribute.t)
            elif attribute.name in ("value_int", "value_ints"):
                self._set(node.output[0], np.array(list(attribute.ints) or attribute.i, dtype=np.int64))

    def _derived(self, node: NodeProto) -> None:
        """Run a node on short constants."""
        for output in node.output:
            self.shapes[output] = self.shapes[node.input[0]] if node.op_type == "Identity" else ()
        values = {name: self._values.get(name) for name in node.input if name}
        if node.op_type not in _EVALUATED or not _are_short(values.values()):
            return
        if node.op_type == "ConstantOfShape" and prod(next(iter(values.values())).tolist()) > LARGEST:  # type: ignore[union-attr]
            return
        try:
            (result,) = ReferenceEvaluator(node).run(None, values)
        except Exception:  # whatever a damaged node makes of its inputs: its value stays unknown
            return
        self._set(node.output[0], result)

    def _set(self, name: str, value: Any) -> None:
        if isinstance(value, np.ndarray) and value.size <= LARGEST:
            self.shapes[name], self._values[name] = value.shape, value


def _are_short(values: Iterable[np.ndarray | None]) -> bool:
    return all(value is not None and value.size <= LARGEST for value in values)
