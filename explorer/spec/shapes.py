"""Shapes as people read them."""

from __future__ import annotations

from collections.abc import Iterable


def text(sides: Iterable[int], empty: str = "a scalar") -> str:
    """(64, 56, 56) -> "64×56×56"; ``empty`` is what a shape without sides reads as."""
    return "×".join(map(str, sides)) or empty
