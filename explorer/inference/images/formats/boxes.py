"""AVIF and HEIC: boxes of length, type and payload (ISO/IEC 14496-12)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from .contents import Contents, bytes_at, cut_off_error, damage_error, limit_parts

# Entries of the item table for EXIF and XMP: decoders copy such an item for every picture that claims it.
_METADATA_ITEM = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))(?:Exif|mime)", re.DOTALL)
_SIZE = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)


def read(name: str, data: bytes) -> Contents:
    """The file with EXIF and XMP made unknown; raises ImageError where a box is cut.

    Turns and profiles are left to the decoder: tables tell which of them belong to the main picture. The
    size is that of the largest picture of any kind in the file.
    """
    if not {b"meta", b"moov"} & set(limit_parts(name, _kinds(name, data))):
        raise cut_off_error(name)
    sizes: list[tuple[int, int]] = [struct.unpack(">II", size) for size in _SIZE.findall(data)]
    return Contents(_METADATA_ITEM.sub(rb"\1none", data), max(sizes, key=lambda size: size[0] * size[1], default=None))


def _kinds(name: str, data: bytes) -> Iterator[bytes]:
    """The types of the outermost boxes."""
    at = 0
    while at < len(data):
        header = bytes_at(name, data, at, 8)
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # it follows, in eight bytes
            length = int.from_bytes(bytes_at(name, data, at + 8, 8), "big")
        elif length == 0:  # to the end of the file
            length = len(data) - at
        if length < 8:
            raise damage_error(name, "it has other bytes where a box should be")
        bytes_at(name, data, at, length)
        yield header[4:]
        at += length
