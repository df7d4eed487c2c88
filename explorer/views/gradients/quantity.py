"""What a chart shows of a gradient measurement, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import ceil, isfinite, log10, nan
from typing import TYPE_CHECKING, Any

from ..kit.numbers import magnitude

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...gradients import GradientProbe

# Powers of ten beside the axis. Within three decades also their doubles and fives (plotly's D2), or all (D1).
MOST_TICKS = 8


class Quantity(str, Enum):
    """One number for every layer with weights, or for every block. The first is the chart's default: it alone shows
    vanishing and exploding whatever the width and the kernel of a layer."""

    OUTPUTS = "outputs"
    WEIGHTS = "weights"
    RELATIVE = "relative"
    STD = "std"

    @property
    def words(self) -> Words:
        return _WORDS[self]


@dataclass(frozen=True)
class Words:
    """
    Attributes:
        label: of the choice.
        symbol: in tables and when hovering.
        axis: title of the axis.
        sentence: what is measured.
        of: what has one value: ``layer`` or ``block``.
    """

    label: str
    symbol: str
    axis: str
    sentence: str
    of: str


_WORDS = {
    Quantity.WEIGHTS: Words(
        "Gradient of the weights",
        "‖∂L/∂W‖₂",
        "gradient of a layer's weights, ‖∂L/∂W‖₂",
        "Norm of the loss gradient at the initial weights.",
        "layer",
    ),
    Quantity.RELATIVE: Words(
        "Gradient ÷ weights",
        "‖∂L/∂W‖₂ ÷ ‖W‖₂",
        "gradient ÷ weights, ‖∂L/∂W‖₂ ÷ ‖W‖₂",
        "Norm of the loss gradient, divided by the norm of the weights, at the initial weights.",
        "layer",
    ),
    Quantity.OUTPUTS: Words(
        "Gradient of the block outputs",
        "‖∂L/∂y‖₂",
        "gradient of a block's output, ‖∂L/∂y‖₂",
        "Norm of the loss gradient with respect to the outputs y of the blocks, at the initial weights.",
        "block",
    ),
    Quantity.STD: Words(
        "Spread of the activations",
        "σ(y)",
        "standard deviation of a block's output",
        "Standard deviation of the outputs y of the blocks, at the initial weights.",
        "block",
    ),
}


@dataclass(frozen=True)
class DepthPoint:
    """One value along depth; ``low`` and ``high`` are the least and greatest of batches or seeds.

    Attributes:
        depth: 1 … ``spec.weighted_layers``; a block has that of its last convolution.
    """

    path: str
    depth: int
    mean: float
    low: float
    high: float
    is_projection: bool = False

    @property
    def drawable(self) -> bool:
        return drawable(self.mean)


def points(probe: GradientProbe, quantity: Quantity) -> tuple[DepthPoint, ...]:
    """Every value of the network, in the order of execution."""
    if quantity is Quantity.OUTPUTS:
        return tuple(DepthPoint(b.path, b.depth, b.norm, b.low, b.high) for b in probe.blocks)
    if quantity is Quantity.STD:
        return tuple(DepthPoint(b.path, b.depth, b.activation_std, b.std_low, b.std_high) for b in probe.blocks)
    if quantity is Quantity.WEIGHTS:
        return tuple(DepthPoint(x.path, x.depth, x.norm, x.low, x.high, x.is_projection) for x in probe.layers)
    return tuple(
        DepthPoint(
            x.path, x.depth, x.relative, _over(x.low, x.weight_norm), _over(x.high, x.weight_norm), x.is_projection
        )
        for x in probe.layers
    )


def _over(value: float, whole: float) -> float:
    return value / whole if whole else nan


def drawable(value: float) -> bool:
    """Whether a logarithmic axis can show the value."""
    return isfinite(value) and value > 0


def log_axis(values: Sequence[float], title: str) -> dict[str, Any]:
    """A logarithmic axis with ticks that people can read, for values that may be 0 or not finite."""
    shown = [value for value in values if drawable(value)]
    decades = log10(max(shown)) - log10(min(shown)) if shown else 0
    return {
        "title": {"text": title},
        "type": "log",
        "exponentformat": "power",
        # Between powers of ten plotly shortens 0.5 to "5" unless a format is given.
        "tickformat": None if decades > 3 else "~g",
        "dtick": ceil(decades / MOST_TICKS) if decades > 3 else "D2" if decades > 0.5 else "D1",
    }


def spread(low: float, high: float, digits: int = 3) -> str:
    """ "0.0279 … 0.0341"."""
    return f"{magnitude(low, digits)} … {magnitude(high, digits)}"
