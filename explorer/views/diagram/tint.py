"""How much of the network's cost, or of its gradient, each box of the diagram carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import hypot, isfinite, log10

from ...gradients import GradientProbe
from ...inspection import Report
from ...inspection.amounts import Amounts, amounts
from ..kit import numbers
from .model import Diagram


class Measure(str, Enum):
    """What the tint shows: the amount of all that a box stands for. A folded run counts all its blocks.

    ``GRADIENT`` is ‖∂L/∂W‖₂ over the weights of all convolutions and linear layers inside, on a logarithmic scale;
    the others are sums, from 0.
    """

    PARAMS = "params"
    MACS = "macs"
    MEMORY = "memory"
    GRADIENT = "gradient"

    @property
    def label(self) -> str:
        """Words for a form."""
        return _LABELS[self]


@dataclass(frozen=True)
class Tint:
    """One measure over a diagram.

    Attributes:
        shares: by node id, 0 (least) … 1 (most); a box without any of it is missing.
        words: by node id, the amount with its unit.
        scale: from what to what the shares run, as a reader reads it.
    """

    shares: Mapping[str, float]
    words: Mapping[str, str]
    scale: str


def tint(report: Report, diagram: Diagram, measure: Measure, probe: GradientProbe | None = None) -> Tint:
    """The amounts of every box of ``diagram``. ``GRADIENT`` needs ``probe``; the other measures ignore it."""
    if measure is Measure.GRADIENT:
        assert probe is not None
        return _logarithmic(_gradients(report, diagram, probe))
    inside: dict[str, list[int]] = {}
    for index, owner in enumerate(diagram.owners):
        inside.setdefault(owner, []).append(index)
    carried = {node: _AMOUNT[measure](amounts(report, ops)) for node, ops in inside.items()}
    found = {node: amount for node, amount in carried.items() if amount}
    most = max(found.values(), default=1)
    unit = _UNITS[measure]
    return Tint(
        {node: amount / most for node, amount in found.items()},
        {node: unit(amount) for node, amount in found.items()},
        f"0 … {unit(most)}" if found else "nothing to show",
    )


def _gradients(report: Report, diagram: Diagram, probe: GradientProbe) -> dict[str, float]:
    """Norm over all weights inside a box: the root of the sum of squares."""
    norms = {layer.path: layer.norm for layer in probe.layers}
    found: dict[str, float] = {}
    for owner, op in zip(diagram.owners, report.trace.ops, strict=True):
        if op.path in norms:
            found[owner] = hypot(found.get(owner, 0.0), norms[op.path])
    return found


def _logarithmic(values: Mapping[str, float]) -> Tint:
    """On a scale at least one decade wide, so that a tiny difference does not look like the whole range."""
    found = {node: value for node, value in values.items() if value > 0 and isfinite(value)}
    if not found:
        return Tint({}, {}, "no gradient to show")
    top = log10(max(found.values()))
    bottom = min(log10(min(found.values())), top - 1)
    return Tint(
        {node: (log10(value) - bottom) / (top - bottom) for node, value in found.items()},
        {node: f"‖∂L/∂W‖ {numbers.magnitude(value)}" for node, value in found.items()},
        f"‖∂L/∂W‖ {numbers.magnitude(10**bottom)} … {numbers.magnitude(10**top)}, logarithmic",
    )


_LABELS = {
    Measure.PARAMS: "parameters",
    Measure.MACS: "multiply-adds",
    Measure.MEMORY: "activation memory",
    Measure.GRADIENT: "gradient norm",
}
_AMOUNT: dict[Measure, Callable[[Amounts], int]] = {
    Measure.PARAMS: lambda amounts: amounts.params,
    Measure.MACS: lambda amounts: amounts.macs,
    Measure.MEMORY: lambda amounts: amounts.bytes,
}
_UNITS: dict[Measure, Callable[[float], str]] = {
    Measure.PARAMS: lambda value: f"{numbers.count(value)} parameters",
    Measure.MACS: numbers.macs,
    Measure.MEMORY: lambda value: f"{numbers.size(value)} of activations",
}
