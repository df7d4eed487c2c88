"""Every row of what broken and hostile photos must get, with real bytes of each."""

from __future__ import annotations

import json
import random
import re
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, ImageOps, features

from explorer.errors import ImageError
from explorer.inference import images
from explorer.inference.image_files import contents, jpeg, sniff, take_apart
from explorer.inference.images import FORMATS, MAX_BYTES, Photo, decode
from tests import hostile_images as make

ROOT = Path(__file__).parent.parent
PHOTOS = ROOT.parent / "shared" / "data" / "photos"
needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason="the folder of real photos is absent")
needs_strict_jpeg = pytest.mark.skipif(
    find_spec("simplejpeg") is None,
    reason="simplejpeg is not installed; damage inside JPEG data goes unnoticed",
)

ANIMATED = "This {} is animated; only its first frame is used."
ON_WHITE = "Its transparent parts are shown on white."
CONVERTED = "Its colours were converted from its own colour profile to sRGB."
IGNORED = "Its colour profile is broken, unfit or huge and was ignored; colours may be a little off."


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


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {name: make.encode(make.scene(), name) for name in FORMATS}


# ---- good photos -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read(files, name):
    photo = decode(files[name])
    assert (photo.format, photo.original_size, photo.notes) == (name, (96, 64), ())
    assert (photo.image.mode, photo.image.size, photo.image.info) == ("RGB", (96, 64), {})
    assert type(photo.image) is Image.Image
    assert distance(photo, make.scene()) < (0.01 if name == "PNG" else 12)


def test_nothing_heavy_is_imported_and_pillow_learns_no_format(files):
    script = (
        "import json, sys, explorer.inference.images as i\n"
        "early = {'torch', 'pillow_heif', 'simplejpeg'} & set(sys.modules)\n"
        "i.decode(sys.stdin.buffer.read())\n"
        "from PIL import Image\n"
        "print(json.dumps([sorted(early), 'HEIF' in Image.OPEN]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=files["HEIC"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    assert json.loads(done.stdout) == [[], False]


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": "4:2:0"}, {"optimize": True}])
def test_jpeg_kinds_look_like_baseline(options):
    scene = make.scene(200, 120)
    baseline = decode(make.encode(scene, quality=92, subsampling="4:4:4"))
    other = decode(make.encode(scene, **{"quality": 92, "subsampling": "4:4:4", **options}))
    assert distance(baseline, other) < 2


def test_grey_jpeg():
    grey = make.scene().convert("L")
    photo = decode(make.encode(grey, quality=95))
    assert distance(photo, grey) < 2
    assert np.ptp(pixels(photo), axis=2).max() == 0


@pytest.mark.parametrize("sampling", ["440", "411"])
def test_rare_subsampling_is_read(sampling):
    simplejpeg = pytest.importorskip("simplejpeg", reason="only simplejpeg writes such files")
    data = simplejpeg.encode_jpeg(np.asarray(make.scene()).copy(), colorsubsampling=sampling)
    assert distance(decode(data), make.scene()) < 12


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (31, 100)])
def test_tiny_photos_are_read_with_a_note(size):
    photo = decode(make.encode(make.scene(*size) if min(size) > 4 else Image.new("RGB", size), "PNG"))
    assert photo.image.size == size
    assert photo.notes == (
        f"It is tiny, {size[0]}×{size[1]} pixels: what a network sees in it is little more than a guess.",
    )


# ---- other files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"just words\n", "a text file"),
        (("x" + "ü" * 4000).encode(), "a text file"),  # the glance ends inside a character
        ("words".encode("utf-16"), "a text file"),
        (b'{"a": 1}', "a text file"),
        (b"\n<!DOCTYPE HTML><title>x</title>", "an HTML page"),
        (b"\xef\xbb\xbf<html><svg></svg></html>", "an HTML page"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'<?xml version="1.0"?><a/>', "an XML document"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\0\1junk\n%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "an EPS or PostScript drawing"),
        (make.encode(make.scene(), "TIFF"), "a TIFF image or a camera's raw file"),
        (make.encode(make.scene(), "BMP"), "a BMP image"),
        (make.encode(make.scene(), "ICO"), "an ICO icon"),
        (make.encode(make.scene(), "JPEG2000"), "a JPEG 2000 image"),
        (make.encode(make.scene(), "PDF"), "a PDF document"),
        (make.encode(make.scene(), "EPS"), "an EPS or PostScript drawing"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"PK\3\4", "a ZIP archive or an office document"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "a sound or video file"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42", "a video or another media file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera's raw file"),
        (bytes(100), "a file of an unknown kind"),
        (b"\x89PNG\n\x1a\n", "a file of an unknown kind"),
    ],
)
def test_other_files_are_refused_by_name(data, found):
    with pytest.raises(ImageError, match=rf"^This is {found}, not a photo in a format read here\. \w+ .*\.$"):
        decode(data)


