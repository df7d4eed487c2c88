"""Normalise colour images like networks trained on ImageNet: about mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ExplorerError

if TYPE_CHECKING:
    from PIL.Image import Image

# ImageNet's training images: red, green and blue in 0 … 1, as in every pretrained network of torchvision.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# ITU-R BT.601, as Pillow's conversion to grey.
_GREY = (0.299, 0.587, 0.114)


def standardise(pixels: Tensor) -> Tensor:
    """(N, 3, H, W) uint8, RGB -> float32 of the same shape, less ImageNet's mean, divided by its deviation."""
    if pixels.ndim != 4 or pixels.shape[1] != 3 or not len(pixels):
        raise ExplorerError(f"images: got shape {'×'.join(map(str, pixels.shape))}, expected N×3×H×W")
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (pixels.float() / 255 - mean) / std


def fit_images(images: Tensor, size: int, channels: int) -> Tensor:
    """(N, C, H, W) float -> (N, channels, size, size), as a network's input.

    Other shapes than squares are stretched. Three channels become grey in every channel where the network has another
    number of them; one channel is repeated.
    """
    if tuple(images.shape[2:]) != (size, size):
        images = F.interpolate(images, (size, size), mode="bilinear", antialias=True)
    if images.shape[1] == channels:
        return images.contiguous()
    if images.shape[1] == 3:
        images = (images * torch.tensor(_GREY).view(3, 1, 1)).sum(1, keepdim=True)
    return images.expand(-1, channels, -1, -1).contiguous()


def standardise_photos(photos: Sequence[Image], size: int, channels: int = 3) -> Tensor:
    """The centre squares of photos as a network's input: (N, channels, size, size) float32.

    Photos of one measurement share a size, so their margins are cut off rather than squeezed.

    Raises:
        ExplorerError: there is no photo.
    """
    from PIL import ImageOps

    if not photos:
        raise ExplorerError("photos: got none, expected at least one")
    squares = [ImageOps.fit(photo.convert("RGB"), (size, size)) for photo in photos]
    return fit_images(standardise(torch.stack([_pixels(square) for square in squares])), size, channels)


def _pixels(photo: Image) -> Tensor:
    """(3, H, W) uint8."""
    import numpy as np

    return torch.from_numpy(np.array(photo)).permute(2, 0, 1)
