"""From a photo to what a network is fed: resize, central crop, normalise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import ImageError

_FILTERS: dict[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Seen:
    """A photo as a network sees it.

    Attributes:
        image: the crop, RGB, before normalisation.
        tensor: the same pixels normalised, float32 (3, crop, crop).
    """

    image: Image.Image
    tensor: Tensor


@dataclass(frozen=True)
class Transform:
    """What is done to every photo before a network sees it; equal to torchvision's ``ImageClassification``.

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
    def sentence(self) -> str:
        """What is done, in words."""
        filtered = self.interpolation + (", antialiased" if self.antialias else "")
        crop = f"the central {self.crop}×{self.crop} px are kept"
        return (
            f"The shorter side is resized to {self.resize} px ({filtered}), {crop}, and each channel is "
            f"normalised with mean {_numbers(self.mean)} "
            f"and standard deviation {_numbers(self.std)} (R, G, B)."
        )

    def __call__(self, image: Image.Image) -> Seen:
        """Apply to an RGB image of any size.

        Raises:
            ImageError: the image is not RGB, or has no pixels.
        """
        if image.mode != "RGB" or not all(image.size):
            raise ImageError(f"got an image of mode {image.mode}, {image.width}×{image.height} px; RGB is expected")
        seen = self._crop(self._resize(image))
        return Seen(seen, self._normalise(seen))

    def _resize(self, image: Image.Image) -> Image.Image:
        # As torchvision: the longer side is truncated, not rounded.
        long = int(self.resize * max(image.size) / min(image.size))
        size = (self.resize, long) if image.width <= image.height else (long, self.resize)
        return image if size == image.size else image.resize(size, _FILTERS[self.interpolation])

    def _crop(self, image: Image.Image) -> Image.Image:
        # As torchvision: half pixels go to the even side.
        left, top = (round((side - self.crop) / 2) for side in image.size)
        return image.crop((left, top, left + self.crop, top + self.crop))

    def _normalise(self, image: Image.Image) -> Tensor:
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).to(torch.float32) / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (self.mean, self.std))
        return (pixels - mean) / std


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