def test_the_refusal_says_how_to_mend():
    mend = r"Choose a photo in one of these formats: JPEG, PNG, WebP, GIF, AVIF or HEIC\.$"
    with pytest.raises(ImageError, match=r"^The file is empty \(0 bytes\)\. " + mend):
        decode(b"")
    with pytest.raises(ImageError, match=mend):
        decode(b"words")
    with pytest.raises(ImageError, match=r"export it as JPEG or PNG\.$"):
        decode(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("brands", "name"),
    [
        ((b"mif1", b"avif"), "AVIF"),
        ((b"msf1", b"hevc"), "HEIC"),
        ((b"heix",), "HEIC"),
        ((b"avis", b"heic"), "AVIF"),
    ],
)
def test_media_files_go_by_their_brands(brands, name):
    box = brands[0] + bytes(4) + b"".join(brands)
    assert sniff.recognise(struct.pack(">I", 8 + len(box)) + b"ftyp" + box) == name


def test_brands_are_not_looked_for_behind_their_box():
    with pytest.raises(ImageError, match="a video or another media file"):
        sniff.recognise(b"\0\0\0\x10ftypmp42\0\0\0\0avif")


@pytest.mark.parametrize("name", ["JPEG", "GIF", "WebP", "PNG"])
def test_what_follows_the_picture_is_left_behind(files, name):
    archive = b"PK\3\4 an archive, or alert('a script')"
    photo = decode(files[name] + archive)
    assert np.array_equal(pixels(photo), pixels(decode(files[name])))
    assert archive not in contents_of(name, files[name] + archive).pixels


def contents_of(name: str, data: bytes) -> contents.Contents:
    return take_apart(name, data)


def test_a_gif_that_is_also_a_script():
    data = make.encode(make.scene(), "GIF")
    comment = b"*/=1;alert(1)/*"
    polyglot = data[:-1] + b"\x21\xfe" + bytes([len(comment)]) + comment + b"\0;"
    assert np.array_equal(pixels(decode(polyglot)), pixels(decode(data)))
    assert comment not in contents_of("GIF", polyglot).pixels


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "GIF", "AVIF"])
def test_pillow_may_only_try_the_one_format(files, name, monkeypatch):
    asked, really_open = [], Image.open

    def watched(file: BytesIO, formats: list[str]) -> Image.Image:
        asked.append(formats)
        return really_open(file, formats=formats)

    monkeypatch.setattr(Image, "open", watched)
    decode(files[name])
    assert asked == [[name.upper()]]


# ---- limits ------------------------------------------------------------------------------------------------


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


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
        (images, "check_pixels"),
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
    monkeypatch.setattr(images, "MAX_PIXELS", 64 * 64)
    assert decode(make.encode(make.scene(64, 64), "PNG")).notes == ()
    with pytest.raises(ImageError, match="65×64 pixels"):
        decode(make.encode(make.scene(65, 64), "PNG"))


def test_the_limit_on_bytes(files):
    assert decode(files["JPEG"].ljust(MAX_BYTES, b"\0")).format == "JPEG"
    with pytest.raises(ImageError, match=r"^The file has 20\.1 MB, and 20 MB are allowed\. Scale the photo down, or"):
        decode(files["JPEG"].ljust(MAX_BYTES + 1, b"\0"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "AVIF"])
def test_no_pixels_at_all(kind):
    with pytest.raises(ImageError, match=rf"^This {kind} has 0×64 pixels: nothing to look at\."):
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


# ---- damage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99, -1])
@pytest.mark.parametrize("name", FORMATS)
def test_cut_off_files_are_refused(files, name, part):
    data = files[name][: part if part == -1 else int(len(files[name]) * part)]
    with pytest.raises(ImageError, match=rf"^This {name} is cut off: the file ends before the picture does\. Copy"):
        decode(data)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_off_anywhere_is_refused(files, name):
    data = files[name]
    for end in [*range(1, 64), *range(64, len(data), 97)]:
        with pytest.raises(ImageError):
            decode(data[:end])


