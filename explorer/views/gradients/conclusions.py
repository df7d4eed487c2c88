"""What a depth sweep and a measurement of path lengths mean, in sentences that follow from their numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from ...gradients.signal import Trend
from ...spec import Norm, title
from .verdict import NO_VANISHING, Verdict, change_words

if TYPE_CHECKING:
    from ...gradients import PathLengths, SweepPoint

_VERBS = {
    Trend.VANISHES: "vanishes",
    Trend.SHRINKS: "shrinks",
    Trend.HOLDS: "holds",
    Trend.GROWS: "grows",
    Trend.EXPLODES: "explodes",
    Trend.UNKNOWN: "cannot be compared",
}
# Half a standard deviation of the lengths: a shift that the share of the gradient over the lengths makes visible.
_SHIFTED = 0.5
_CLAIM = "Veit et al. 2016 found that short paths bring most of the gradient to a residual network with 110 layers"


def sweep_verdict(points: Sequence[SweepPoint]) -> Verdict:
    """What happens in the deepest networks, whether it gets worse with depth, and which choice prevents it."""
    depth = max(point.depth for point in points)
    deepest = [point for point in points if point.depth == depth]
    by_trend = [(trend, [p for p in deepest if p.trend is trend]) for trend in _VERBS]
    parts = [f"{_VERBS[trend]} in {_listed([_kind(p) for p in found])}" for trend, found in by_trend if found]
    headline = f"With {depth} layers, the gradient {'; it '.join(parts)}."
    return Verdict(headline, tuple(_prevented(deepest)), tuple(_by_depth(points, deepest)))


def _by_depth(points: Sequence[SweepPoint], deepest: Sequence[SweepPoint]) -> Iterator[str]:
    """How much the signal changes where it vanishes or explodes, and whether depth makes it worse."""
    least = min(point.depth for point in points)
    for point in deepest:
        shallow = next((p for p in points if p.name == point.name and p.depth == least), point)
        if point.trend.severity == 2 and isfinite(shallow.signal.decades):
            yield (
                f"In {_kind(point)} it {change_words(point.signal)} from the last block back to the first"
                f"{_shallower(shallow, point)}."
            )
    if any(p.plain and p.spec.norm is Norm.BATCH and p.trend in _NOT_VANISHING for p in deepest):
        yield f"With batch norm the plain network's gradient does not vanish. {NO_VANISHING}"


_NOT_VANISHING = (Trend.HOLDS, Trend.GROWS, Trend.EXPLODES)


def _shallower(shallow: SweepPoint, deep: SweepPoint) -> str:
    if shallow.depth == deep.depth:
        return ""
    worse = abs(shallow.signal.decades) < abs(deep.signal.decades)
    return f"; with {shallow.depth} layers it {change_words(shallow.signal)}{', so depth makes it worse' * worse}"


def _prevented(deepest: Sequence[SweepPoint]) -> Iterator[str]:
    """Which of the two choices makes vanishing or exploding milder, the other being the same."""
    found = {(point.plain, point.normalised): point.trend for point in deepest}
    for normalised, words in ((True, "with normalisation"), (False, "without normalisation")):
        plain, residual = found.get((True, normalised)), found.get((False, normalised))
        if plain and residual and residual.severity < plain.severity:
            yield f"So shortcuts prevent the worst {words}: only they differ between those two networks."
        elif plain and residual and residual.severity > plain.severity:
            yield f"So shortcuts alone do not make the signal even: {words} they make it worse."
    without, normed = found.get((True, False)), found.get((True, True))
    if without is Trend.VANISHES and normed in _NOT_VANISHING:
        yield "Normalisation alone prevents vanishing too: the plain network with it does not lose its gradient."


def _kind(point: SweepPoint) -> str:
    return f"the {point.name.replace(', ', ' network ')}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def paths_verdict(result: PathLengths) -> Verdict:
    """Which paths carry the gradient, and whether that is what Veit et al. 2016 found."""
    name = title(result.spec)
    if not isfinite(result.effective_length):
        return Verdict(f"{name}: no lengths can be compared, because no path carries a finite gradient above 0.")
    if len(result.lengths) < result.blocks + 1:
        return Verdict(f"{name}: only {len(result.lengths)} of {result.blocks + 1} path lengths were measured.")
    shift = result.shift
    if shift <= -_SHIFTED:
        headline = f"{name}: mostly short paths carry the gradient, as Veit et al. 2016 found."
        claim = f"{_CLAIM}; this measurement, at the initial weights, confirms it for these {result.blocks} blocks."
    elif shift < _SHIFTED:
        headline = f"{name}: paths of ordinary length carry the gradient, not mostly short ones."
        claim = f"{_CLAIM}. These {result.blocks} blocks at their initial weights do not show that."
    else:
        headline = f"{name}: mostly long paths carry the gradient, contrary to what Veit et al. 2016 found."
        claim = f"{_CLAIM}. These {result.blocks} blocks at their initial weights show the contrary."
    return Verdict(headline, tuple(_lengths(result)), (claim,))


def _lengths(result: PathLengths) -> Iterator[str]:
    yield (
        f"Weighted by the gradient they carry, paths pass {result.effective_length:.1f} of {result.blocks} branches on "
        f"average; counted equally, {result.mean_length:.1f}."
    )
    factor = result.per_branch
    if isfinite(factor) and f"{factor:.2f}" != "1.00":
        more = "more" if factor > 1 else "less"
        yield f"With every further branch a single path carries {more}: about {factor:.2f} times as much."
