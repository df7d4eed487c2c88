"""Preprocess a photo for a network: resize, central crop, normalise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import ImageError
from .images.photo import Photo

_FILTERS: dict[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class PreprocessedInput:
    """A preprocessed photo.

    Attributes:
        image: the crop, RGB, before normalisation.
        tensor: the same pixels normalised, float32 (3, crop, crop).
    """

    image: Image.Image
    tensor: Tensor


@dataclass(frozen=True)
class Transform:
    """The preprocessing of every photo: torchvision's ``ImageClassification``.

    Pixels that torchvision would crop away are not computed, and a photo that was decoded smaller is aligned with the
    full-size one. For a full-size photo only rounding differs: at most a few percent of the values, by one or two of
    256 levels.

    Attributes:
        resize: length the shorter side gets, px. Photos smaller than this are enlarged.
        crop: side of the central square that is kept, px; at most ``resize``.
        mean, std: of each channel (R, G, B), on the scale 0 … 1.
        interpolation: nearest, bilinear, bicubic or lanczos.
        antialias: whether shrinking averages over all pixels. Pillow, which resizes here, always does.
    """

    resize: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bilinear"
    antialias: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.crop <= self.resize:
            raise ValueError(f"crop: got {self.crop}; 1 to resize={self.resize} is allowed")
        if self.interpolation not in _FILTERS:
            raise ValueError(f"interpolation: got {self.interpolation!r}; allowed: {', '.join(_FILTERS)}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError("mean and std: three numbers each are expected, std above 0")

    @property
    def at_least(self) -> int:
        """Length of a photo's shorter side, px, from which on more pixels hardly change what a network sees."""
        return 2 * self.resize

    @property
    def sentence(self) -> str:
        """What is done, in words."""
        filtered = self.interpolation + (", antialiased" if self.antialias else "")
        crop = f"the central {self.crop}×{self.crop} px are kept"
        return (
            f"The shorter side is resized to {self.resize} px ({filtered}), {crop}, and each channel is "
            f"normalised with mean {_numbers(self.mean)} "
            f"and standard deviation {_numbers(self.std)} (R, G, B)."
        )

    def __call__(self, photo: Image.Image | Photo) -> PreprocessedInput:
        """Apply to an RGB image of any size.

        Raises:
            ImageError: the image is not RGB, or has no pixels.
        """
        image, area = (photo, None) if isinstance(photo, Image.Image) else (photo.image, photo.area)
        if image.mode != "RGB" or not all(image.size):
            raise ImageError(f"got an image of mode {image.mode}, {image.width}×{image.height} px, expected RGB")
        left, top, right, bottom = area or (0, 0, *image.size)
        width, height = right - left, bottom - top
        place = self.place((width, height))
        box = (left + place[0] * width, top + place[1] * height, left + place[2] * width, top + place[3] * height)
        crop = image.resize((self.crop, self.crop), _FILTERS[self.interpolation], box)
        return PreprocessedInput(crop, self._normalise(crop))

    def place(self, size: tuple[float, float]) -> tuple[float, float, float, float]:
        """The crop on a photo of ``size``, width and height: left, top, right, bottom, as shares of it."""
        width, height = self._resized_size(size)
        left, top = self._corner((width, height))
        return left / width, top / height, (left + self.crop) / width, (top + self.crop) / height

    def _resized_size(self, size: tuple[float, float]) -> tuple[int, int]:
        # As torchvision: the longer side is truncated, not rounded.
        long = int(self.resize * max(size) / min(size))
        return (self.resize, long) if size[0] <= size[1] else (long, self.resize)

    def _corner(self, size: tuple[int, int]) -> tuple[int, int]:
        # As torchvision: half pixels go to the even side.
        return round((size[0] - self.crop) / 2), round((size[1] - self.crop) / 2)

    def _normalise(self, image: Image.Image) -> Tensor:
        # Looked up, in this thread: torch would call all cores together for every few pixels.
        pixels, normalised = np.asarray(image), np.empty((3, self.crop, self.crop), np.float32)
        for channel, levels in enumerate(_levels(self.mean, self.std)):
            np.take(levels, pixels[..., channel], out=normalised[channel], mode="clip")  # or it copies first
        return torch.from_numpy(normalised)


@lru_cache(maxsize=64)
def _levels(mean: tuple[float, ...], std: tuple[float, ...]) -> NDArray[np.float32]:
    """(3, 256): each channel's 256 levels, normalised; to the last bit as torchvision does it."""
    level = torch.arange(256, dtype=torch.float32) / 255
    centre, spread = (torch.tensor(values)[:, None] for values in (mean, std))
    table: NDArray[np.float32] = ((level - centre) / spread).numpy()
    return table


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
