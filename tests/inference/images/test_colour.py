"""Pixels of any depth, transparency and colour space become 8-bit sRGB on white."""

from __future__ import annotations

import re
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from explorer.inference.images.decode import decode
from tests.support import hostile_images as make
from tests.support.photo_files import ANIMATED, BEST, CONVERTED, IGNORED, ON_WHITE, pixels

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
def test_an_opaque_alpha_adds_no_note(name):
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


# ---- colours -----------------------------------------------------------------------------------------------


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


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
