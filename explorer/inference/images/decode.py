"""Decode untrusted bytes to an upright sRGB image.

Every photo from outside is decoded here. Data sets, which are local files, have a reader of their own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

from PIL import Image, ImageFile, features

from ...errors import ImageError
from .colour import on_white, split_alpha, to_srgb
from .formats import FORMATS, Contents, check_pixels, jpeg, recognise, take_apart
from .formats.contents import bounded_profile, exif_orientation
from .photo import Box, Photo

__all__ = ["FORMATS", "MAX_ASPECT", "MAX_BYTES", "MAX_PIXELS", "TINY_SIDE", "decode"]

MAX_BYTES = 20 * 2**20  # of the file; people are told 20 MB
MAX_PIXELS = 40_000_000  # width × height
MAX_ASPECT = 20  # longer side by shorter side: scaling the shorter one to a fixed size multiplies the longer
TINY_SIDE = 32  # pixels; a shorter side below it, the smallest input of any network here, earns a note

_NOTES = {
    "animated": "This {name} is animated; only its first frame is used.",
    "several": "This {name} contains several pictures; only its main one is used.",
    "alpha": "Its transparent parts are shown on white.",
    "converted": "Its colours were converted from its own colour profile to sRGB.",
    "ignored": "Its colour profile is broken, unsuitable or too large and was ignored; colours may differ slightly.",
    "tiny": "It is tiny, {width}×{height} pixels: any prediction is little more than a guess.",
}

# EXIF orientation -> what makes the image upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The orientations that turn the right or lower edge, where a scaled picture ends short, to the left; and to the top.
_RIGHT_IS_LEFT, _BELOW_IS_TOP = {2, 3, 6, 7}, {3, 4, 7, 8}


def decode(data: bytes, at_least: int | None = None) -> Photo:
    """The bytes of a file from anywhere, as an upright sRGB photo.

    The file has at most ``MAX_BYTES``, its picture ``MAX_PIXELS`` and ``MAX_ASPECT``; all are checked before
    pixels are decoded. 16-bit pictures are scaled to 8 bits; of an animation the first frame is taken. Gamma
    (gAMA) and HDR tags are not applied, nor any statement of colours but an ICC profile.

    Damage: a file of any format cut off anywhere is refused, and so is a PNG with any byte changed. A JPEG
    whose data has too few or too many blocks is refused, where simplejpeg is installed. A change that
    keeps their number alters one block or the brightness of those after it, and looks to every decoder
    like a photo that is so. WebP, GIF, AVIF and HEIC data have no redundancy at all: decoders refuse
    some changes and show the others.

    With ``at_least``, a JPEG whose shorter side has more pixels is decoded smaller, to no fewer than that: of twelve
    megapixels for a network that sees 224 px, several times as fast. Damage is noticed as ever, for all of the file is
    read. Other formats cannot be decoded at a scale, and come whole.

    Memory: a few copies of the picture. An AVIF whose container understates its size costs up to half a
    gigabyte once, for libavif decodes it (up to 16384×16384) before it looks at the claim.

    Raises:
        ImageError: what was found, what is allowed and what to do.
    """
    at_least = 0 if at_least is None else max(at_least, TINY_SIDE)
    _check_bytes(len(data))
    name = recognise(data)
    _check_decoders(name)
    contents = take_apart(name, data)
    if contents.size is not None:
        _check_size(name, contents.size)
    check_pixels(name, contents)
    with _decoder_failures(name):
        image, contents = _open_heic(contents) if name == "HEIC" else _open(name, contents, at_least)
        notes = []
        if contents.animated:
            notes.append("several" if name == "HEIC" else "animated")
        colour, alpha = split_alpha(image)
        rgb, profile_note = to_srgb(colour, contents.profile)
        if profile_note:
            notes.append(profile_note)
        if alpha is not None:
            rgb = on_white(rgb, alpha)
            notes.append("alpha")
        upright = _upright(rgb, contents.orientation)
    width, height = upright.size
    if min(width, height) < TINY_SIDE:
        notes.append("tiny")
    said = tuple(_NOTES[note].format(name=name, width=width, height=height) for note in notes)
    # Only a JPEG may have been scaled, and of every JPEG the size is known.
    size = contents.size if name == "JPEG" and contents.size else image.size
    area = None if size == image.size else _area(size, upright.size, contents.orientation)
    return Photo(upright, name, size, said, area)


def _check_bytes(count: int) -> None:
    if count > MAX_BYTES:
        shown = math.ceil(count / 2**20 * 10) / 10  # rounded up, or 20.01 would be "20.0, and 20 are allowed"
        raise ImageError(
            f"The file has {shown:,} MB, and {MAX_BYTES // 2**20} MB are allowed."
            " Scale the photo down, or save it at a lower quality."
        )


def _check_decoders(name: str) -> None:
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise ImageError(
            "Photos cannot be read safely: a part of this program has told Pillow to fill in damaged ones"
            " (ImageFile.LOAD_TRUNCATED_IMAGES). Restart the program without that."
        )
    if name == "AVIF" and not features.check("avif"):
        raise ImageError("AVIF photos cannot be read here: Pillow was built without AVIF. Export it as JPEG or PNG.")


def _check_size(name: str, size: tuple[int, int]) -> None:
    width, height = size
    what = f"This {name} has {width}×{height} pixels"
    if not (width and height):
        raise ImageError(f"{what}: the picture is empty. Open it in a photo program and save it again.")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{what}, {width * height / 1e6:,.1f} megapixels, and {MAX_PIXELS / 1e6:.0f} are allowed."
            " Scale it down first."
        )
    if max(size) > MAX_ASPECT * min(size):
        raise ImageError(
            f"{what}, {max(size) / min(size):,.1f} times as long as wide, and {MAX_ASPECT} times are allowed."
            " Crop it first."
        )


@contextmanager
def _decoder_failures(name: str) -> Iterator[None]:
    """Turns what decoders raise, which can be nearly anything and is about the file, into ImageError."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError:
        raise ImageError(
            f"This {name} needs more memory than is free. Try again later, or scale it down first."
        ) from None
    except Exception as error:
        raise ImageError(
            f"This {name} cannot be decoded: it is damaged or of a rare kind. Copy or download it again, or"
            " open it in a photo program and save it again."
        ) from error


