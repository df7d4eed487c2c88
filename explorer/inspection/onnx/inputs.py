"""Inputs of an ONNX graph: open sides get a length, given or assumed, and weights listed as inputs are weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import TensorProto

from ...errors import TraceError
from ...spec import shapes

_IMAGE = (1, 3, 224, 224)  # a side that the file leaves open, of four
_LENGTH = 16  # any other open side but the first, which is the batch
# Operator -> from which input on it reads weights only.
_WEIGHTS_FROM = {
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "LSTM", "GRU", "RNN", "PRelu"), 1),
    **dict.fromkeys(("BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization"), 1),
}

Given = Sequence[Sequence[int]] | Mapping[str, Sequence[int]]


def fix_inputs(graph: Any, given: Given = ()) -> list[str]:
    """Give every open side of an input a length, and forget shapes noted elsewhere, in which it may be open too.

    Args:
        given: shapes with the batch dimension, in order or by name; they must agree with the sides that the file fixes.

    Returns:
        What was assumed, in sentences.

    Raises:
        TraceError: ``given`` contradicts the file.
    """
    _store_weights(graph)
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored]
    wanted = _by_name(inputs, given)
    lengths: dict[str, int] = {}  # by the name that the file gives an open side
    notes, was_open = [], False
    for value in sorted(inputs, key=lambda value: value.name not in wanted):
        tensor = value.type.tensor_type
        if value.name in wanted:
            was_open = True
            _give(value.name, tensor, wanted[value.name], lengths)
        elif not tensor.HasField("shape"):
            notes.append(
                f"The file does not contain the shape of its input {value.name[:80]!a}. Pass it with --input on the "
                "command line."
            )
            was_open = True
        else:
            filled = _fill(tensor.shape.dim, lengths)
            was_open = was_open or bool(filled)
            if any(filled):  # not the batch alone
                name = f" {value.name[:80]!a}" if len(inputs) > 1 else ""
                shape = shapes.text(dim.dim_value for dim in tensor.shape.dim[1:])
                notes.append(f"The file leaves the size of its input{name} open: {shape} is taken.")
    _forget_shapes(graph, keep=not was_open)
    return notes


def _store_weights(graph: Any) -> None:
    """List inputs that are read as weights only, in a file that was exported without them, as stored."""
    stored = {tensor.name for tensor in graph.initializer}
    roles: dict[str, set[bool]] = {}
    for node in graph.node:
        for position, name in enumerate(node.input):
            first = _WEIGHTS_FROM.get(node.op_type)
            roles.setdefault(name, set()).add(first is not None and position >= first)
    for value in graph.input:
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if roles.get(value.name) == {True} and value.name not in stored and dims and min(dims) > 0:
            graph.initializer.append(
                TensorProto(name=value.name, dims=dims, data_type=value.type.tensor_type.elem_type)
            )


def _by_name(inputs: Sequence[Any], given: Given) -> dict[str, Sequence[int]]:
    names = [value.name for value in inputs]
    listed = ", ".join(repr(name[:40]) for name in names)
    if not isinstance(given, Mapping):
        if len(given) > len(names):
            raise TraceError(f"--input: got {len(given)} shapes; the ONNX file has {len(names)} inputs: {listed}")
        return dict(zip(names, given, strict=False))
    unknown = [name for name in given if name not in names]
    if unknown:
        raise TraceError(f"--input: the ONNX file has no input {unknown[0][:80]!a}; it has {listed}")
    return dict(given)


def _give(name: str, tensor: Any, shape: Sequence[int], lengths: dict[str, int]) -> None:
    if not tensor.HasField("shape"):
        for side in shape:
            tensor.shape.dim.add().dim_value = side
        return
    dims = tensor.shape.dim
    fixed = [dim.dim_value if dim.dim_value > 0 else lengths.get(dim.dim_param, 0) for dim in dims]
    if len(dims) != len(shape) or any(f and f != s for f, s in zip(fixed, shape, strict=True)):
        words = "×".join(str(f or "any") for f in fixed)
        raise TraceError(
            f"--input: {name[:80]!a} is {words} in the ONNX file, batch included; got {shapes.text(shape)}"
        )
    for dim, side in zip(dims, shape, strict=True):
        if dim.dim_value < 1 and dim.dim_param:
            lengths[dim.dim_param] = side
        dim.dim_value = side


def _fill(dims: Sequence[Any], lengths: dict[str, int]) -> list[bool]:
    """Fill open sides; for each of them, whether it is another than the batch. Sides of one name get one length."""
    filled = []
    for index, dim in enumerate(dims):
        if dim.dim_value > 0:
            continue
        default = _IMAGE[index] if len(dims) == 4 else 1 if index == 0 else _LENGTH
        filled.append(index > 0)
        name = dim.dim_param
        dim.dim_value = lengths.setdefault(name, default) if name else default
    return filled


def _forget_shapes(graph: Any, *, keep: bool) -> None:
    """Forget shapes that the file notes, except those of operators that only the file knows, if ``keep``."""
    known = {name for node in graph.node if not node.domain or node.domain == "ai.onnx" for name in node.output}
    kept = [value for value in graph.value_info if keep and value.name not in known and _is_fixed(value)]
    kept = [type(value).FromString(value.SerializeToString()) for value in kept]
    del graph.value_info[:]
    graph.value_info.extend(kept)
    for value in graph.output:
        if value.type.HasField("tensor_type") and not (keep and value.name not in known and _is_fixed(value)):
            value.type.tensor_type.ClearField("shape")


def _is_fixed(value: Any) -> bool:
    dims = value.type.tensor_type.shape.dim
    return bool(dims) and min(dim.dim_value for dim in dims) > 0
