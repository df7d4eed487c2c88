"""Photo files taken apart, byte by byte, before any decoder sees them.

Completeness: each format says how long its parts are and where it ends, so a file cut anywhere is known
without decoding, and so is a PNG with any byte changed, for it has checksums. Bounds: sizes are read
before memory is asked for. Stripping: text, EXIF, XMP, thumbnails, further frames and what follows the end
stay behind, so no bomb among them goes off and no second file rides along; of them, only the orientation
and the colour profile are read.
"""

from __future__ import annotations

from collections.abc import Callable

from . import boxes, gif, jpeg, png, webp
from .contents import Contents
from .sniff import FORMATS, recognise

__all__ = ["FORMATS", "Contents", "check_pixels", "recognise", "take_apart"]

_READERS: dict[str, Callable[[bytes], Contents]] = {
    "JPEG": jpeg.read,
    "PNG": png.read,
    "WebP": webp.read,
    "GIF": gif.read,
    "AVIF": lambda data: boxes.read("AVIF", data),
    "HEIC": lambda data: boxes.read("HEIC", data),
}
_CHECKS: dict[str, Callable[[bytes], None]] = {"PNG": png.check_pixels}


def take_apart(name: str, data: bytes) -> Contents:
    """``data``, recognised as the format ``name``, in its parts; nothing is decoded.

    Raises:
        ImageError: it is cut off, damaged, or has more parts than any photo needs.
    """
    return _READERS[name](data)


def check_pixels(name: str, contents: Contents) -> None:
    """What can be known of damage to the picture data before decoding.

    It costs up to a decoding, so the size should be known to be within bounds.

    Raises:
        ImageError: the picture is not whole.
    """
    if check := _CHECKS.get(name):
        check(contents.pixels)
