from collections.abc import Callable
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.views.kit import numbers


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(25_557_032), "25.6 M"),
        (numbers.count(8_448), "8,448"),
        (numbers.count(9_999), "9,999"),
        (numbers.count(10_000), "10.0 k"),
        (numbers.count(999_499), "999 k"),
        (numbers.count(999_500), "1.00 M"),
        (numbers.count(2_000_000_000), "2.00 G"),
        (numbers.count(0), "0"),
        (numbers.count(-25_557_032), "−25.6 M"),
        (numbers.exact(25_557_032), "25,557,032"),
        (numbers.exact(-1_024), "−1,024"),
        (numbers.macs(4_089_184_256), "4.09 GMACs"),
        (numbers.macs(41_000_000), "41.0 MMACs"),
        (numbers.macs(512), "512 MACs"),
        (numbers.size(102_550_000), "97.8 MiB"),
        (numbers.size(1_023), "1,023 B"),
        (numbers.size(1_024), "1.00 KiB"),
        (numbers.size(3 * 2**40), "3.00 TiB"),
        (numbers.pixels(427), "427 px"),
        (numbers.pixels(1_235), "1,235 px"),
        (numbers.duration(0.0123), "12.3 ms"),
        (numbers.duration(0.00042), "420 µs"),
        (numbers.duration(0.99999), "1.00 s"),
        (numbers.duration(75), "75.0 s"),
        (numbers.percent(0.7613), "76.1 %"),
        (numbers.shape((64, 56, 56)), "64×56×56"),
        (numbers.shape(()), ""),
        (numbers.scientific(0.0312), "3.1e-2"),
        (numbers.scientific(8.66e-6), "8.7e-6"),
        (numbers.scientific(-2e9, 3), "−2.00e9"),
        (numbers.scientific(0), "0"),
        (numbers.magnitude(21.5249), "21.5"),
        (numbers.magnitude(957.2), "957"),
        (numbers.magnitude(999.6), "1.00e3"),
        (numbers.magnitude(0.0312), "0.0312"),
        (numbers.magnitude(0.00312), "3.12e-3"),
        (numbers.magnitude(5.75649, 4), "5.756"),
        (numbers.magnitude(-0.5), "−0.500"),
        (numbers.magnitude(0), "0"),
    ],
)
def test_as_people_read_them(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("write", [numbers.count, numbers.macs, numbers.size, numbers.scientific, numbers.magnitude])
def test_nan_and_infinity_have_words(write: Callable[[float], str], value: float) -> None:
    assert write(value).startswith("not finite")


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_shortened_count_is_within_half_a_percent(value: int) -> None:
    text, _, unit = numbers.count(value).replace(",", "").replace("−", "-").partition(" ")
    factor = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[unit]
    assert float(text) * factor == pytest.approx(value, rel=5e-3)
    assert unit == "" or len(text.lstrip("-")) in (3, 4), "three digits, and perhaps a point"


@given(st.floats(1e-300, 1e300))
def test_a_magnitude_is_within_half_a_percent(value: float) -> None:
    assert float(numbers.magnitude(value)) == pytest.approx(value, rel=5.01e-3)
    assert float(numbers.scientific(value)) == pytest.approx(value, rel=5.01e-2)


def test_price():
    assert numbers.price(8448, 6_422_528) == "+8,448 parameters, +6.42 MMACs"
    assert numbers.price(-8448, 0) == "−8,448 parameters"
    assert numbers.price(0, 0) == ""
