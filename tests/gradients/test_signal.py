"""The rule behind every verdict: it has no gap, no direction of its own and no number that breaks it."""

from __future__ import annotations

from math import inf, isfinite, isnan, nan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer.gradients.signal import EXTREME_DECADES, HOLDING_DECADES, Trend, decades, evenness, trend

ORDER = [Trend.VANISHES, Trend.SHRINKS, Trend.HOLDS, Trend.GROWS, Trend.EXPLODES]
NORMS = st.floats(min_value=0) | st.just(nan)
POSITIVE = st.floats(min_value=1e-300, max_value=1e300)
MIRRORED = dict(zip(ORDER, reversed(ORDER), strict=True)) | {Trend.UNKNOWN: Trend.UNKNOWN}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (1, 1, Trend.HOLDS),
        (1, 9.9, Trend.HOLDS),
        (1, 10.1, Trend.GROWS),
        (1, 999, Trend.GROWS),
        (1, 1001, Trend.EXPLODES),
        (1, 0.11, Trend.HOLDS),
        (1, 0.09, Trend.SHRINKS),
        (1, 0.0011, Trend.SHRINKS),
        (1, 0.0009, Trend.VANISHES),
        (5e-324, 1e308, Trend.EXPLODES),  # the quotient is beyond a double
        (1, 0, Trend.VANISHES),
        (1, inf, Trend.EXPLODES),
        (0, 1, Trend.EXPLODES),
        (inf, 1, Trend.VANISHES),
        (0, 0, Trend.UNKNOWN),
        (inf, inf, Trend.UNKNOWN),
        (nan, 1, Trend.UNKNOWN),
        (1, nan, Trend.UNKNOWN),
    ],
)
def test_what_becomes_of_a_norm(start: float, end: float, expected: Trend) -> None:
    assert trend(start, end) is expected


@given(NORMS, NORMS)
def test_every_pair_of_norms_has_a_trend_and_its_mirror_the_opposite_one(start: float, end: float) -> None:
    assert trend(end, start) is MIRRORED[trend(start, end)]
    assert (trend(start, end) is Trend.UNKNOWN) == isnan(decades(start, end))


@given(POSITIVE, POSITIVE, POSITIVE)
def test_a_larger_end_is_never_a_lower_trend(start: float, end: float, other: float) -> None:
    low, high = sorted((end, other))
    assert ORDER.index(trend(start, low)) <= ORDER.index(trend(start, high))


@given(st.floats(1e-100, 1e100), st.floats(1e-100, 1e100), st.floats(1e-100, 1e100))
def test_the_unit_does_not_matter(start: float, end: float, scale: float) -> None:
    change = abs(decades(start, end))
    assume(all(abs(change - edge) > 1e-9 for edge in (HOLDING_DECADES, EXTREME_DECADES)))
    assert trend(start * scale, end * scale) is trend(start, end)


@given(st.lists(NORMS, min_size=1))
def test_evenness_is_a_share_or_unknown(norms: list[float]) -> None:
    value = evenness(norms)
    assert isnan(value) or 0 <= value <= 1
    if all(isfinite(norm) for norm in norms) and any(norms):
        assert not isnan(value)


def test_evenness_shows_what_vanishes_anywhere() -> None:
    assert evenness([1.0, 0.0, 1.0]) == 0
    assert evenness([2.0, 1.0, 4.0]) == 0.25
    assert isnan(evenness([0.0, 0.0]))
    assert evenness([1.0, inf]) == 0


def test_only_vanishing_and_exploding_are_severe() -> None:
    assert [each.severity for each in ORDER] == [2, 1, 0, 1, 2]