@pytest.mark.parametrize("frames", [make.gif, make.webp, make.apng])
def test_an_animation_with_only_its_first_frame_whole_is_refused(frames):
    data = frames(5)
    with pytest.raises(ImageError, match="is cut off"):
        decode(data[: int(len(data) * 0.7)])


def test_a_png_with_any_byte_changed_is_refused():
    data = make.png_with(make.encode(make.scene(24, 16), "PNG"), make.chunk(b"tEXt", b"Title\0x"))
    for at in range(len(data)):
        with pytest.raises(ImageError):
            decode(make.flipped(data, at, at % 8))


def test_a_png_with_a_wrong_checksum_says_so(files):
    data = files["PNG"]
    with pytest.raises(ImageError, match=r"^This PNG is damaged: a checksum in it does not match\. Copy or download"):
        decode(make.flipped(data, data.index(b"IDAT") + 40))


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_png_with_too_few_rows_is_refused(interlaced):
    rows = [bytes(120)] * 40
    ihdr = make.header(40, 40, interlaced=interlaced)
    with pytest.raises(ImageError, match=r"^This PNG is damaged: it holds fewer pixels than its size needs\."):
        decode(make.png(ihdr, rows[:20]))
    if not interlaced:
        decode(make.png(ihdr, rows))
        decode(make.png(ihdr, [*rows, bytes(5)]))  # too many are left out


@pytest.mark.parametrize(("width", "height"), [(5, 3), (3, 5), (1, 1), (9, 9)])
def test_an_interlaced_png_is_read(width, height):
    """Seven passes; those without a column or row in a small picture have no bytes at all."""
    value = (np.arange(width * height) * 3).astype(np.uint8).reshape(height, width)
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = [row.tobytes() for x, y, dx, dy in passes for row in value[y::dy, x::dx] if row.size]
    ihdr = make.header(width, height, colour=0, interlaced=1)
    assert np.array_equal(pixels(decode(make.png(ihdr, rows)))[..., 0], value)
    with pytest.raises(ImageError, match=r"fewer pixels"):
        decode(make.png(ihdr, rows[:-1]))


