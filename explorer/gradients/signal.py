"""Whether a signal vanishes, explodes or holds on its way through a network: the one rule behind every verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite, log10, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .results import GradientProbe

# A change of less than one decade is ordinary: batches, stages and widths alone cause that much. Two decades are too,
# in networks that train well: with batch norm, ResNet-50's gradient grows about 100-fold at its initial weights.
HOLDING_DECADES, EXTREME_DECADES = 1.0, 3.0


class Trend(str, Enum):
    """What becomes of a signal on its way; ``UNKNOWN`` if it cannot be compared."""

    VANISHES = "vanishes"
    SHRINKS = "shrinks"
    HOLDS = "holds"
    GROWS = "grows"
    EXPLODES = "explodes"
    UNKNOWN = "unknown"

    @property
    def severity(self) -> int:
        """0: harmless, 1: noticeable, 2: vanishing or exploding."""
        return _SEVERITIES.get(self, 0)


_SEVERITIES = {Trend.VANISHES: 2, Trend.EXPLODES: 2, Trend.SHRINKS: 1, Trend.GROWS: 1}


def decades(start: float, end: float) -> float:
    """log₁₀ of ``end`` ÷ ``start``, both norms (0 … ∞, or NaN); ±∞ if one of them is 0 or infinite, NaN if both are.

    Through logarithms, because the quotient of two norms may be beyond a double.
    """
    here, there = _log10(start), _log10(end)
    return nan if here == there and not isfinite(here) else there - here


def trend(start: float, end: float) -> Trend:
    """What becomes of a norm that is ``start`` at the beginning of its way and ``end`` at its end.

    It holds if it changes less than 10-fold, shrinks or grows if it changes less than 1000-fold, and beyond that
    vanishes or explodes. A norm that falls to 0 vanishes, one that overflows explodes. With NaN, or if both are 0 or
    both infinite, nothing is known.
    """
    change = decades(start, end)
    if change != change:
        return Trend.UNKNOWN
    if abs(change) < HOLDING_DECADES:
        return Trend.HOLDS
    if abs(change) < EXTREME_DECADES:
        return Trend.GROWS if change > 0 else Trend.SHRINKS
    return Trend.EXPLODES if change > 0 else Trend.VANISHES


@dataclass(frozen=True)
class Signal:
    """A norm at both ends of its way through the blocks.

    Attributes:
        start, end: where its way begins and where it ends: the last and the first block for a gradient.
        blocks: that it passes from ``start`` to ``end``; 0 in a network of one block.
        layers: with weights, that it passes.
    """

    start: float
    end: float
    blocks: int
    layers: int

    @property
    def trend(self) -> Trend:
        return trend(self.start, self.end)

    @property
    def decades(self) -> float:
        """log₁₀ of ``end`` ÷ ``start``."""
        return decades(self.start, self.end)


def gradient_signal(probe: GradientProbe) -> Signal:
    """‖∂L/∂y‖₂ of the block outputs y on its way back, from the last block to the first."""
    first, last = probe.blocks[0], probe.blocks[-1]
    return Signal(last.norm, first.norm, len(probe.blocks) - 1, last.depth - first.depth)


def activation_signal(probe: GradientProbe) -> Signal:
    """Standard deviation of the block outputs on their way forward, from the first block to the last.

    Infinite if outputs overflow: their standard deviation is then NaN.
    """
    first, last = probe.blocks[0], probe.blocks[-1]
    start, end = (inf if std != std else std for std in (first.activation_std, last.activation_std))
    return Signal(start, end, len(probe.blocks) - 1, last.depth - first.depth)


def signal_trend(probe: GradientProbe) -> Trend:
    """What becomes of the gradient; if there is none to compare, what became of the activations that it comes from."""
    of_gradient = gradient_signal(probe).trend
    return activation_signal(probe).trend if of_gradient is Trend.UNKNOWN else of_gradient


def evenness(norms: Sequence[float]) -> float:
    """Weakest ÷ strongest, 0 … 1: near 0 if the signal vanishes or explodes anywhere; NaN if all are 0, or any NaN."""
    if any(norm != norm for norm in norms):
        return nan
    weakest, strongest = min(norms), max(norms)
    return weakest / strongest if strongest and isfinite(weakest) else nan


def _log10(value: float) -> float:
    return log10(value) if value > 0 else nan if value != value else -inf
