"""The card in a weight file's metadata."""

from __future__ import annotations

from pathlib import Path

from ...network.card import CARD_KEY, Card, parse_card
from .containers import read_metadata


def read_card(path: Path) -> Card | None:
    """The card of a safetensors file that was read without complaint before; None if it has none."""
    with path.open("rb") as file:
        text = read_metadata(file).get(CARD_KEY)
    return None if text is None else parse_card(text)
