"""Example inputs of a module: shapes or tensors in, tensors without memory out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from numpy import empty, ndarray
from torch import Tensor

from ...errors import TraceError
from .repeats import Shape

Sizes = Shape | Sequence[Shape]  # of the one input, or of each of several
Inputs = Mapping[str, Any] | Sequence[Any]  # by keyword, or by position


def examples(sizes: Sizes | None, inputs: Inputs | None, default: Shape) -> list[Any] | dict[str, Any]:
    """What ``forward`` is called with: a list of positional or a mapping of keyword arguments.

    Every tensor comes back on the meta device; a tuple or list of whole numbers becomes a float tensor of that shape.
    Everything else, for example a flag or None, is passed on as it is.

    Args:
        sizes: as ``inspect``'s ``input_size``; a shape of up to three sides is that of one element of a batch of one.
        inputs: as ``inspect``'s ``inputs``.
        default: taken where neither is given.

    Raises:
        TraceError: both were given, or a side is not a whole number from 1 on.
    """
    if inputs is not None:
        if sizes is not None:
            raise TraceError("Give input_size or inputs, not both.")
        if isinstance(inputs, Mapping):
            return {name: _on_meta(value) for name, value in inputs.items()}
        return [_on_meta(value) for value in ([inputs] if isinstance(inputs, Tensor) else inputs)]
    sizes = default if sizes is None else sizes
    if not sizes or any(isinstance(size, (tuple, list)) for size in sizes):
        return [_empty(batched(size)) for size in sizes]
    return [_empty(batched(sizes))]


def batched(size: Any) -> Shape:
    """(C, H, W) as (1, C, H, W); four sides as they are."""
    return tuple(size) if len(size) > 3 else (1, *size)


def tensors(values: Any) -> Iterator[Tensor]:
    """Every tensor in lists, tuples and dicts of any depth."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors(value)
        elif isinstance(value, dict):  # a check for any Mapping is much slower, and every operation makes it
            yield from tensors(value.values())


def like(values: Any, dtype: torch.dtype, device: str = "meta") -> Any:
    """New tensors in the place of those in ``values``, floats as ``dtype``: a forward pass may change its inputs. With
    memory they hold numbers from 0 to 1, and whole numbers are 0."""
    if isinstance(values, Tensor):
        dtype = dtype if values.dtype is torch.float32 else values.dtype
        if device == "meta":
            return torch.empty_like(values, dtype=dtype, device="meta")
        made = torch.rand(values.shape, generator=torch.Generator().manual_seed(0))
        return made.to(dtype) if dtype.is_floating_point else torch.zeros(values.shape, dtype=dtype)
    if isinstance(values, Mapping):
        return {name: like(value, dtype, device) for name, value in values.items()}
    if type(values) in (list, tuple):
        return type(values)(like(value, dtype, device) for value in values)
    return values


def _on_meta(value: Any) -> Any:
    if isinstance(value, ndarray):
        value = torch.from_numpy(empty(value.shape, value.dtype))
    if isinstance(value, Tensor):
        return torch.empty_like(value, device="meta")
    if isinstance(value, Mapping):
        return {name: _on_meta(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        if value and all(type(side) is int for side in value):
            return _empty(tuple(value))
        return [_on_meta(item) for item in value]
    return value


def _empty(size: Shape) -> Tensor:
    if not all(type(side) is int and side > 0 for side in size):
        raise TraceError(f"input_size: got {str(size)[:40]}; whole numbers from 1 on are allowed, as (3, 224, 224).")
    return torch.empty(size, device="meta")
