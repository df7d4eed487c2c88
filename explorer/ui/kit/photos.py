"""Photos given to the page, decoded, in memory for the session that gave them."""

from __future__ import annotations

from ...errors import ImageError
from ...inference import Photo
from .sessions import Limits, SessionStore

GONE = "This photo is not kept here any more. Drop it once more."
LIMITS = Limits(per_session=64, size=300_000_000, seconds=3600.0)  # pixels: 1.2 GB


def pixels(photo: Photo) -> int:
    """Width × height as decoded."""
    return photo.image.width * photo.image.height


PHOTOS = SessionStore[Photo](GONE, LIMITS, error=ImageError, size=pixels)
