"""What the scripts of this tab send: the page, a photo, and the network that classifies it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from ...errors import ExplorerError
from ...inference import Photo
from ...inference.classifier import DEFAULT
from ..kit.bridge import Request
from ..kit.photos import PHOTOS


def words(most: int) -> BeforeValidator:
    """Text of at most ``most`` characters; anything else gets a sentence that names the field."""

    def check(value: Any, info: ValidationInfo) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise ExplorerError(f"{info.field_name}: words of at most {most} characters are expected")
        return value

    return BeforeValidator(check)


def clipped(most: int) -> AfterValidator:
    """Text of which the first ``most`` characters count."""
    return AfterValidator(lambda value: value[:most])


Name = Annotated[str, words(100)]
Device = Annotated[str, words(20)]
Query = Annotated[str, words(10_000)]


class SessionRequest(Request):
    """
    Attributes:
        session: the page that sends this, as it calls itself.
    """

    session: Name = ""


class ClassifierRequest(Request):
    """
    Attributes:
        variant, network, device: as ``networks.classifier_of`` takes them.
    """

    variant: Name = DEFAULT
    network: Query = ""
    device: Device = "auto"


class PhotoRequest(ClassifierRequest):
    """
    Attributes:
        token: of a photo that was sent before.
    """

    expected = "A photo and a network are expected."
    token: Name = ""

    @property
    def photo(self) -> Photo:
        """Raises ``ImageError`` if it is gone."""
        return PHOTOS.find(self.token)