def test_a_png_whose_data_inflates_without_end_costs_nothing():
    """15 MB that hold 14 GB of zeros for a picture of 40×40; inflating them all takes a minute."""
    packer = zlib.compressobj(9)
    start = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = start + again * (15 * 2**20 // len(again)) + packer.flush()
    bomb = make.PNG_START + make.header(40, 40) + make.chunk(b"IDAT", data) + make.chunk(b"IEND")
    began = time.perf_counter()
    decode(bomb)
    assert time.perf_counter() - began < 5


def test_a_png_with_two_headers_is_refused():
    data = make.png_with(make.encode(make.scene(), "PNG"), make.header(20_000, 20_000))
    with pytest.raises(ImageError, match=r"^This PNG is damaged: it does not start with one header"):
        decode(data)


def test_a_jpeg_with_two_frames_is_refused():
    data = make.jpeg_with(make.encode(make.scene()), make.segment(0xC0, struct.pack(">BHHB", 8, 9, 9, 1) + b"\1\x11\0"))
    with pytest.raises(ImageError, match=r"^This JPEG is damaged: it does not hold exactly one picture"):
        decode(data)


def test_a_jpeg_with_junk_between_its_segments_is_refused(files):
    with pytest.raises(ImageError, match=r"^This JPEG is damaged: it has other bytes where a marker should be"):
        decode(files["JPEG"][:20] + b"\0\xfe\0\2" + files["JPEG"][20:])


@pytest.mark.parametrize("name", ["AVIF", "HEIC"])
def test_a_box_of_impossible_length_is_refused(files, name):
    with pytest.raises(ImageError, match=rf"^This {name} is damaged: it has other bytes where a box should be"):
        decode(files[name] + b"\0\0\0\4free")


def test_fill_bytes_before_a_jpeg_marker_are_allowed(files):
    data = make.jpeg_with(files["JPEG"], b"\xff" * 1000)
    assert np.array_equal(pixels(decode(data)), pixels(decode(files["JPEG"])))


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


@needs_strict_jpeg
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("damage", jpeg_damages(make.encode(make.scene())))
def test_a_jpeg_with_damaged_data_is_refused(damage, progressive):
    data = make.encode(make.scene(400, 300), progressive=progressive)
    with pytest.raises(
        ImageError,
        match=r"^This JPEG is damaged: its picture data does not add up, so parts are missing or shifted\.",
    ):
        decode(jpeg_damages(data)[damage])


@needs_strict_jpeg
@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_other_jpeg_modes_are_checked_too(mode):
    data = make.encode(make.scene(200, 200).convert(mode))
    assert decode(data).notes == ()
    with pytest.raises(ImageError, match=r"does not add up"):
        decode(jpeg_damages(data)["half missing"])


@needs_strict_jpeg
def test_no_flipped_bit_leaves_a_jpeg_half_grey():
    """libjpeg fills missing blocks with mid-grey: after any flip that is accepted, there are none."""
    data = make.encode(make.scene(200, 150), quality=80)
    choose = random.Random(1)
    refused = 0
    for _ in range(150):
        try:
            photo = decode(
                make.flipped(data, choose.randrange(make.scan_start(data), len(data) - 2), choose.randrange(8))
            )
        except ImageError:
            refused += 1
            continue
        grey = (np.abs(pixels(photo) - 128) <= 1).all(axis=2)
        assert grey.mean() < 0.01
    assert refused > 10


def test_a_jpeg_that_the_strict_decoder_cannot_read_is_left_to_pillow(files, monkeypatch):
    class Limited:
        @staticmethod
        def decode_jpeg(*_: object, **__: object) -> None:
            raise ValueError("unsupported")

    monkeypatch.setattr(jpeg, "_strict_decoder", lambda: Limited)
    assert decode(files["JPEG"]).format == "JPEG"


def test_without_simplejpeg_the_rest_still_holds(files, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    jpeg._strict_decoder.cache_clear()
    try:
        decode(files["JPEG"])
        decode(files["JPEG"])
        assert [record.message for record in caplog.records] == [
            "simplejpeg is not installed, so JPEGs with damaged picture data are not recognised."
        ]
        with pytest.raises(ImageError, match="cut off"):
            decode(files["JPEG"][:-1])
    finally:
        jpeg._strict_decoder.cache_clear()


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(draw=st.data())
def test_broken_files_raise_nothing_but_image_errors(files, name, draw):
    """Bytes are overwritten, cut out and put in; the answer is a photo or a sentence."""
    data = bytearray(files[name])
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, len(data) - 1))
        span = draw.draw(st.integers(0, 8))
        data[at : at + span] = draw.draw(st.binary(max_size=8))
    try:
        photo = decode(bytes(data))
    except ImageError as error:
        sentence = str(error)
    else:
        assert (photo.image.mode, photo.image.info) == ("RGB", {})
        return
    assert re.fullmatch(r"This .*\.", sentence)


@settings(max_examples=100, deadline=None)
@given(
    start=st.sampled_from(
        [b"\xff\xd8\xff", make.PNG_START, b"RIFF\xff\0\0\0WEBP", b"GIF89a", b"\0\0\0\x10ftypavif\0\0\0\0"]
    ),
    rest=st.binary(max_size=200),
)
def test_junk_behind_a_signature_raises_nothing_but_image_errors(start, rest):
    with pytest.raises(ImageError):
        decode(start + rest)


