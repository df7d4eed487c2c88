"""GIF: blocks, each a run of sub-blocks that ends with an empty one (GIF89a specification)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .contents import Contents, bytes_at, damage_error, limit_parts

_EXTENSION, _FRAME, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL = 0xF9  # the extension that names a frame's transparent colour


def read(data: bytes) -> Contents:
    """The first frame alone, as a GIF of its size; ImageError where any frame is cut or the end missing."""
    control, frame, frames = b"", b"", 0
    for kind, block in limit_parts("GIF", _blocks(data)):
        frames += kind == _FRAME
        if kind == _FRAME:
            frame = frame or block
        elif block[1] == _CONTROL and not frame:
            control = block
    if not frame:
        raise damage_error("GIF", "it has no picture")
    # Pillow fills what a frame leaves of the screen with an arbitrary colour: make the frame the screen.
    screen = data[:6] + frame[5:9] + data[10 : 13 + _table_bytes(data[10])]
    frame = frame[:1] + bytes(4) + frame[5:]
    width, height = struct.unpack_from("<HH", frame, 5)
    return Contents(screen + control + frame + b";", (width, height), animated=frames > 1)


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, block); ImageError where the trailer is missing."""
    at = 13 + _table_bytes(bytes_at("GIF", data, 0, 13)[10])
    while True:
        start, kind = at, bytes_at("GIF", data, at, 1)[0]
        if kind == _TRAILER:
            return
        if kind == _EXTENSION:
            at += 2
        elif kind == _FRAME:
            at += 11 + _table_bytes(bytes_at("GIF", data, at, 11)[9])
        else:
            raise damage_error("GIF", "it has other bytes where a block should be")
        while length := bytes_at("GIF", data, at, 1)[0]:
            at += 1 + length
        at += 1
        yield kind, data[start:at]


def _table_bytes(flags: int) -> int:
    """Length of the colour table that the flags of a screen or frame announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
