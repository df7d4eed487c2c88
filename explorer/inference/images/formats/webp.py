"""WebP: RIFF chunks of type, length and payload, padded to even lengths (RFC 9649)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .contents import Contents, bounded_profile, bytes_at, damage_error, exif_orientation, limit_parts


def read(data: bytes) -> Contents:
    """The file up to the length it declares; raises ImageError where it is shorter."""
    data = bytes_at("WebP", data, 0, 8 + int.from_bytes(data[4:8], "little"))
    first: dict[bytes, bytes] = {}
    frames = 0
    for kind, payload in limit_parts("WebP", _chunks(data)):
        first.setdefault(kind, payload)
        frames += kind == b"ANMF"
    profile = first.get(b"ICCP")
    return Contents(
        data,
        _size(*next(iter(first.items()), (b"", b""))),
        animated=frames > 1,
        orientation=exif_orientation(first.get(b"EXIF", b"")),
        profile=None if profile is None else bounded_profile(profile),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at < len(data):
        header = bytes_at("WebP", data, at, 8)
        length = int.from_bytes(header[4:], "little")
        yield header[:4], bytes_at("WebP", data, at + 8, length)
        at += 8 + length + length % 2


def _size(kind: bytes, payload: bytes) -> tuple[int, int]:
    """Width and height in pixels from the first chunk, which is of one of three kinds."""
    if kind == b"VP8X" and len(payload) >= 10:  # extended
        return int.from_bytes(payload[4:7], "little") + 1, int.from_bytes(payload[7:10], "little") + 1
    if kind == b"VP8 " and len(payload) >= 10:  # lossy
        width, height = struct.unpack_from("<HH", payload, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(payload) >= 5:  # lossless
        bits = int.from_bytes(payload[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise damage_error("WebP", "it does not start with its header")
