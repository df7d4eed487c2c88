"""Format numbers and shapes for readers: three significant digits and a unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from ...spec import shapes

MINUS = "−"  # U+2212, as wide as the plus sign


def count(value: float) -> str:
    """8448 -> "8,448"; 25_557_032 -> "25.6 M". Five digits and more are shortened."""
    if abs(value) < 10_000 and float(value).is_integer():
        return exact(int(value))
    return _scaled(value, 1000, ("", " k", " M", " G", " T"))


def exact(value: int) -> str:
    """25557032 -> "25,557,032"."""
    return f"{value:,}".replace("-", MINUS)


def macs(value: float) -> str:
    """Multiply-adds: 4_089_184_256 -> "4.09 GMACs"."""
    return _scaled(value, 1000, (" MACs", " kMACs", " MMACs", " GMACs", " TMACs"))


def size(value: float) -> str:
    """Bytes: 102_550_000 -> "97.8 MiB"."""
    return _scaled(value, 1024, (" B", " KiB", " MiB", " GiB", " TiB"))


def price(params: int, multiply_adds: int) -> str:
    """Parameters and MACs, with signs: 8448, 6422528 -> "+8,448 parameters, +6.42 MMACs"; empty where both are 0."""
    parts = [f"{exact(params)} parameters"] * bool(params) + [macs(multiply_adds)] * bool(multiply_adds)
    return ", ".join(part if part.startswith(MINUS) else f"+{part}" for part in parts)


def pixels(value: int) -> str:
    """427 -> "427 px"."""
    return f"{exact(value)} px"


def duration(seconds: float) -> str:
    """0.0123 -> "12.3 ms"; 0.00042 -> "420 µs"; 75 -> "75.0 s"."""
    if abs(seconds) >= 1:
        return f"{three_digits(seconds)} s"
    return _scaled(seconds * 1e6, 1000, (" µs", " ms", " s"))


def percent(fraction: float) -> str:
    """0.7613 -> "76.1 %"."""
    return f"{fraction * 100:.1f} %".replace("-", MINUS)


def shape(sides: Iterable[int]) -> str:
    """C, H, W -> "64×56×56"; no sides -> ""."""
    return shapes.text(sides, empty="")


def scientific(value: float, digits: int = 2) -> str:
    """``digits`` significant digits and a power of ten: 0.031 -> "3.1e-2", 3.4 -> "3.4e0", 0 -> "0"."""
    if value == 0 or not isfinite(value):
        return "not finite" if value else "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa.replace('-', MINUS)}e{int(exponent)}"


def magnitude(value: float, digits: int = 3) -> str:
    """Digits of what may be tiny or huge: 21.5 -> "21.5", 0.03 -> "0.0300", 8.7e-6 -> "8.70e-6"."""
    plain = f"{value:#.{digits}g}".rstrip(".")
    if "e" in plain or abs(value) < 0.01 or not isfinite(value):
        return scientific(value, digits)
    return plain.replace("-", MINUS)


def three_digits(value: float) -> str:
    """Three significant digits of values from 1 up; all digits before the point: 4.09, 25.6, 427, 1,234."""
    if not isfinite(value):
        return "not finite"
    decimals = next((d for d in (2, 1) if abs(round(value, d)) < 10 ** (3 - d)), 0)
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def _scaled(value: float, base: int, units: Sequence[str]) -> str:
    """With the unit that leaves at most three digits before the point, once rounded; whole below one unit."""
    if abs(value) < base and float(value).is_integer():
        return f"{exact(int(value))}{units[0]}"
    for unit in units[:-1]:
        text = three_digits(value)
        if "," not in text:
            return f"{text}{unit}"
        value /= base
    return f"{three_digits(value)}{units[-1]}"
