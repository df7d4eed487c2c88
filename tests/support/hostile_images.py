"""Makes the bytes of photos: good ones, rare ones, broken ones and bombs. Pure functions."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"
FORMATS = ("JPEG", "PNG", "WebP", "GIF", "AVIF", "HEIC")


def scene(width: int = 96, height: int = 64) -> Image.Image:
    """A picture no two quarters of which look alike, with soft and hard edges."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    wave = 0.5 + 0.5 * np.sin(12 * x + 9 * y * y)
    rgb = np.stack([255 * x, 255 * wave, 255 * y], axis=-1)
    rgb[: height // 3, : width // 4] = (250, 20, 30)
    return Image.fromarray(rgb.astype(np.uint8))


def encode(image: Image.Image, name: str = "JPEG", **options: Any) -> bytes:
    """``image`` as a file of one of ``FORMATS``."""
    out = BytesIO()
    if name == "HEIC":
        import pillow_heif

        pillow_heif.from_pillow(image).save(out, **options)
    else:
        image.save(out, name, **options)
    return out.getvalue()


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


# ---- PNG ---------------------------------------------------------------------------------------------------


def chunk(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def png(ihdr: bytes, rows: Iterable[bytes], *before: bytes) -> bytes:
    """A PNG of packed, unfiltered rows, with the chunks ``before`` its data."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    return PNG_START + ihdr + b"".join(before) + chunk(b"IDAT", data) + chunk(b"IEND")


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """The PNG ``data`` with ``chunks`` after its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def png_bomb(width: int, height: int) -> bytes:
    """Black, one bit per pixel: 20,000×20,000 pixels in 50 KB."""
    return png(header(width, height, depth=1, colour=0), (bytes((width + 7) // 8) for _ in range(height)))


def apng(frames: int) -> bytes:
    """Red, then ``frames - 1`` times blue, 40×40."""
    red, blue = (zlib.compress((b"\0" + colour * 40) * 40) for colour in (b"\xff\0\0", b"\0\0\xff"))

    def control(number: int) -> bytes:
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 40, 40, 0, 0, 1, 50, 0, 0))

    rest = b"".join(control(2 * i - 1) + chunk(b"fdAT", struct.pack(">I", 2 * i) + blue) for i in range(1, frames))
    start = header(40, 40) + chunk(b"acTL", struct.pack(">II", frames, 0)) + control(0)
    return PNG_START + start + chunk(b"IDAT", red) + rest + chunk(b"IEND")


# ---- JPEG --------------------------------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def jpeg_with(data: bytes, *segments: bytes) -> bytes:
    """The JPEG ``data`` with ``segments`` first."""
    return data[:2] + b"".join(segments) + data[2:]


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose frame header claims another size."""
    claim = struct.pack(">HH", height, width)
    return re.sub(rb"(\xff\xc0\0\x11\x08)....", lambda m: m[1] + claim, encode(scene()), count=1, flags=re.S)


def scan_start(data: bytes) -> int:
    """Where the compressed data of a JPEG's first scan begins."""
    at = data.index(b"\xff\xda") + 2
    return at + struct.unpack_from(">H", data, at)[0]


# ---- GIF and WebP ------------------------------------------------------------------------------------------


def gif(frames: int) -> bytes:
    """Red, then ``frames - 1`` times blue, 40×40."""
    red, blue = (encode(Image.new("RGB", (40, 40), colour), "GIF") for colour in ("red", "blue"))
    frame = blue[blue.index(b"\x2c\0\0\0\0") : -1]
    # The second colour table goes with its frames.
    table = blue[13 : 13 + 3 * 2 ** ((blue[10] & 7) + 1)]
    frame = frame[:9] + bytes([0x80 | blue[10] & 7]) + table + frame[10:]
    return red[:-1] + frame * (frames - 1) + b";"


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    body = b"".join(kind + struct.pack("<I", len(p)) + p + b"\0" * (len(p) % 2) for kind, p in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", bytes([flags, 0, 0, 0]) + b"".join((n - 1).to_bytes(3, "little") for n in (width, height))


def webp(frames: int) -> bytes:
    """Red, then ``frames - 1`` times blue, 40×40."""
    place = bytes(6) + (39).to_bytes(3, "little") * 2 + (50).to_bytes(3, "little") + b"\0"
    red, blue = (
        (b"ANMF", place + encode(Image.new("RGB", (40, 40), colour), "WebP", lossless=True)[12:])
        for colour in ("red", "blue")
    )
    return riff(webp_canvas(40, 40, flags=2), (b"ANIM", bytes(6)), red, *[blue] * (frames - 1))


# ---- metadata ----------------------------------------------------------------------------------------------


def exif(orientation: int, order: str = ">") -> bytes:
    """An EXIF block with a maker's name before the orientation and GPS behind it."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    entries = [
        struct.pack(order + "HHI4s", 0x010F, 2, 4, b"Ace\0"),
        struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0),
        struct.pack(order + "HHII", 0x8825, 4, 1, 50),
    ]
    gps = struct.pack(order + "HHHI4sI", 1, 1, 2, 2, b"N\0\0\0", 0)
    return mark + struct.pack(order + "IH", 8, len(entries)) + b"".join(entries) + bytes(4) + gps


def exif_bomb(entries: int = 4000, claimed: int = 60_000) -> bytes:
    """64 KB, whose every entry claims most of it: to read them all takes ``entries × claimed`` bytes."""
    table = b"".join(struct.pack(">HHII", 0x1000 + i, 7, claimed, 8) for i in range(entries))
    return (b"MM\0*" + struct.pack(">IH", 8, entries) + table).ljust(65_000, b"\0")


# ---- colour profiles ---------------------------------------------------------------------------------------

# XYZ of red, green and blue (columns), adapted to D50.
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
DISPLAY_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
ADOBE_RGB = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])


def _profile(space: bytes, connection: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC 2.1 profile of these tags."""
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, tag in tags.items():
        tag += b"\0" * (-len(tag) % 4)
        table += name + struct.pack(">II", at + len(body), len(tag))
        body += tag
    start = struct.pack(">I4xI4s4s4s", at + len(body), 0x02100000, kind, space, connection)
    start += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)  # D50
    return start.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _xyz(values: Iterable[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in values))


def rgb_profile(primaries: np.ndarray, gamma: float) -> bytes:
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))
    tags = {f"{c}XYZ".encode(): _xyz(primaries[:, i]) for i, c in enumerate("rgb")}
    tags |= {f"{c}TRC".encode(): curve for c in "rgb"}
    return _profile(b"RGB ", b"XYZ ", b"mntr", {b"wtpt": _xyz((0.9642, 1, 0.8249)), **tags})


def grey_profile(gamma: float) -> bytes:
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))
    return _profile(b"GRAY", b"XYZ ", b"mntr", {b"wtpt": _xyz((0.9642, 1, 0.8249)), b"kTRC": curve})


def cmyk_profile() -> bytes:
    """A press that only prints black: from L* 100 without it to 0 with all of it, evenly."""
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    ramp = bytes(range(256))
    table = (
        b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + bytes([255, 128, 128, 0, 128, 128]) * 8 + ramp * 3
    )
    return _profile(b"CMYK", b"Lab ", b"prtr", {b"wtpt": _xyz((0.9642, 1, 0.8249)), b"A2B0": table})


def in_srgb(rgb: np.ndarray, primaries: np.ndarray, gamma: float) -> np.ndarray:
    """What ``rgb`` (…, 3; 0 … 255) in a profile's colours is in sRGB; computed by the definition."""
    light = (rgb / 255) ** gamma @ (np.linalg.inv(SRGB) @ primaries).T
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
