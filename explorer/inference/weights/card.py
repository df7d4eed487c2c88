"""The card in a weight file's metadata."""

from __future__ import annotations

import json
from pathlib import Path

from ...network.card import CARD_KEY, Card, parse_card

_MAX_HEADER = 16 * 2**20  # bytes


def read_card(path: Path) -> Card | None:
    """The card of a safetensors file that was read without complaint before; None where there is none.

    The format begins with the length of a JSON header, 8 bytes, least first, whose ``__metadata__`` holds texts.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= _MAX_HEADER:
            return None
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            return None
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    text = metadata.get(CARD_KEY) if isinstance(metadata, dict) else None
    return parse_card(text) if isinstance(text, str) else None