def _open(name: str, contents: Contents, at_least: int) -> tuple[Image.Image, Contents]:
    """The decoded picture, not yet turned, and ``contents`` with what only the decoder could tell."""
    if name == "JPEG" and (picture := jpeg.decode(contents.pixels, at_least)):
        return picture, contents
    image = Image.open(BytesIO(contents.pixels), formats=[name.upper()])
    _check_size(name, image.size)
    profile = image.info.get("icc_profile")
    if name == "AVIF":  # Pillow states AVIF's own turns, which it leaves to do, as EXIF
        contents = replace(
            contents,
            animated=getattr(image, "is_animated", False),
            orientation=exif_orientation(image.info.get("exif", b"")),
            profile=None if profile is None else bounded_profile(profile),
        )
    if at_least:
        image.draft(None, (at_least, at_least))  # which JPEG alone heeds
    image.load()
    return image, contents


def _open_heic(contents: Contents) -> tuple[Image.Image, Contents]:
    """As ``_open``, but without Pillow, which would learn HEIC for the whole program."""
    import pillow_heif

    pictures = pillow_heif.open_heif(contents.pixels)
    main = pictures[pictures.primary_index]
    _check_size("HEIC", main.size)
    profile = main.info.get("icc_profile")
    contents = replace(
        contents,
        animated=len(pictures) > 1,
        profile=bounded_profile(profile) if isinstance(profile, bytes) else None,
    )
    return main.to_pillow(), contents  # turned by libheif


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    """``image``, which nobody else may hold, turned and without metadata."""
    turn = _UPRIGHT.get(orientation)
    upright = image if turn is None else image.transpose(turn)
    upright.info = {}
    return upright


def _area(original: tuple[int, int], upright: tuple[int, int], orientation: int) -> Box:
    """``Photo.area`` of a JPEG that was scaled to so many eighths, rounded up, and then turned."""
    eighths = 8 * max(upright) // max(original)
    width, height = (side * eighths / 8 for side in (original[::-1] if orientation >= 5 else original))
    left = upright[0] - width if orientation in _RIGHT_IS_LEFT else 0.0
    top = upright[1] - height if orientation in _BELOW_IS_TOP else 0.0
    return left, top, left + width, top + height
