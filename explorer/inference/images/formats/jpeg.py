"""JPEG: segments of marker, length and payload; compressed data follows a start of scan (ITU-T T.81, B)."""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from PIL import Image

from .contents import Contents, bounded_profile, bytes_at, cut_off_error, damage_error, exif_orientation, limit_parts

MAX_SCANS = 32  # of a progressive JPEG, each a pass over the whole picture; encoders write 10 to 20

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _APP1, _APP2 = 0xDA, 0xD9, 0xE1, 0xE2
_DECODING = _FRAMES | {_SCAN, 0xC4, 0xCC, 0xDB, 0xDC, 0xDD}  # and the tables
# JFIF and Adobe segments say which colours the components are.
_COLOUR_SEGMENTS = {0xE0: b"JFIF\0", 0xEE: b"Adobe"}

_MODES = {"GRAY": "L", "CMYK": "CMYK", "YCCK": "CMYK"}

_FILL = re.compile(rb"\xff*(?=\xff)")
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def read(data: bytes) -> Contents:
    """Only what decoding needs, up to the end marker; raises ImageError where that is missing."""
    kept, frames, scans, exif, profile = [data[:2]], [], 0, b"", []
    for marker, payload, whole in limit_parts("JPEG", _segments(data)):
        scans += marker == _SCAN
        if marker in _FRAMES:
            frames.append(payload)
        if marker in _DECODING or _is_colour_segment(marker, payload):
            kept.append(whole)
        elif marker == _APP1 and payload.startswith(b"Exif\0\0"):
            exif = exif or payload
        elif marker == _APP2 and payload.startswith(b"ICC_PROFILE\0"):
            profile.append(payload[12:])
    if len(frames) != 1 or len(frames[0]) < 6 or not scans:
        raise damage_error("JPEG", "it does not hold exactly one picture")
    if scans > MAX_SCANS:
        raise damage_error("JPEG", f"it has {scans} scans, and {MAX_SCANS} are allowed")
    height, width = struct.unpack_from(">HH", frames[0], 1)
    return Contents(
        b"".join([*kept, b"\xff\xd9"]),
        (width, height),
        orientation=exif_orientation(exif),
        profile=_join_profile(profile) if profile else None,
    )


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(marker, payload, everything up to the next segment); ImageError where the end marker is missing."""
    at = 2
    while True:
        if fill := _FILL.match(data, at):
            at = fill.end()
        lead, marker = bytes_at("JPEG", data, at, 2)
        if lead == 0xFF and marker == _END:
            return
        if lead != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD8:
            raise damage_error("JPEG", "it has other bytes where a marker should be")
        length = int.from_bytes(bytes_at("JPEG", data, at + 2, 2), "big")
        payload = bytes_at("JPEG", data, at + 4, max(0, length - 2))
        end = at + 2 + max(2, length)
        if marker == _SCAN:
            found = _SCAN_END.search(data, end)
            if found is None:
                raise cut_off_error("JPEG")
            end = found.start()
        yield marker, payload, data[at:end]
        at = end


def _is_colour_segment(marker: int, payload: bytes) -> bool:
    return marker in _COLOUR_SEGMENTS and payload.startswith(_COLOUR_SEGMENTS[marker])


def _join_profile(parts: list[bytes]) -> bytes:
    """An ICC profile from its parts (number, count, bytes); empty if one is missing or all are too much."""
    parts = sorted(parts)
    if [part[:2] for part in parts] != [bytes([i + 1, len(parts)]) for i in range(min(255, len(parts)))]:
        return b""
    return bounded_profile(b"".join(part[2:] for part in parts))


def decode(pixels: bytes, at_least: int) -> Image.Image | None:
    """The picture in mode L, RGB or CMYK; None where only Pillow may be able to read it.

    libjpeg's warnings are taken as errors: it reports blocks that are missing or left over, then fills in grey or
    skips, and Pillow drops the report. The whole file is read for that, at whatever scale; at the same scale the pixels
    are Pillow's own.

    Args:
        at_least: px; a picture whose shorter side has more is scaled down to no less, in eighths, as it is decoded. 0:
            it is not scaled.

    Raises:
        ImageError: there was a warning.
    """
    decoder = _strict_decoder()
    if decoder is None:
        return None
    try:
        _, _, space, _ = decoder.decode_jpeg_header(pixels)
        mode = _MODES.get(space.upper(), "RGB")
        options = {"colorspace": "GRAY" if mode == "L" else mode, "min_width": at_least, "min_height": at_least}
        picture = decoder.decode_jpeg(pixels, **options, strict=True)
    except ValueError:
        if not _is_read_leniently(decoder, pixels):  # no warning but a kind it cannot read
            return None
        raise damage_error("JPEG", "its picture data does not add up, so parts are missing or shifted") from None
    if mode == "CMYK":  # all programs that write such files write them inverted, as Pillow knows
        picture = 255 - picture
    return Image.fromarray(picture[..., 0] if mode == "L" else picture, mode)


def _is_read_leniently(decoder: Any, pixels: bytes) -> bool:
    try:
        decoder.decode_jpeg(pixels, "GRAY", min_width=1, min_height=1, min_factor=8, strict=False)
    except ValueError:
        return False
    return True


@cache
def _strict_decoder() -> Any:
    """simplejpeg, or None where it is not installed: then only missing ends and markers are noticed."""
    try:
        return import_module("simplejpeg")
    except ImportError:
        logging.getLogger(__name__).warning(
            "simplejpeg is not installed, so JPEGs with damaged picture data are not recognised."
        )
        return None