@pytest.mark.parametrize(
    "error",
    [
        Image.DecompressionBombError("/srv/app/x"),
        struct.error("x"),
        SyntaxError("x"),
        ValueError("x"),
        OSError("/srv/app/x"),
        EOFError(),
        KeyError("x"),
        RecursionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_decoder_raises_becomes_a_sentence(files, monkeypatch, error):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(
        ImageError,
        match=r"^This PNG cannot be decoded: it is damaged or of a rare kind\. Copy or download it again, "
        r"or open it in a photo program and save it anew\.$",
    ):
        decode(files["PNG"])


def test_out_of_memory_says_so(files, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(ImageError, match=r"^This PNG needs more memory than is free\. Try again later"):
        decode(files["PNG"])


def test_nothing_is_read_while_pillow_fills_in_damage(files, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ImageError, match=r"^Photos cannot be read safely: .* \(ImageFile\.LOAD_TRUNCATED_IMAGES\)"):
        decode(files["PNG"])


def test_a_pillow_without_avif_says_so(files, monkeypatch):
    monkeypatch.setattr(features, "check", lambda feature: False)
    with pytest.raises(ImageError, match=r"^AVIF photos cannot be read here: .* Export it as JPEG or PNG\.$"):
        decode(files["AVIF"])
    decode(files["PNG"])


# ---- depth and transparency --------------------------------------------------------------------------------


def test_16_bit_grey_is_scaled():
    values = np.array([0, 1, 128, 129, 255, 256, 40_000, 65_407, 65_535] * 32, dtype=np.uint16)
    grey = np.tile(values, (40, 1))
    photo = decode(make.encode(Image.fromarray(grey), "PNG"))
    assert np.array_equal(pixels(photo)[..., 0], np.round(grey / 257))
    assert pixels(photo)[0, 6].tolist() == [156, 156, 156]


@pytest.mark.parametrize("colour", [2, 4, 6])
def test_16_bit_colours_are_scaled(colour):
    samples = {2: (40_000, 0, 65_535), 4: (40_000, 65_535), 6: (40_000, 0, 65_535, 65_535)}[colour]
    row = struct.pack(f">{len(samples)}H", *samples) * 40
    photo = decode(make.png(make.header(40, 40, 16, colour), [row] * 40))
    expected = (156, 156, 156) if colour == 4 else (156, 0, 255)
    assert pixels(photo)[20, 20].tolist() == list(expected)
    assert photo.notes == ()


def test_16_bit_heic_is_scaled():
    photo = decode(make.encode(Image.fromarray(np.full((64, 64), 40_000, dtype=np.uint16)), "HEIC"))
    assert np.abs(pixels(photo) - 156).max() <= 1


def test_one_bit_png():
    photo = decode(make.encode(make.scene().convert("1"), "PNG"))
    assert np.array_equal(pixels(photo), pixels(make.scene().convert("1")))


@pytest.mark.parametrize("name", ["PNG", "WebP", "AVIF", "HEIC"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_shown_on_white(name, mode):
    hidden, half, shown = (200, 30, 30, 0), (0, 0, 0, 128), (20, 60, 90, 255)
    image = Image.new("RGBA", (96, 64), hidden)
    image.paste(half, (32, 0, 64, 64))
    image.paste(shown, (64, 0, 96, 64))
    photo = decode(make.encode(image.convert(mode), name, **BEST[name]))
    seen = pixels(photo)[32]
    grey = Image.new("RGB", (1, 1), shown[:3]).convert("L").getpixel((0, 0))
    expected = [grey] * 3 if mode == "LA" else shown[:3]
    assert np.abs(seen[10] - 255).max() <= 1
    assert np.abs(seen[48] - 127).max() <= 2
    assert np.abs(seen[80] - expected).max() <= 4
    assert photo.notes == (ON_WHITE,)


@pytest.mark.parametrize("name", ["PNG", "WebP"])
def test_an_opaque_alpha_is_no_news(name):
    image = make.scene().convert("RGBA")
    assert decode(make.encode(image, name, lossless=True)).notes == ()


def test_palette_with_one_transparent_colour():
    image = Image.new("P", (40, 40), 0)
    image.putpalette([9, 9, 9, 200, 10, 20])
    image.paste(1, (20, 0, 40, 40))
    for name in ("PNG", "GIF"):
        photo = decode(make.encode(image, name, transparency=0))
        assert pixels(photo)[20, [5, 30]].tolist() == [[255, 255, 255], [200, 10, 20]]
        assert photo.notes == (ON_WHITE,)


def test_transparency_of_a_later_gif_frame_does_not_count():
    control = b"\x21\xf9\4\1\0\0\0\0"
    first = make.gif(2)
    at = first.rindex(b"\x2c\0\0\0\0")
    assert decode(first[:at] + control + first[at:]).notes == (ANIMATED.format("GIF"),)


def test_palette_with_a_table_of_alphas():
    image = Image.new("P", (40, 40), 0)
    image.putpalette([0, 0, 0, 200, 10, 20])
    image.paste(1, (20, 0, 40, 40))
    photo = decode(make.encode(image, "PNG", transparency=b"\x80\xff"))
    assert pixels(photo)[20, [5, 30]].tolist() == [[127, 127, 127], [200, 10, 20]]


@pytest.mark.parametrize(
    ("depth", "colour", "key", "row", "seen"),
    [
        (1, 0, (1,), b"\x0f" * 5, (0, 255)),  # black, then the transparent white
        (2, 0, (2,), b"\x5a\x5a" * 5, (85, 255)),  # 1 1 2 2: level 85, then the transparent one
        (4, 0, (9,), b"\x33\x99" * 10, (51, 255)),
        (8, 0, (7,), b"\x03\x03\x07\x07" * 10, (3, 255)),
        (16, 0, (700,), struct.pack(">4H", 25700, 25700, 700, 700) * 10, (100, 255)),
        (8, 2, (7, 8, 9), bytes([3, 3, 3] * 2 + [7, 8, 9] * 2) * 10, (3, 255)),
        (16, 2, (700, 800, 900), struct.pack(">12H", *[771] * 6, *[700, 800, 900] * 2) * 10, (3, 255)),
    ],
)
def test_png_with_a_transparent_colour(depth, colour, key, row, seen):
    """At every depth: the key is in the file's samples, whatever the decoder scales pixels to."""
    transparent = make.chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    photo = decode(make.png(make.header(40, 40, depth, colour), [row] * 40, transparent))
    second = 4 if depth == 1 else 2
    assert [int(v) for v in pixels(photo)[20, [0, second], 0]] == list(seen)
    assert photo.notes == (ON_WHITE,)


def test_a_first_frame_smaller_than_the_screen_is_taken_alone():
    frame = Image.new("P", (40, 40), 1)
    frame.putpalette([9, 9, 9, 200, 10, 20])
    data = bytearray(make.encode(frame, "GIF"))
    at = data.index(b"\x2c\0\0\0\0")
    data[6:10] = struct.pack("<HH", 100, 90)
    data[at + 1 : at + 5] = struct.pack("<HH", 50, 30)
    photo = decode(bytes(data))
    assert photo.image.size == (40, 40)
    assert photo.image.getcolors() == [(1600, (200, 10, 20))]


# ---- orientation -------------------------------------------------------------------------------------------

# How a file of each orientation stores an upright picture, by the EXIF standard's definition of the tag.
STORED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


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


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP"])
def test_every_orientation_gives_the_same_upright_photo(name, orientation):
    upright = make.scene()
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(upright))))
    for order in "<>":
        data = oriented(name, stored, make.exif(orientation, order))
        photo = decode(data)
        assert photo.original_size == stored.size
        assert photo.image.size == upright.size
        assert distance(photo, upright) < (2 if name == "JPEG" else 0.01)
    pillow = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    assert distance(photo, pillow) < 0.01


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP"])
def test_invalid_orientations_are_ignored(name, orientation):
    photo = decode(oriented(name, make.scene(), make.exif(orientation)))
    assert distance(photo, make.scene()) < 2
    assert photo.notes == ()


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II",
        b"MM\0*",
        b"MM\0*\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"MM\0*\0\0\0\x08\0\1\1\x12\0\2\0\0\0\1\0\6\0\0",
        b"XX\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0",
    ],
)
def test_broken_exif_is_upright(block):
    assert contents.exif_orientation(block) == 1


