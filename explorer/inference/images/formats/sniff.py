"""Recognise a file by its first bytes; its name and its declared type are ignored."""

from __future__ import annotations

import codecs

from ....errors import ImageError

FORMATS = ("JPEG", "PNG", "WebP", "GIF", "AVIF", "HEIC")
"""The formats accepted, as they are called in messages and in ``Photo.format``."""

_MEND = "Choose a photo in one of these formats: " + ", ".join(FORMATS[:-1]) + f" or {FORMATS[-1]}."
_EXPORT = "Open it in the program it came from and export it as JPEG or PNG."

# Offset, bytes there, format.
_ACCEPTED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
)
# Offset, bytes there, what that is, what to do.
_REFUSED: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF-", "a PDF document", _EXPORT),
    (0, b"%!PS", "an EPS or PostScript drawing", _EXPORT),
    (0, b"\xc5\xd0\xd3\xc6", "an EPS or PostScript drawing", _EXPORT),
    (0, b"II*\0", "a TIFF image or a camera's raw file", _EXPORT),
    (0, b"MM\0*", "a TIFF image or a camera's raw file", _EXPORT),
    (0, b"II+\0", "a TIFF image or a camera's raw file", _EXPORT),
    (0, b"MM\0+", "a TIFF image or a camera's raw file", _EXPORT),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file", _EXPORT),
    (0, b"BM", "a BMP image", _EXPORT),
    (0, b"\0\0\1\0", "an ICO icon", _EXPORT),
    (0, b"\0\0\2\0", "a CUR cursor", _EXPORT),
    (0, b"icns", "an ICNS icon", _EXPORT),
    (0, b"8BPS", "a Photoshop document", _EXPORT),
    (0, b"gimp xcf", "a GIMP document", _EXPORT),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image", _EXPORT),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image", _EXPORT),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image", _EXPORT),
    (0, b"\xff\x0a", "a JPEG XL image", _EXPORT),
    (0, b"\x8aMNG", "an MNG animation", _EXPORT),
    (0, b"qoif", "a QOI image", _EXPORT),
    (0, b"DDS ", "a DDS texture", _EXPORT),
    (0, b"v/1\x01", "an OpenEXR image", _EXPORT),
    (0, b"#?RADIANCE", "a Radiance HDR image", _EXPORT),
    (0, b"\x1f\x8b", "a gzip archive", _MEND),
    (0, b"PK\3\4", "a ZIP archive or an office document", _MEND),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _MEND),
    (0, b"Rar!", "a RAR archive", _MEND),
    (0, b"\xd0\xcf\x11\xe0", "an office document", _MEND),
    (0, b"MZ", "a Windows program", _MEND),
    (0, b"\x7fELF", "a Linux program", _MEND),
    (0, b"RIFF", "a sound or video file", _MEND),
    (0, b"ID3", "a sound file", _MEND),
    (0, b"OggS", "a sound or video file", _MEND),
    (0, b"\x1aE\xdf\xa3", "a video file", _MEND),
)

# ISO base media files name what they hold by four-letter brands.
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "HEIC"),
}

_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TEXT_CONTROLS = frozenset("\t\n\r\f\x1b")
_TEXT_TAGS: tuple[tuple[str, str, str], ...] = (
    ("<!doctype html", "an HTML page", _MEND),
    ("<html", "an HTML page", _MEND),
    ("<svg", "an SVG drawing", _EXPORT),
    ("<script", "an HTML page", _MEND),
    ("<?xml", "an XML document", _MEND),
)
_GLANCE = 4096  # bytes looked at to tell text from other things


def recognise(data: bytes) -> str:
    """The format of ``data``, one of ``FORMATS``.

    Raises:
        ImageError: it is empty or something else; the message names what was found.
    """
    if not data:
        raise ImageError(f"The file is empty (0 bytes). {_MEND}")
    for offset, magic, name in _ACCEPTED:
        if data.startswith(magic, offset) and (name != "WebP" or data.startswith(b"RIFF")):
            return name
    if data[4:8] == b"ftyp":
        return _recognise_iso(data)
    for offset, magic, found, mend in _REFUSED:
        if data.startswith(magic, offset):
            raise _refusal(found, mend)
    raise _refusal(*_describe_rest(data))


def _recognise_iso(data: bytes) -> str:
    """AVIF or HEIC by the major brand or, where that is a general one, by the compatible brands."""
    end = min(int.from_bytes(data[:4], "big"), _GLANCE)
    for at in (8, *range(16, end, 4)):
        if name := _BRANDS.get(data[at : at + 4]):
            return name
    if data[8:11] == b"crx":
        raise _refusal("a camera's raw file", _EXPORT)
    raise _refusal("a video or another media file", _MEND)


def _describe_rest(data: bytes) -> tuple[str, str]:
    """What a file without a known signature is, and what to do."""
    if b"%PDF-" in data[:1024]:  # readers accept junk before it
        return "a PDF document", _EXPORT
    text = _as_text(data[:_GLANCE])
    if text is None:
        return "a file of an unknown kind", _MEND
    for tag, found, mend in _TEXT_TAGS:
        if tag in text:
            return found, mend
    return "a text file", _MEND


def _as_text(head: bytes) -> str | None:
    """``head`` in lower case if it reads as UTF-8 or announces a Unicode encoding, else None."""
    encoding = "utf-16" if head.startswith(_BYTE_ORDER_MARKS[1:]) else "utf-8-sig"
    try:
        # Incremental, because the glance may end inside a character.
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    if any(c < " " and c not in _TEXT_CONTROLS for c in text):
        return None
    return text.lower()


def _refusal(found: str, mend: str) -> ImageError:
    return ImageError(f"This is {found}, not a photo in a format read here. {mend}")
