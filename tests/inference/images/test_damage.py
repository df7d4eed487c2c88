"""What is cut off, damaged or made up is refused in a sentence; never shown half-grey."""

from __future__ import annotations

import random
import re
import struct
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, features

from explorer.errors import ImageError
from explorer.inference.images.decode import FORMATS, decode
from explorer.inference.images.formats import jpeg
from tests.support import hostile_images as make
from tests.support.photo_files import jpeg_damages, needs_strict_jpeg, pixels


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
    with pytest.raises(ImageError, match=r"^This PNG is damaged: it has fewer pixels than its size requires\."):
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


@needs_strict_jpeg
@pytest.mark.parametrize("at_least", [None, 60])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("damage", jpeg_damages(make.encode(make.scene())))
def test_a_jpeg_with_damaged_data_is_refused(damage, progressive, at_least):
    data = make.encode(make.scene(400, 300), progressive=progressive)
    with pytest.raises(
        ImageError,
        match=r"^This JPEG is damaged: its picture data does not add up, so parts are missing or shifted\.",
    ):
        decode(jpeg_damages(data)[damage], at_least)


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

        decode_jpeg_header = decode_jpeg

    monkeypatch.setattr(jpeg, "_strict_decoder", lambda: Limited)
    assert decode(files["JPEG"]).format == "JPEG"
    assert decode(files["JPEG"], 32).image.size == (48, 32)


def test_without_simplejpeg_other_checks_remain(files, monkeypatch, caplog):
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
        r"or open it in a photo program and save it again\.$",
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