def test_orientations_are_one_to_eight():
    read = [contents.exif_orientation(make.exif(value)) for value in (*range(11), 65_535)]
    assert read == [1, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 1]
    assert contents.exif_orientation(b"Exif\0\0" + make.exif(6)) == 6


@pytest.mark.parametrize("orientation", STORED)
def test_avif_states_its_turns_itself(orientation):
    """Pillow writes the orientation as AVIF's own properties; EXIF beside them does not count."""
    upright = make.scene()
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(upright))))
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Ace"
    photo = decode(make.encode(stored, "AVIF", exif=tags, quality=95))
    assert photo.image.size == upright.size
    assert distance(photo, upright) < 3


def test_heic_states_its_turns_itself():
    """Phones write the turn twice, as a property and as EXIF; only the first counts."""
    image = make.scene()
    tags = Image.Exif()
    tags[0x0112] = 6
    image.info["exif"] = tags.tobytes()
    data = bytearray(make.encode(image, "HEIC", quality=95))
    angle = data.index(b"irot") + 4
    unturned = None
    for quarters in range(4):
        data[angle] = quarters
        seen = pixels(decode(bytes(data)))
        unturned = seen if unturned is None else unturned
        assert np.array_equal(seen, np.rot90(unturned, quarters))


# ---- animations --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "frames"), [("GIF", make.gif), ("WebP", make.webp), ("PNG", make.apng)])
@pytest.mark.parametrize("count", [1, 2, 10_000])
def test_the_first_frame_of_an_animation(name, frames, count):
    data = frames(count)
    began = time.perf_counter()
    photo = decode(data)
    assert time.perf_counter() - began < 5
    assert photo.format == name
    assert photo.image.getcolors() == [(1600, (255, 0, 0))]
    assert photo.notes == ((ANIMATED.format(name),) if count > 1 else ())


