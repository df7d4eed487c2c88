"""Maps of numbers as small pictures, and photos as files that a page can show."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from plotly.colors import hex_to_rgb, sequential

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# Perceptually ordered from dark to bright, so that it reads without colour (matplotlib's "inferno").
_STOPS = [hex_to_rgb(colour) for colour in sequential.Inferno]
GRADIENT = f"linear-gradient(to right, {', '.join(sequential.Inferno)})"


def heat_picture(values: Tensor, least: float, most: float) -> str:
    """PNG data URI with one pixel for each cell of (h, w): ``least`` is darkest, ``most`` brightest."""
    span = most - least
    shares = (values.cpu().numpy().astype(np.float64) - least) / span if span > 0 else np.zeros(tuple(values.shape))
    levels, cells = np.unique(np.rint(shares.clip(0, 1) * 255).astype(np.uint8), return_inverse=True)
    picture = Image.fromarray(cells.reshape(shares.shape).astype(np.uint8), "P")
    picture.putpalette(_palette()[levels].tobytes())  # no colour that is not there: maps are small and many
    return _data_uri(picture, "PNG")


def photo_picture(image: Image.Image, side: int = 800, *, lossless: bool = False) -> str:
    """Data URI of decoded pixels as a fresh file, no side longer than ``side`` px: nothing of the upload itself goes
    back. JPEG, or PNG where ``lossless``.
    """
    small = image.copy()
    small.thumbnail((side, side))
    return _data_uri(small, "PNG") if lossless else _data_uri(small, "JPEG", quality=88)


@lru_cache(maxsize=1)
def _palette() -> NDArray[np.uint8]:
    """256 colours, (256, 3)."""
    places = np.linspace(0, len(_STOPS) - 1, 256)
    channels = [np.interp(places, range(len(_STOPS)), channel) for channel in zip(*_STOPS, strict=True)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _data_uri(image: Image.Image, kind: str, **options: int) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
