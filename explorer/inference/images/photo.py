"""A decoded photo, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of an image


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes:
        image: mode RGB (8 bits per channel), sRGB, upright, without metadata (``info`` is empty).
        format: what the file was, one of ``formats.FORMATS``.
        original_size: width and height in pixels as the file has them, before it was turned upright.
        notes: sentences on what was done and what to keep in mind, for the person who sent the photo.
        area: what of ``image`` the picture covers, to an eighth of a pixel: one that was decoded smaller ends within
            its last column and row. None: all of it.
    """

    image: Image.Image
    format: str
    original_size: tuple[int, int]
    notes: tuple[str, ...]
    area: Box | None = None
