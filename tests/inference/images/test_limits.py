"""Sizes are known before memory is asked for, and nothing in a file costs more than it weighs."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zlib

import pytest
from PIL import Image, ImageFile

from explorer.errors import ImageError
from explorer.inference.images import decode as decoder
from explorer.inference.images.decode import MAX_BYTES, decode
from explorer.inference.images.formats import jpeg
from explorer.inference.images.photo import Photo
from tests.support import hostile_images as make
from tests.support.photo_files import oriented, patched

# ---- limits ------------------------------------------------------------------------------------------------


def claiming(kind: str, width: int, height: int) -> bytes:
    """A small file whose header claims this size."""
    scene = make.scene()
    if kind == "PNG":
        return make.png(make.header(width, height), [b"abc"])
    if kind == "JPEG":
        return make.jpeg_of_size(width, height)
    if kind == "GIF":
        frame = b"\x2c\0\0\0\0" + struct.pack("<HH", 96, 64)
        return patched(make.encode(scene, "GIF"), frame, frame[:5] + struct.pack("<HH", width, height))
    if kind in ("AVIF", "HEIC"):
        true, claim = (b"ispe" + bytes(4) + struct.pack(">II", *size) for size in ((96, 64), (width, height)))
        return patched(make.encode(scene, kind), true, claim)
    still = make.encode(scene, "WebP", lossless=kind != "WebP lossy")
    if kind == "WebP":
        return make.riff(make.webp_canvas(width, height), (b"VP8L", still[20:]))
    if kind == "WebP lossy":
        return still[:26] + struct.pack("<HH", width, height) + still[30:]
    return still[:21] + struct.pack("<I", width - 1 | (height - 1) << 14) + still[25:]


@pytest.fixture
def no_decoding(monkeypatch):
    """Pixels may not be touched: not by Pillow, pillow_heif, zlib's inflating or libjpeg."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    import pillow_heif

    for place, what in (
        (ImageFile.ImageFile, "load"),
        (pillow_heif.HeifImage, "to_pillow"),
        (decoder, "check_pixels"),
        (jpeg, "decode"),
    ):
        monkeypatch.setattr(place, what, forbidden)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WebP", "WebP lossy", "WebP lossless", "AVIF", "HEIC"])
def test_too_many_pixels_are_refused_before_decoding(kind, no_decoding):
    name = kind.split()[0]
    limit = r"144\.0 megapixels, and 40 are allowed\. Scale it down first\.$"
    with pytest.raises(ImageError, match=rf"^This {name} has 12000×12000 pixels, {limit}"):
        decode(claiming(kind, 12_000, 12_000))


def test_a_png_bomb_is_refused_before_decoding(no_decoding):
    bomb = make.png_bomb(20_000, 20_000)
    assert len(bomb) < 60_000
    with pytest.raises(ImageError, match=r"20000×20000 pixels, 400\.0 megapixels, and 40 are allowed"):
        decode(bomb)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WebP", "AVIF", "HEIC"])
def test_long_strips_are_refused_before_decoding(kind, no_decoding):
    limit = r"32,500\.0 times as long as wide, and 20 times are allowed\. Crop it first\.$"
    with pytest.raises(ImageError, match=rf"^This {kind} has 65000×2 pixels, {limit}"):
        decode(claiming(kind, 65_000, 2))