def test_the_first_frame_of_an_avif_animation():
    red, blue = (Image.new("RGB", (40, 40), colour) for colour in ("red", "blue"))
    photo = decode(make.encode(red, "AVIF", save_all=True, append_images=[blue] * 3))
    assert np.abs(pixels(photo) - [255, 0, 0]).max() < 6
    assert photo.notes == (ANIMATED.format("AVIF"),)


def test_the_main_picture_of_a_heic():
    import pillow_heif

    file = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "blue"))
    file.add_from_pillow(Image.new("RGB", (64, 64), "red"))
    out = BytesIO()
    file.save(out, primary_index=1)
    photo = decode(out.getvalue())
    assert np.abs(pixels(photo) - [255, 0, 0]).max() < 10
    assert photo.notes == ("This HEIC holds several pictures; only its main one is used.",)


# ---- colours -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("primaries", [make.DISPLAY_P3, make.ADOBE_RGB], ids=["P3", "Adobe RGB"])
@pytest.mark.parametrize("name", BEST)
def test_wide_colours_are_converted_to_srgb(name, primaries):
    image = Image.new("RGB", (64, 64), (90, 160, 60))
    options = {**BEST[name], "icc_profile": make.rgb_profile(primaries, 2.2)}
    photo = decode(make.encode(image, name, **options))
    expected = make.in_srgb(np.array([90, 160, 60]), primaries, 2.2)
    assert np.abs(pixels(photo)[30, 30] - expected).max() < 4
    assert np.abs(expected - [90, 160, 60]).max() > 15
    assert photo.notes == (CONVERTED,)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_a_profile_that_is_srgb_changes_nothing():
    photo = decode(make.encode(make.scene(), "PNG", icc_profile=srgb_profile()))
    assert np.array_equal(pixels(photo), pixels(make.scene()))
    assert photo.notes == ()


def test_grey_photos_with_profiles():
    grey = Image.new("L", (40, 40), 100)
    for profile in (make.grey_profile(1.8), make.rgb_profile(make.SRGB, 1.8)):
        photo = decode(make.encode(grey, "PNG", icc_profile=profile))
        expected = make.in_srgb(np.array([100, 100, 100]), make.SRGB, 1.8)
        assert np.abs(pixels(photo)[20, 20] - expected).max() < 2
        assert photo.notes == (CONVERTED,)


def test_colours_are_converted_before_they_go_on_white():
    image = Image.new("RGBA", (40, 40), (90, 160, 60, 0))
    image.paste((90, 160, 60, 255), (20, 0, 40, 40))
    photo = decode(make.encode(image, "PNG", icc_profile=make.rgb_profile(make.ADOBE_RGB, 2.2)))
    expected = make.in_srgb(np.array([90, 160, 60]), make.ADOBE_RGB, 2.2)
    assert pixels(photo)[20, 5].tolist() == [255, 255, 255]
    assert np.abs(pixels(photo)[20, 30] - expected).max() < 2
    assert photo.notes == (CONVERTED, ON_WHITE)


P3 = make.rgb_profile(make.DISPLAY_P3, 2.2)


@pytest.mark.parametrize("name", BEST)
@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        P3[:200],
        P3.replace(b"rXYZ", b"none"),
        make.cmyk_profile(),
        P3.ljust(5 * 2**20, b"\0"),
    ],
    ids=["junk", "cut off", "without red", "for CMYK", "huge"],
)
def test_unusable_profiles_are_ignored_with_a_note(name, profile):
    plain = decode(make.encode(make.scene(), name))
    photo = decode(make.encode(make.scene(), name, icc_profile=profile))
    assert np.array_equal(pixels(photo), pixels(plain))
    assert photo.notes == (IGNORED,)


def test_a_profile_bomb_is_bounded():
    """100 MB in an iCCP chunk of half a megabyte."""
    bomb = make.chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(100 * 2**20), 1))
    data = make.png_with(make.encode(make.scene(), "PNG"), bomb)
    tracemalloc.start()
    photo = decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert photo.notes == (IGNORED,)
    assert peak < 12 * 2**20


def test_a_jpeg_profile_with_a_part_missing_is_ignored():
    parts = [make.segment(0xE2, b"ICC_PROFILE\0" + bytes([i, 2]) + P3[:200]) for i in (1, 2)]
    data = make.encode(make.scene())
    assert decode(make.jpeg_with(data, parts[1])).notes == (IGNORED,)
    assert decode(make.jpeg_with(data, parts[0], parts[0])).notes == (IGNORED,)
    assert decode(make.jpeg_with(data, make.segment(0xE2, b"ICC_PROFILE\0"))).notes == (IGNORED,)


