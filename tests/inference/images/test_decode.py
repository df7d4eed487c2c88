"""Photos of every format are read as a viewer shows them; other files are refused by name."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from io import BytesIO

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer.errors import ImageError
from explorer.inference.images.decode import FORMATS, decode
from explorer.inference.images.formats import contents, jpeg, sniff, take_apart
from tests.support import hostile_images as make
from tests.support.paths import ROOT
from tests.support.photo_files import (
    ANIMATED,
    CONVERTED,
    PHOTOS,
    distance,
    jpeg_damages,
    needs_photos,
    needs_strict_jpeg,
    pixels,
)

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
        "import json, sys, explorer.inference.images.decode as i\n"
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
    assert photo.notes == (f"It is tiny, {size[0]}×{size[1]} pixels: any prediction is little more than a guess.",)


# ---- other files -------------------------------------------------------------------------------------------


def contents_of(name: str, data: bytes) -> contents.Contents:
    return take_apart(name, data)


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


def test_the_error_says_what_to_do():
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


def test_a_gif_that_is_also_a_script():
    data = make.encode(make.scene(), "GIF")
    comment = b"*/=1;alert(1)/*"
    polyglot = data[:-1] + b"\x21\xfe" + bytes([len(comment)]) + comment + b"\0;"
    assert np.array_equal(pixels(decode(polyglot)), pixels(decode(data)))
    assert comment not in contents_of("GIF", polyglot).pixels


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "GIF", "AVIF"])
def test_pillow_may_only_try_the_one_format(files, name, monkeypatch):
    monkeypatch.setattr(jpeg, "_strict_decoder", lambda: None)  # or JPEG would not come to Pillow
    asked, really_open = [], Image.open

    def watched(file: BytesIO, formats: list[str]) -> Image.Image:
        asked.append(formats)
        return really_open(file, formats=formats)

    monkeypatch.setattr(Image, "open", watched)
    decode(files[name])
    assert asked == [[name.upper()]]


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
    assert photo.notes == ("This HEIC contains several pictures; only its main one is used.",)


# ---- large photos ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    ("at_least", "size"),
    [(None, (600, 400)), (400, (600, 400)), (351, (600, 400)), (350, (525, 350)), (200, (300, 200)), (1, (75, 50))],
)
def test_a_jpeg_is_decoded_no_larger_than_needed(mode, at_least, size):
    """In eighths, up from the shorter side that is asked for."""
    data = make.encode(make.scene(600, 400).convert(mode), quality=95)
    photo = decode(data, at_least)
    assert (photo.image.size, photo.original_size, photo.notes) == (size, (600, 400), ())
    assert distance(photo, decode(data).image.resize(size, Image.Resampling.BOX)) < 2


@needs_strict_jpeg
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": "4:2:0"}])
def test_the_pixels_are_pillows_at_every_scale_it_has(mode, options):
    data = make.encode(make.scene(400, 304).convert(mode), **options)
    for factor in (1, 2, 4, 8):
        with Image.open(BytesIO(data)) as image:
            image.draft(None, (400 // factor, 304 // factor))
            assert np.array_equal(pixels(decode(data, 304 // factor)), pixels(image))


@given(width=st.integers(1, 90), height=st.integers(1, 90), at_least=st.integers(1, 100))
@settings(max_examples=60)
def test_a_scaled_photo_is_never_smaller_than_asked_for(width, height, at_least):
    assume(max(width, height) <= 20 * min(width, height))
    photo = decode(make.encode(Image.new("RGB", (width, height))), at_least)
    assert min(photo.image.size) >= min(width, height, at_least)
    assert bool(photo.notes) == (min(width, height) < 32)
    assert photo.original_size == (width, height)


def test_a_scaled_photo_is_upright():
    stored = make.encode(make.scene(640, 320).transpose(Image.Transpose.ROTATE_90))
    photo = decode(make.jpeg_with(stored, make.segment(0xE1, b"Exif\0\0" + make.exif(6))), 160)
    assert (photo.image.size, photo.original_size) == ((320, 160), (320, 640))
    assert distance(photo, make.scene(640, 320).resize((320, 160))) < 4


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "JPEG"])
def test_other_formats_come_whole(files, name):
    assert decode(files[name], 32).image.size == (96, 64)


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