def test_pillows_own_limit_plays_no_part(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(ImageError, match=r"144\.0 megapixels"):
        decode(claiming("PNG", 12_000, 12_000))


def test_the_limits_themselves_are_allowed(monkeypatch):
    assert decode(make.encode(make.scene(800, 40), "PNG")).notes == ()
    with pytest.raises(ImageError, match=r"801×40 pixels, 20\.0 times as long"):
        decode(make.encode(make.scene(801, 40), "PNG"))
    monkeypatch.setattr(decoder, "MAX_PIXELS", 64 * 64)
    assert decode(make.encode(make.scene(64, 64), "PNG")).notes == ()
    with pytest.raises(ImageError, match="65×64 pixels"):
        decode(make.encode(make.scene(65, 64), "PNG"))


def test_the_limit_on_bytes(files):
    assert decode(files["JPEG"].ljust(MAX_BYTES, b"\0")).format == "JPEG"
    with pytest.raises(ImageError, match=r"^The file has 20\.1 MB, and 20 MB are allowed\. Scale the photo down, or"):
        decode(files["JPEG"].ljust(MAX_BYTES + 1, b"\0"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "AVIF"])
def test_no_pixels_at_all(kind):
    with pytest.raises(ImageError, match=rf"^This {kind} has 0×64 pixels: the picture is empty\."):
        decode(claiming(kind, 0, 64))


def test_a_heic_that_understates_its_size_is_refused():
    ispe, claim = (b"ispe" + bytes(4) + struct.pack(">II", *size) for size in ((512, 384), (64, 64)))
    data = patched(make.encode(make.scene(512, 384), "HEIC"), ispe, claim)
    with pytest.raises(ImageError, match=r"^This HEIC cannot be decoded"):
        decode(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("JPEG", make.jpeg_with(make.encode(make.scene()), make.segment(0xFE, b"") * 100_001)),
        ("PNG", make.png_with(make.encode(make.scene(), "PNG"), make.chunk(b"tEXt") * 100_001)),
        ("GIF", make.encode(make.scene(), "GIF")[:-1] + b"\x21\xfe\0" * 100_001 + b";"),
        ("WebP", make.riff(make.webp_canvas(9, 9), *[(b"ABCD", b"")] * 100_001)),
        ("AVIF", make.encode(make.scene(), "AVIF") + (b"\0\0\0\x08free") * 100_001),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_too_many_parts_are_refused_at_once(name, data):
    began = time.perf_counter()
    with pytest.raises(ImageError, match=rf"^This {name} is damaged: it has more than 100,000 parts\."):
        decode(data)
    assert time.perf_counter() - began < 10


def test_too_many_scans_are_refused():
    data = make.encode(make.scene(), progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(ImageError, match=r"^This JPEG is damaged: it has \d+ scans, and 32 are allowed"):
        decode(data[:-2] + last * 64 + data[-2:])


# ---- metadata ----------------------------------------------------------------------------------------------


def traced(data: bytes) -> tuple[Photo, int]:
    """The photo and the most bytes Python held meanwhile."""
    tracemalloc.start()
    try:
        return decode(data), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_text_bomb_is_left_packed():
    """200 chunks that each inflate to 1 MB; Pillow gives up after 64."""
    text = make.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2**20 - 1)))
    photo, peak = traced(make.png_with(make.encode(make.scene(), "PNG"), text * 200))
    assert photo.image.info == {}
    assert peak < 5 * 2**20


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "AVIF", "HEIC"])
def test_an_exif_bomb_does_not_go_off(name):
    """240 MB if every entry were read."""
    bomb = make.exif_bomb()
    if name == "HEIC":
        image = make.scene()
        image.info["exif"] = b"Exif\0\0" + bomb
        data = make.encode(image, "HEIC")
    elif name == "AVIF":  # Pillow parses what it writes: something harmless as long, then overwritten
        harmless = b"MM\0*\0\0\0\x08".ljust(len(bomb), b"\0")
        data = patched(make.encode(make.scene(), "AVIF", exif=harmless), harmless, bomb)
    else:
        data = oriented(name, make.scene(), bomb)
    photo, peak = traced(data)
    assert photo.image.info == {}
    assert peak < 5 * 2**20


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP"])
def test_no_metadata_is_passed_on(name):
    photo = decode(oriented(name, make.scene(), make.exif(6)))
    assert photo.image.info == {}
    assert dict(photo.image.getexif()) == {}
    assert b"Ace" not in make.encode(photo.image, "PNG")
