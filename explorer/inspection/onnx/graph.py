"""An ONNX file as a report: its graph, its shapes, and the same check of every sum. Weights are not looked at.

Reading and reporting are apart: ``read`` may run in a child process with limits, and gives plain JSON values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..report import Graph, Report
from ..tracing.operations import Op, Refusal
from ..tracing.repeats import Layer, Recording, Trace

if TYPE_CHECKING:
    from .inputs import Given
    from .nodes import Nodes

SHOWN = 8  # kinds in a sentence
_NO_NAMES = ("main_graph", "torch_jit", "torch-jit-export")


def inspect_onnx(data: bytes, given: Given = ()) -> Report:
    """The report of an ONNX file, without a child process: for files one trusts.

    Args:
        given: shapes of inputs, as ``read``'s.

    Raises:
        TraceError: as ``read``.
    """
    return report_of(read(data, given)).report


def write_graph(path: Path, result: Path, given: str = "[]") -> None:
    """A job for a child process: ``read`` of a file, as JSON. ``given`` is JSON of ``read``'s."""
    result.write_text(json.dumps(read(path.read_bytes(), json.loads(given))), encoding="utf-8")


def read_graph(result: Path) -> Graph:
    """What ``write_graph`` wrote."""
    return report_of(json.loads(result.read_text(encoding="utf-8")))


def read(data: bytes, given: Given = ()) -> dict[str, Any]:
    """The graph as plain JSON values, for ``report_of``.

    Args:
        given: shapes of inputs with the batch dimension, in order or by name, for sides that the file leaves open.

    Raises:
        TraceError: the file is no ONNX file, damaged, no runtime could order its nodes, or ``given`` contradicts it.
    """
    from .inputs import fix_inputs
    from .nodes import read_nodes
    from .order import sort_nodes
    from .parsing import MAX_NODES, parse
    from .plain import make_plain

    model, total, notes = parse(data)
    name = _name(model.graph.name)
    if is_cut := total > MAX_NODES:
        name += f" (the first {MAX_NODES:,} of {total:,} nodes)"
        notes.append(f"The graph has {total:,} nodes; only the first {MAX_NODES:,} are shown, checked and counted.")
    scales = make_plain(model.graph)
    notes += fix_inputs(model.graph, given)
    sort_nodes(model.graph, is_cut=is_cut)
    if not any(node.op_type.endswith("Normalization") for node in model.graph.node):
        notes.append("The graph has no normalisation: exporters fold it into the convolutions before it.")
    nodes = read_nodes(model, scales)
    return {
        "name": name,
        "notes": [*notes, *_gaps(nodes)],
        "ops": [asdict(node.op) for node in nodes.ops],
        "kinds": [node.kind for node in nodes.ops],
        "params": [node.params for node in nodes.ops],
    }


def _gaps(nodes: Nodes) -> Iterator[str]:
    """What could not be worked out, in sentences."""
    if nodes.unknown:
        kind, gives = nodes.first_unknown
        yield (
            f"The shapes of {nodes.unknown:,} of {len(nodes.ops):,} operations are unknown, and sums of them are not "
            f"checked; the first is {kind[:40]!a}, which gives {gives[:80]!a}."
        )
    if nodes.uncounted:
        listed = ", ".join(f"{kind!a} ({times:,}×)" for kind, times in nodes.uncounted.most_common(SHOWN))
        more = len(nodes.uncounted) - SHOWN
        yield f"Not counted in the MACs: {listed}{f' and {more} more kinds' if more > 0 else ''}."


def report_of(graph: Mapping[str, Any]) -> Graph:
    """``read``'s values as a report."""
    ops = tuple(map(_op, graph["ops"]))
    params: dict[str, int] = {}
    for op, count in zip(ops, graph["params"], strict=True):
        if count:
            params[op.path] = params.get(op.path, 0) + count
    holders = {holder for op in ops for holder in _holders(op.path)}
    leaves = {op.path: kind for op, kind in zip(ops, graph["kinds"], strict=True) if op.path not in holders}
    kinds = {"": graph["name"], **dict.fromkeys(sorted(holders), "block"), **leaves, **({"": graph["name"]})}
    layers = tuple(_layers(ops, params, kinds))
    trace = Trace(Recording(graph["name"], ops, lambda: layers, params, kinds))
    return Graph(Report(graph["name"], None, ops[0].shape, trace), tuple(graph["notes"]))


def _op(values: Mapping[str, Any]) -> Op:
    op = Op(**{name: _frozen(value) for name, value in values.items()})
    refusal = op.attrs.get("refusal")
    return replace(op, attrs={**op.attrs, "refusal": Refusal(**refusal)}) if refusal else op


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


def _name(given: str) -> str:
    words = " ".join(given[:60].split())
    return words if words and words not in _NO_NAMES else "ONNX network"
