"""What PyTorch raises at an addition whose operands do not match: found by running that addition."""

from __future__ import annotations

from functools import lru_cache

import torch

from ..tracing.operations import Op, added
from ..tracing.repeats import Shape


def addition_error(op: Op) -> str:
    """ "RuntimeError: The size of tensor a (28) must match …", as PyTorch words it; empty if it raises nothing.

    Args:
        op: an addition of two activations.
    """
    first, second = op.in_shapes
    return _raised(first, second, bool(op.attrs.get("in_place")))


@lru_cache(maxsize=256)
def _raised(first: Shape, second: Shape, in_place: bool) -> str:
    if added(first, second, in_place=in_place) is not None:
        return ""  # it raises nothing, and its result would need memory
    try:
        if in_place:
            torch.empty(first, dtype=torch.uint8).add_(_expanded(second))
        else:
            torch.add(_expanded(first), _expanded(second))
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _expanded(shape: Shape) -> torch.Tensor:
    """A tensor of any shape in one byte. It is on the CPU: the meta device words the same error differently."""
    return torch.zeros((), dtype=torch.uint8).expand(shape)
