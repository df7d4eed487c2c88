"""The card of weights trained by this program: a JSON description in the metadata of the weight file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import SpecError
from ..spec import ResNetSpec, from_dict, to_dict

CARD_KEY = "resnet_explorer"  # key in the metadata of safetensors
_MAX_TEXT = 256 * 1024  # characters
_Mean = Annotated[float, Field(ge=-100, le=100)]
_Deviation = Annotated[float, Field(gt=0, le=100)]


@dataclass(frozen=True)
class Card:
    """A network's description beside its weights.

    Attributes:
        classes: names, in the order of the logits.
        mean, std: of red, green and blue in 0 … 1, for normalising images.
        data: the images that accuracy was measured on, for example "CIFAR-10, test split".
        accuracy: share of correct predictions, 0 … 1; None if it was not measured.

    Raises:
        ValueError: the network has another number of classes, or does not read three channels.
    """

    title: str
    spec: ResNetSpec
    classes: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    data: str
    accuracy: float | None

    def __post_init__(self) -> None:
        if len(self.classes) != self.spec.num_classes:
            raise ValueError(f"classes: got {len(self.classes)} names; {self.spec.num_classes} are expected")
        if self.spec.in_channels != 3:
            raise ValueError(f"in_channels: got {self.spec.in_channels}; 3 are expected")

    def to_json(self) -> str:
        """The text in a file's metadata under ``CARD_KEY``."""
        return json.dumps({**vars(self), "spec": to_dict(self.spec)})


class _Text(BaseModel):
    model_config = ConfigDict(extra="ignore")
    title: str = Field(max_length=200)
    spec: dict[str, Any]
    classes: tuple[Annotated[str, Field(max_length=100)], ...] = Field(max_length=2000)
    mean: tuple[_Mean, _Mean, _Mean]
    std: tuple[_Deviation, _Deviation, _Deviation]
    data: str = Field(max_length=200)
    accuracy: float | None = Field(ge=0, le=1)


def parse_card(text: str) -> Card | None:
    """Inverse of ``Card.to_json``; None if the text is not a valid card."""
    try:
        found = _Text.model_validate_json(text[: _MAX_TEXT + 1])
        return Card(**{**vars(found), "spec": from_dict(found.spec)})
    except (ValidationError, SpecError, ValueError, RecursionError):
        return None
