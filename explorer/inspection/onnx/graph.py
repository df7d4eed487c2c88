"""An ONNX file as a report: its graph, its shapes, and the same check of every sum. Weights are not looked at.

Reading and reporting are apart: ``read`` may run in a child process with limits, and gives plain JSON values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

from ...errors import TraceError
from ...spec import shapes
from ..report import Report
from ..tracing.operations import Op
from ..tracing.repeats import Layer, Recording, Trace

MAX_NODES = 5000
_DEFAULT = (1, 3, 224, 224)  # the value for a side of the input that the file leaves open
_NO_NAMES = ("main_graph", "torch_jit", "torch-jit-export")


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """What an ONNX file shows.

    Attributes:
        report: with no spec; its name says where the graph was cut.
        notes: what was left out or assumed, in sentences.
    """

    report: Report
    notes: tuple[str, ...]


def inspect_onnx(data: bytes) -> Report:
    """The report of an ONNX file, without a child process: for files one trusts.

    Raises:
        TraceError: not such a file, it points to other files, or the shapes in it can't be worked out.
    """
    return report_of(read(data)).report


def write_graph(path: Path, result: Path) -> None:
    """A job for a child process: ``read`` of a file, as JSON."""
    result.write_text(json.dumps(read(path.read_bytes())), encoding="utf-8")


def read_graph(result: Path) -> OnnxGraph:
    """What ``write_graph`` wrote."""
    return report_of(json.loads(result.read_text(encoding="utf-8")))


def read(data: bytes) -> dict[str, Any]:
    """The graph as plain JSON values, for ``report_of``.

    Raises:
        TraceError: as ``inspect_onnx``.
    """
    from .nodes import read_nodes

    model = _parsed(data)
    name, total = _name(model.graph.name), len(model.graph.node)
    notes = _fix_inputs(model.graph)
    if total > MAX_NODES:
        del model.graph.node[MAX_NODES:]
        name += f" (the first {MAX_NODES:,} of {total:,} nodes)"
        notes.append(f"The graph has {total:,} nodes; only the first {MAX_NODES:,} are shown, checked and counted.")
    if not any(node.op_type.endswith("Normalization") for node in model.graph.node):
        notes.append("The graph has no normalisation: exporters fold it into the convolutions before it.")
    nodes = read_nodes(model)
    return {
        "name": name,
        "notes": notes,
        "ops": [asdict(node.op) for node in nodes],
        "kinds": [node.kind for node in nodes],
        "params": [node.params for node in nodes],
    }


def report_of(graph: Mapping[str, Any]) -> OnnxGraph:
    """``read``'s values as a report."""
    ops = tuple(Op(**{name: _frozen(value) for name, value in op.items()}) for op in graph["ops"])
    params: dict[str, int] = {}
    for op, count in zip(ops, graph["params"], strict=True):
        if count:
            params[op.path] = params.get(op.path, 0) + count
    holders = {holder for op in ops for holder in _holders(op.path)}
    leaves = {op.path: kind for op, kind in zip(ops, graph["kinds"], strict=True) if op.path not in holders}
    kinds = {"": graph["name"], **dict.fromkeys(sorted(holders), "block"), **leaves, **({"": graph["name"]})}
    layers = tuple(_layers(ops, params, kinds))
    trace = Trace(Recording(graph["name"], ops, lambda: layers, params, kinds))
    return OnnxGraph(Report(graph["name"], None, ops[0].shape, trace), tuple(graph["notes"]))


def _frozen(value: Any) -> Any:
    """JSON's lists as tuples, at any depth."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    return {name: _frozen(item) for name, item in value.items()} if isinstance(value, dict) else value


def _holders(path: str) -> Iterator[str]:
    """Paths of the modules around a path: "layer1", "layer1.0" of "layer1.0.conv1"."""
    parts = path.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts)))


def _layers(ops: Sequence[Op], params: Mapping[str, int], kinds: Mapping[str, str]) -> Iterator[Layer]:
    """Rows as torchinfo gives them: modules before what they hold, each where it first runs."""
    inside: dict[str, list[Op]] = {}
    for op in ops:
        for path in (*_holders(op.path), op.path):
            inside.setdefault(path, []).append(op)
    for path, members in sorted(inside.items(), key=lambda item: (item[1][0].index, item[0].count("."))):
        if path:
            total = sum(count for owner, count in params.items() if f"{owner}.".startswith(f"{path}."))
            first, last = members[0], members[-1]
            kernel = first.attrs.get("kernel", ()) if len(members) == 1 else ()
            in_shape = first.in_shapes[0] if first.in_shapes else ()
            depth = path.count(".") + 1
            yield Layer(path, kinds.get(path, "block"), depth, in_shape, last.shape, kernel, total, False)


def _parsed(data: bytes) -> Any:
    """The ``onnx.ModelProto`` of the file, without the bytes of its weights, which nothing here reads."""
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.inliner import inline_local_functions

    from .constants import LARGEST

    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise TraceError("the file was refused: it is damaged, or no ONNX file.") from error
    if not model.graph.node:
        raise TraceError("the file was refused: it is no ONNX file, or its graph is empty.")
    for tensor in _tensors([model.graph, *model.functions]):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise TraceError(
                f"the file was refused: it keeps {tensor.name[:80]!a} in another file, which is not opened. "
                "Save it as one file (external_data=False)."
            )
        if prod(tensor.dims) > LARGEST:
            for field, _ in tensor.ListFields():
                if field.name.endswith("_data"):
                    tensor.ClearField(field.name)
    return inline_local_functions(model) if model.functions else model


def _tensors(holders: Sequence[Any]) -> Iterator[Any]:
    """Every tensor kept in these graphs and functions, those inside nodes too."""
    for holder in holders:
        stored = getattr(holder, "initializer", ())  # functions have none
        yield from stored
        yield from (part for s in getattr(holder, "sparse_initializer", ()) for part in (s.values, s.indices))
        for node in holder.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                yield from (s.values for s in attribute.sparse_tensors)
                if attribute.HasField("sparse_tensor"):
                    yield attribute.sparse_tensor.values
                yield from _tensors([*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs])


def _name(given: str) -> str:
    words = " ".join(given[:60].split())
    return words if words and words not in _NO_NAMES else "ONNX network"


def _fix_inputs(graph: Any) -> list[str]:
    """Give every open side of an input a length, and forget shapes noted elsewhere, in which it may be open too."""
    stored = {tensor.name for tensor in graph.initializer}
    notes = []
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name in stored:
            continue
        is_open = [dim.dim_value < 1 for dim in dims]
        for dim, default in zip(dims, _DEFAULT, strict=False):
            if dim.dim_value < 1:
                dim.dim_value = default
        if any(is_open[1:]):
            shape = shapes.text(dim.dim_value for dim in dims[1:])
            notes.append(f"The file leaves the size of its input open: {shape} is taken.")
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    return notes
