"""Shared by the readers of all formats: their result, their two errors and their limits."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from ....errors import ImageError

MAX_PROFILE_BYTES = 4 * 2**20  # the largest in common use, for CMYK presses, have about 2.7 MB
MAX_PARTS = 100_000  # segments, chunks or blocks: an animation of 10,000 frames has 20,000

_AGAIN = "Copy or download it again"
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Contents:
    """The parts of a photo file, not decoded.

    Attributes:
        pixels: a file of the same format with little but what decoding needs.
        size: width and height in pixels as the header gives them; None where only a decoder can tell.
        animated: there is more than one frame.
        orientation: the EXIF orientation, 1 (upright) to 8.
        profile: the ICC profile; None where there is none, empty where there is one but broken or
            above ``MAX_PROFILE_BYTES``.
    """

    pixels: bytes
    size: tuple[int, int] | None = None
    animated: bool = False
    orientation: int = 1
    profile: bytes | None = None


def damage_error(name: str, what: str) -> ImageError:
    return ImageError(f"This {name} is damaged: {what}. {_AGAIN}, or open it in a photo program and save it again.")


def cut_off_error(name: str) -> ImageError:
    return ImageError(f"This {name} is cut off: the file ends before the picture does. {_AGAIN}.")


def bytes_at(name: str, data: bytes, start: int, count: int) -> bytes:
    """``count`` bytes from ``start``; ImageError where the file of format ``name`` ends before."""
    if start + count > len(data):
        raise cut_off_error(name)
    return data[start : start + count]


def limit_parts(name: str, parts: Iterator[_Part]) -> Iterator[_Part]:
    """The same parts; ImageError after ``MAX_PARTS``."""
    for number, part in enumerate(parts):
        if number == MAX_PARTS:
            raise damage_error(name, f"it has more than {MAX_PARTS:,} parts")
        yield part


def bounded_profile(profile: bytes) -> bytes:
    return profile if len(profile) <= MAX_PROFILE_BYTES else b""


def exif_orientation(exif: bytes) -> int:
    """The orientation 1 … 8 in an EXIF block; 1 where it has none or an invalid one.

    Read here because decoders read every entry, and 65,535 entries may each claim the whole block.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, at)
            if (tag, kind, count) == (0x0112, 3, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:  # an offset or an entry outside the block
        pass
    return 1