def test_a_jpeg_profile_in_parts_out_of_order():
    parts = [
        make.segment(0xE2, b"ICC_PROFILE\0" + bytes([i + 1, 3]) + P3[i * 200 : i * 200 + 200 if i < 2 else None])
        for i in range(3)
    ]
    data = make.jpeg_with(make.encode(make.scene()), parts[2], parts[0], parts[1])
    assert decode(data).notes == (CONVERTED,)


INKS = (40, 200, 90, 30)  # cyan, magenta, yellow, black; 255 is full
ON_PAPER = [(255 - ink) * (255 - INKS[3]) / 255 for ink in INKS[:3]]


def test_cmyk_shows_the_colours_a_viewer_shows():
    photo = decode(make.encode(Image.new("CMYK", (64, 64), INKS), quality=100))
    assert np.abs(pixels(photo)[30, 30] - ON_PAPER).max() < 3


def test_cmyk_without_adobes_segment_is_inverted_too():
    """As browsers take it: all programs that write CMYK JPEGs write them inverted."""
    data = make.encode(Image.new("CMYK", (64, 64), INKS), quality=100)
    bare = re.sub(rb"\xff\xee\0\x0eAdobe.{7}", b"", data, flags=re.S)
    assert len(bare) == len(data) - 16
    assert np.abs(pixels(decode(bare))[30, 30] - ON_PAPER).max() < 3


def test_adobes_ycck():
    """Luma and chroma of the inverted inks, then black: the same bytes, read with transform 2."""
    data = make.encode(Image.new("CMYK", (64, 64), INKS), quality=100)
    at = data.index(b"Adobe") + 11
    assert data[at] == 0
    y, cb, cr, k = (255 - ink for ink in INKS)
    rgb = [y + 1.402 * (cr - 128), y - 0.344 * (cb - 128) - 0.714 * (cr - 128), y + 1.772 * (cb - 128)]
    expected = (255 - np.clip(rgb, 0, 255)) * k / 255
    assert np.abs(pixels(decode(data[:at] + b"\2" + data[at + 1 :]))[30, 30] - expected).max() < 4


def test_cmyk_with_a_profile_for_rgb():
    data = make.encode(Image.new("CMYK", (64, 64), INKS), quality=100, icc_profile=srgb_profile())
    photo = decode(data)
    assert np.abs(pixels(photo)[30, 30] - ON_PAPER).max() < 3
    assert photo.notes == (IGNORED,)


def test_cmyk_with_a_profile():
    data = make.encode(Image.new("CMYK", (64, 64), INKS), quality=100, icc_profile=make.cmyk_profile())
    photo = decode(data)
    light = ((100 * (1 - INKS[3] / 255) + 16) / 116) ** 3  # from L* to luminance
    assert np.abs(pixels(photo) - 255 * (1.055 * light ** (1 / 2.4) - 0.055)).max() < 3
    assert photo.notes == (CONVERTED,)


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


# ---- real photos -------------------------------------------------------------------------------------------


@needs_photos
def test_real_photos_are_read_as_pillow_reads_them():
    converted = 0
    for path in sorted(PHOTOS.iterdir())[::3]:
        photo = decode(path.read_bytes())
        if photo.notes:
            assert photo.notes == (CONVERTED,)
            converted += 1
        else:
            with Image.open(path) as image:
                assert np.array_equal(pixels(photo), pixels(image)), path.name
    assert converted == 4  # Adobe RGB and cameras' own profiles; the other profiles there are sRGB


@needs_photos
def test_damaged_real_photos_are_refused():
    for path in sorted(PHOTOS.iterdir())[::6]:
        data = path.read_bytes()
        for part in (0.1, 0.5, 0.99):
            with pytest.raises(ImageError, match=r"^This JPEG is cut off"):
                decode(data[: int(len(data) * part)])


@needs_photos
@needs_strict_jpeg
def test_real_photos_with_damaged_data_are_refused():
    for path in sorted(PHOTOS.iterdir())[::6]:
        for damaged in jpeg_damages(path.read_bytes()).values():
            with pytest.raises(ImageError, match=r"^This JPEG (is damaged|cannot be decoded)"):
                decode(damaged)
