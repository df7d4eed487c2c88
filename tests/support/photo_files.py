"""What the tests of photos share: real photos, what is said of a photo, and how two are compared."""

from __future__ import annotations

import random
import struct
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer.inference.images.decode import FORMATS
from explorer.inference.images.photo import Photo
from tests.support import hostile_images as make
from tests.support.paths import DATA

PHOTOS = DATA / "photos"
needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason="the folder of real photos is absent")
needs_strict_jpeg = pytest.mark.skipif(
    find_spec("simplejpeg") is None,
    reason="simplejpeg is not installed; damage inside JPEG data goes unnoticed",
)

ANIMATED = "This {} is animated; only its first frame is used."
ON_WHITE = "Its transparent parts are shown on white."
CONVERTED = "Its colours were converted from its own colour profile to sRGB."
IGNORED = "Its colour profile is broken, unsuitable or too large and was ignored; colours may differ slightly."


# Options for the least loss; GIF has neither a choice nor profiles.
BEST: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": "4:4:4"},
    "PNG": {},
    "WebP": {"lossless": True, "exact": True},
    "AVIF": {"quality": 100},
    "HEIC": {"quality": -1, "chroma": 444},
}


def pixels(photo: Photo | Image.Image) -> np.ndarray:
    """(height, width, 3), as integers that can be subtracted."""
    return np.asarray(photo.image if isinstance(photo, Photo) else photo.convert("RGB")).astype(int)


def distance(a: Photo | Image.Image, b: Photo | Image.Image) -> float:
    """Mean difference in levels of 255."""
    return float(np.abs(pixels(a) - pixels(b)).mean())


def one_of_each() -> dict[str, bytes]:
    """The same scene in every format."""
    return {name: make.encode(make.scene(), name) for name in FORMATS}


def oriented(name: str, image: Image.Image, block: bytes) -> bytes:
    """``image`` losslessly (JPEG nearly) in a file with this EXIF block."""
    if name == "PNG":
        return make.png_with(make.encode(image, "PNG"), make.chunk(b"eXIf", block))
    if name == "JPEG":
        data = make.encode(image, quality=100, subsampling="4:4:4")
        return make.jpeg_with(data, make.segment(0xE1, b"Exif\0\0" + block))
    still = make.encode(image, "WebP", lossless=True)
    payload = still[20 : 20 + struct.unpack_from("<I", still, 16)[0]]
    return make.riff(make.webp_canvas(*image.size, flags=8), (b"VP8L", payload), (b"EXIF", block))


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def jpeg_damages(data: bytes) -> dict[str, bytes]:
    """What half a download or a failing disk makes of a JPEG, with its end in place."""
    start = make.scan_start(data)
    middle, size = (start + len(data)) // 2, (len(data) - start) // 8
    return {
        "half missing": data[:middle] + b"\xff\xd9",
        "zeroed": data[:middle] + bytes(size) + data[middle + size :],
        "a piece missing": data[:middle] + data[middle + size :],
        "a piece twice": data[: middle + size] + data[middle:],
        "a piece of another file": data[:middle]
        + random.Random(0).randbytes(size).replace(b"\xff", b"\0")
        + data[middle + size :],
    }
