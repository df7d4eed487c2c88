"""PNG: chunks of length, type, payload and checksum (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from .contents import (
    MAX_PROFILE_BYTES,
    Contents,
    bounded_profile,
    bytes_at,
    damage_error,
    exif_orientation,
    limit_parts,
)

_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_GREY, _RGB = 0, 2
# Interlaced pictures come in seven passes: first column, first row, column step, row step.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def read(data: bytes) -> Contents:
    """The still picture alone; raises ImageError for any wrong checksum or a missing end."""
    kept: list[tuple[bytes, bytes]] = []
    others: dict[bytes, bytes] = {}
    for kind, payload in limit_parts("PNG", _chunks(data)):
        if kind in _KEPT:
            kept.append((kind, payload))
        else:
            others.setdefault(kind, payload)
    if [i for i, (kind, _) in enumerate(kept) if kind == b"IHDR"] != [0] or len(kept[0][1]) != 13:
        raise damage_error("PNG", "it does not start with one header")
    width, height, depth, colour = struct.unpack_from(">IIBB", kept[0][1])
    chunks = (_chunk(k, _reduce_to_8_bits(p, depth, colour) if k == b"tRNS" else p) for k, p in kept)
    return Contents(
        data[:8] + b"".join(chunks) + _chunk(b"IEND", b""),
        (width, height),
        animated=others.get(b"acTL", b"\0\0\0\1")[:4] != b"\0\0\0\1",
        orientation=exif_orientation(others.get(b"eXIf", b"")),
        profile=_inflate_profile(others[b"iCCP"]) if b"iCCP" in others else None,
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, payload); ImageError where the end chunk is missing."""
    at = 8
    while True:
        length = int.from_bytes(bytes_at("PNG", data, at, 4), "big")
        body = bytes_at("PNG", data, at + 4, length + 8)
        if zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "big"):
            raise damage_error("PNG", "a checksum in it does not match")
        if body[:4] == b"IEND":
            return
        yield body[:4], body[4:-4]
        at += length + 12


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def _reduce_to_8_bits(transparent: bytes, depth: int, colour: int) -> bytes:
    """The transparent grey or colour of a tRNS chunk, in the 8 bits Pillow brings pixels to, but not this."""
    if len(transparent) != {_GREY: 2, _RGB: 6}.get(colour):
        return transparent
    samples = struct.unpack(f">{len(transparent) // 2}H", transparent)
    if colour == _GREY and depth in (2, 4):
        samples = tuple(s * 255 // (2**depth - 1) & 255 for s in samples)
    elif colour == _RGB and depth == 16:
        samples = tuple(s >> 8 for s in samples)
    return struct.pack(f">{len(samples)}H", *samples)


def _inflate_profile(payload: bytes) -> bytes:
    """The profile of an iCCP chunk (name, NUL, method, zlib stream); empty if broken or too large."""
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(payload.partition(b"\0")[2][1:], MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return b""
    return bounded_profile(profile) if stream.eof else b""


def check_pixels(pixels: bytes) -> None:
    """Inflate the picture and count: Pillow shows the rows that a short stream lacks as black.

    Raises:
        ImageError: there are fewer bytes than the header's size needs, or the stream is broken.
    """
    chunks = list(_chunks(pixels))
    needed = _unpacked_bytes(chunks[0][1])
    stream = zlib.decompressobj()
    try:
        for kind, rest in chunks:
            while kind == b"IDAT" and rest and needed > 0 and not stream.eof:
                needed -= len(stream.decompress(rest, 2**20))
                rest = stream.unconsumed_tail
    except zlib.error:
        raise damage_error("PNG", "its compressed data is broken") from None
    if needed > 0:
        raise damage_error("PNG", "it has fewer pixels than its size requires")


def _unpacked_bytes(header: bytes) -> int:
    """Bytes of the unpacked picture: for each row of each pass one for the filter, then the packed pixels."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _CHANNELS.get(colour, 0)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    sizes = (((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in passes)
    return sum(h * (1 + (w * bits + 7) // 8) for w, h in sizes if w > 0 and h > 0)
