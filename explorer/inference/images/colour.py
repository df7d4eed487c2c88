"""A decoded picture of any mode to 8-bit sRGB, as a photo viewer would show it."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageChops, ImageCms

# Colour space an ICC profile is for -> the mode of its pixels.
_PROFILE_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_UNSEEN = 2  # levels of 255: a profile that moves no colour further is sRGB in other numbers


def split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours, in mode L, RGB or CMYK, and the alpha (L, 255 is opaque), None where all is opaque.

    The colours under transparent pixels are what the file happens to hold there.
    """
    if image.mode.startswith("I"):
        image = _to_8_bits(image)
    if image.mode in ("RGBa", "La"):
        image = image.convert(image.mode.upper())
    elif "transparency" in image.info:  # one colour, or a table for the palette
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    if alpha is not None and alpha.getextrema() == (255, 255):
        alpha = None
    if image.mode in ("1", "LA"):
        image = image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    return image, alpha


def _to_8_bits(image: Image.Image) -> Image.Image:
    """16-bit grey, scaled; Pillow's own conversion clips at 255."""
    grey = np.asarray(image)
    scale = ((np.arange(2**16) * 255 + 2**15 - 1) // (2**16 - 1)).astype(np.uint8)
    scaled = Image.fromarray(scale[grey])
    transparent = image.info.get("transparency")
    if transparent is not None:
        scaled.putalpha(Image.fromarray(np.where(grey == transparent, 0, 255).astype(np.uint8)))
    return scaled


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str | None]:
    """``image`` (L, RGB or CMYK) in RGB, by its ICC profile where that can be used.

    ``profile`` is None where there is none and empty where it was given up. The second value says what became
    of it: "converted", "ignored", or None where it made no difference to be seen.
    """
    if profile is None:
        return image.convert("RGB"), None
    try:
        transform, mode = _transform(profile)
        if image.mode == "L" and mode == "RGB":
            image = image.convert("RGB")
        if image.mode != mode:
            return image.convert("RGB"), "ignored"
        if not _is_visible(transform, mode):
            return image.convert("RGB"), None
        return _apply_transform(transform, image), "converted"
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB"), "ignored"


def _transform(profile: bytes) -> tuple[ImageCms.ImageCmsTransform, str]:
    """From the profile's colours to sRGB, and the mode it takes; ValueError where photos are never in it."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    mode = _PROFILE_MODES.get(source.profile.xcolor_space)
    if mode is None:
        raise ValueError("a profile for other things than photos")
    return ImageCms.buildTransform(source, _srgb(), mode, "RGB"), mode


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _apply_transform(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:  # only where told to work in place
        raise ValueError("no image came back")
    return converted


def _is_visible(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether the transform moves any grey, or any of 729 colours, by more than ``_UNSEEN``."""
    if mode == "CMYK":
        return True
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    probe = Image.fromarray(cube if mode == "RGB" else np.arange(256, dtype=np.uint8)[None])
    moved = ImageChops.difference(_apply_transform(transform, probe), probe.convert("RGB"))
    return bool(np.asarray(moved).max() > _UNSEEN)


def on_white(image: Image.Image, alpha: Image.Image) -> Image.Image:
    """``image`` (RGB) over white by ``alpha`` (L, 255 is opaque)."""
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=alpha)
    return white
