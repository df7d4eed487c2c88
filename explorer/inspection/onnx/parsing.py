"""The bytes of an ONNX file as a model without the values of its weights, which nothing here reads.

No other file is opened: a tensor that is kept beside the file has its shape in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from ...errors import TraceError
from ...file_kinds import START, foreign_kind

MAX_NODES = 5000
LARGEST = 64  # elements of a constant whose value is kept
_DEPTH = 30  # graphs inside graphs
_OPERATORS = ("", "ai.onnx")  # names of the domain of ONNX's own operators


def parse(data: bytes) -> tuple[Any, int, list[str]]:
    """The ``onnx.ModelProto`` of a file, its first ``MAX_NODES`` nodes at most; how many it has; and what to say of it.

    Raises:
        TraceError: it is something else, cut off, damaged, or imports no opset.
    """
    import onnx
    from google.protobuf.message import DecodeError

    if words := foreign_kind(data[:START]):
        raise refusal(words)
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise refusal(_damage(data)) from error
    total = len(model.graph.node)
    del model.graph.node[MAX_NODES:]
    if not all(isinstance(name, str) for name in _names(model)):
        raise refusal("it is damaged: a name in it is not text")
    if not total:
        raise refusal("it is no ONNX file, or its graph is empty")
    count = sum(_drop_values(tensor) for tensor in _tensors([model.graph, *model.functions]))
    notes = []
    if count:
        tensors = "tensor are" if count == 1 else "tensors are"
        notes.append(f"The values of {count:,} {tensors} kept in another file, which was not opened: shapes need none.")
    _import_opsets(model)
    return _inlined(model), total, notes


def refusal(reason: str) -> TraceError:
    """The error for a file that will not be read; ``reason`` speaks of the file as "it"."""
    return TraceError(f"the file was refused: {reason}.")


def _damage(data: bytes) -> str:
    missing = _missing(data)
    if missing:
        return f"it is cut off: at least {missing:,} bytes are missing at its end. Copy or download it again"
    return "it is damaged, or no ONNX file"


def _missing(data: bytes) -> int:
    """Bytes by which the last field of a protobuf message is longer than the file; 0 if it is not such a message.

    A field is its number and wire type as one varint, then a varint (0), 8 bytes (1), a length and as many bytes (2),
    or 4 bytes (5). (Protocol Buffers, "Encoding".)
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0 or number > 1000 or kind not in (0, 1, 2, 5):
            return 0
        length, at = _varint(data, at) if kind in (0, 2) else ({1: 8, 5: 4}[kind], at)
        at += 0 if kind == 0 else length
    return at - len(data) if at - len(data) < 2**40 else 0


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    return value, at


def _drop_values(tensor: Any) -> bool:
    """Forget values that are long, or in another file; returns whether they are in one."""
    import onnx

    is_external = tensor.data_location == onnx.TensorProto.EXTERNAL or bool(tensor.external_data)
    if is_external or min(tensor.dims, default=1) < 0 or prod(tensor.dims) > LARGEST:
        for field, _ in tensor.ListFields():
            if field.name.endswith("_data"):
                tensor.ClearField(field.name)
        tensor.ClearField("data_location")
    return is_external


def _tensors(holders: Sequence[Any], depth: int = 0) -> Iterator[Any]:
    """Every tensor kept in these graphs and functions, those inside nodes too."""
    if depth > _DEPTH:
        raise refusal(f"its graphs contain one another more than {_DEPTH} times")
    for holder in holders:
        stored = getattr(holder, "initializer", ())  # functions have none
        yield from stored
        yield from (part for s in getattr(holder, "sparse_initializer", ()) for part in (s.values, s.indices))
        for node in holder.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                sparse = [*attribute.sparse_tensors]
                sparse += [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
                yield from (part for s in sparse for part in (s.values, s.indices))
                inner = [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
                yield from _tensors(inner, depth + 1)


def _names(model: Any) -> Iterator[Any]:
    """Every name in the model; protobuf gives one that is not UTF-8 as bytes."""
    yield from (entry.domain for entry in model.opset_import)
    yield from (name for function in model.functions for name in (function.name, function.domain, *function.attribute))
    yield from _names_in([model.graph, *model.functions])


def _names_in(holders: Sequence[Any]) -> Iterator[Any]:
    for holder in holders:
        yield holder.name
        values = [*holder.value_info]
        if hasattr(holder, "initializer"):
            yield from (tensor.name for tensor in holder.initializer)
            yield from (part.name for s in holder.sparse_initializer for part in (s.values, s.indices))
            values += [*holder.input, *holder.output]
        else:
            yield from (*holder.input, *holder.output)
        for value in values:
            yield value.name
            yield from (dim.dim_param for dim in value.type.tensor_type.shape.dim)
        for node in holder.node:
            yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
            yield from (text for entry in node.metadata_props for text in (entry.key, entry.value))
            for attribute in node.attribute:
                yield from (attribute.name, attribute.ref_attr_name, attribute.t.name)
                yield from _names_in([*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs])


def _import_opsets(model: Any) -> None:
    """Name a missing opset of ONNX's own operators, and add those of others, whose version changes nothing here."""
    imported = {entry.domain for entry in model.opset_import}
    used = {node.domain for node in model.graph.node}
    if not imported & set(_OPERATORS) and used & set(_OPERATORS):
        if model.ir_version >= 3:
            raise refusal(
                "it imports no opset, so that the versions of its operators are unknown. Export it again, or add the "
                "one it was written for with model.opset_import.add(version=17)"
            )
        model.opset_import.add(domain="", version=1)  # as older files mean it
    for domain in sorted(used - imported - set(_OPERATORS)):
        model.opset_import.add(domain=domain, version=1)


def _inlined(model: Any) -> Any:
    """The model with the functions that it defines put in place of their calls."""
    if not model.functions:
        return model
    from onnx.inliner import inline_local_functions

    try:
        return inline_local_functions(model)
    except (RuntimeError, ValueError) as error:
        raise refusal("the functions it defines cannot be put in place; it is damaged") from error
