"""Images to measure gradients on, other than noise: about mean 0 and standard deviation 1, as a network gets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ExplorerError
from ..spec.fields import integer

if TYPE_CHECKING:
    from PIL.Image import Image

DIGITS = 1797
# Of ImageNet's training images, red, green and blue in 0 … 1, as every pretrained network has them.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# ITU-R BT.601, as Pillow's conversion to grey.
_GREY = (0.299, 0.587, 0.114)


def digits(count: int, size: int, channels: int = 3, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Handwritten digits with their labels: scikit-learn's 1,797 of 8×8 px, grey, enlarged (Alpaydin & Kaynak 1998).

    Args:
        count: 1 … 1797 different ones, shuffled by ``seed``.
        size: side of the images, px.
        channels: of each image, all alike.

    Returns:
        (count, channels, size, size) float32, and (count,) int64 of 0 … 9.

    Raises:
        SpecError: ``count`` is out of bounds.
    """
    from sklearn.datasets import load_digits

    bundle = load_digits()
    pixels = torch.from_numpy(bundle.images).float()
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(seed))
    chosen = order[: integer(1, DIGITS)("digits", count)]
    images = ((pixels - pixels.mean()) / pixels.std())[chosen, None]
    return _resized(images, size).expand(-1, channels, -1, -1).contiguous(), torch.from_numpy(bundle.target)[chosen]


def standardised(pixels: Tensor, size: int, channels: int = 3) -> Tensor:
    """Colour images, such as CIFAR-10's, as a network gets them: resized, less ImageNet's mean, ÷ its deviation.

    Args:
        pixels: (N, 3, H, W) uint8, RGB.
        size: side of the result, px; other shapes than squares are stretched.
        channels: 3 as they are; with 1 they become grey; with any other number they are grey in all.

    Returns:
        (N, channels, size, size) float32.
    """
    if pixels.ndim != 4 or pixels.shape[1] != 3 or not len(pixels):
        raise ExplorerError(f"images: got shape {'×'.join(map(str, pixels.shape))}; N×3×H×W is expected")
    mean, std = torch.tensor(_MEAN).view(3, 1, 1), torch.tensor(_STD).view(3, 1, 1)
    images = _resized((pixels.float() / 255 - mean) / std, size)
    if channels == 3:
        return images
    grey = (images * torch.tensor(_GREY).view(3, 1, 1)).sum(1, keepdim=True)
    return grey.expand(-1, channels, -1, -1).contiguous()


def photos(pictures: Sequence[Image], size: int, channels: int = 3) -> Tensor:
    """The centre squares of photos, as ``standardised``: (N, channels, size, size) float32.

    Photos of one measurement share a size, so their margins are cut away rather than squeezed.
    """
    from PIL import ImageOps

    if not pictures:
        raise ExplorerError("photos: there are none; at least one is expected")
    squares = [ImageOps.fit(picture.convert("RGB"), (size, size)) for picture in pictures]
    return standardised(torch.stack([_pixels(square) for square in squares]), size, channels)


def _resized(images: Tensor, size: int) -> Tensor:
    if tuple(images.shape[2:]) == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)


def _pixels(picture: Image) -> Tensor:
    """(3, H, W) uint8."""
    import numpy as np

    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)
