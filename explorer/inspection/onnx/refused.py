"""Nodes that no runtime takes: why, and the shape with which the pass continues."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from ..tracing.operations import added
from ..tracing.repeats import Shape

SUMS = frozenset({"Add", "Sub", "Sum"})
_ELEMENTWISE = SUMS | {"Mul", "Div"}


@dataclass(frozen=True)
class Side:
    """What an operator of two operands reads: the name and shape of a tensor, and whether it depends on the input."""

    name: str
    shape: Shape
    is_path: bool


@dataclass(frozen=True)
class Refused:
    """Why a node is refused, as attributes of its operation, and the shape that the pass continues with.

    Attributes:
        shape: None for a sum of two paths, where that of the main branch continues.
    """

    attrs: dict[str, Any]
    shape: Shape | None


def refused_node(kind: str, sides: list[Side], attrs: dict[str, Any]) -> Refused | None:
    """What is wrong with a node of this kind; None if nothing is known to be.

    Args:
        attrs: of its operation, as from ``attributes``.
    """
    if kind in _ELEMENTWISE and len(sides) == 2:
        return _elementwise(kind, sides[0], sides[1])
    if kind == "MatMul" and "wants" in attrs and len(sides) == 2:
        first, weight = sides[0].shape, sides[1].shape
        if len(weight) == 2 or weight[:-2] == first[:-2]:
            return Refused({}, (*first[:-1], weight[-1]))
    if kind == "Gemm" and "wants" in attrs:
        return Refused({}, (attrs["rows"], attrs["columns"]))
    if kind == "Concat" and "refusal" in attrs:
        facts = attrs["refusal"]["facts"]
        rank, dim = len(facts["reference"]), facts["dim"] % len(facts["reference"])
        joined = list(facts["reference"])
        joined[dim] = sum(shape[dim] for shape in facts["shapes"] if len(shape) == rank)
        return Refused({}, tuple(joined))
    return None


def _elementwise(kind: str, first: Side, second: Side) -> Refused | None:
    if added(first.shape, second.shape) is not None:
        return None
    shapes = (first.shape, second.shape)
    if first.is_path and second.is_path:
        if kind in SUMS:
            return Refused({}, None)
        facts: dict[str, Any] = {"shapes": shapes}
        return Refused({"refusal": {"rule": "product-differs", "facts": facts}}, max(shapes, key=prod))
    constant = int(first.is_path)
    facts = {"constant": constant, "shapes": shapes, "name": (first, second)[constant].name}
    return Refused({"refusal": {"rule": "constant-differs", "facts": facts}}, shapes[1 - constant])
