"""Decoded photos of the page, stored in memory for their session."""

from __future__ import annotations

from ...errors import ImageError
from ...inference import Photo
from .sessions import Limits, SessionStore

GONE = "Your session expired. Add the photo again."
LIMITS = Limits(per_session=64, size=300_000_000, seconds=3600.0)  # pixels: 1.2 GB


def pixels(photo: Photo) -> int:
    """Width × height as decoded."""
    return photo.image.width * photo.image.height


PHOTOS = SessionStore[Photo](GONE, LIMITS, error=ImageError, size=pixels)
