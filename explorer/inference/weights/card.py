"""What weights that were trained by this program say of themselves: a JSON text in the file's metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import SpecError
from ...spec import ResNetSpec, from_dict

KEY = "resnet_explorer"  # of safetensors' metadata
_MAX_HEADER, _MAX_TEXT = 16 * 2**20, 256 * 1024  # bytes, characters
_Channel = Annotated[float, Field(ge=-100, le=100)]
_Deviation = Annotated[float, Field(gt=0, le=100)]


@dataclass(frozen=True)
class Card:
    """A network's description beside its weights.

    Attributes:
        classes: names, in the order of the logits.
        mean, std: of the channels, 0 … 1: with them an image is normalised.
        data: what accuracy was measured on, as "CIFAR-10, test split".
        accuracy: share of it that was right, 0 … 1; None where it was not measured.
    """

    title: str
    spec: ResNetSpec
    classes: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    data: str
    accuracy: float | None


class _Text(BaseModel):
    model_config = ConfigDict(extra="ignore")
    title: str = Field(max_length=200)
    spec: dict[str, Any]
    classes: list[Annotated[str, Field(max_length=100)]] = Field(max_length=2000)
    mean: tuple[_Channel, _Channel, _Channel]
    std: tuple[_Deviation, _Deviation, _Deviation]
    data: str = Field(max_length=200)
    accuracy: float | None = Field(ge=0, le=1)


def parse_card(text: str) -> Card | None:
    """A card's JSON; None where it is none, or contradicts itself: then a file's names and shapes speak alone."""
    try:
        found = _Text.model_validate_json(text[: _MAX_TEXT + 1])
        spec = from_dict(found.spec)
    except (ValidationError, SpecError, RecursionError):
        return None
    if len(found.classes) != spec.num_classes or spec.in_channels != 3:
        return None
    return Card(found.title, spec, tuple(found.classes), found.mean, found.std, found.data, found.accuracy)


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
    text = metadata.get(KEY) if isinstance(metadata, dict) else None
    return parse_card(text) if isinstance(text, str) else None
