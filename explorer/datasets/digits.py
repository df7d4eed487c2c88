"""Handwritten digits that come with scikit-learn: real images for seconds of training, without a download."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from .image_set import ImageSet, Splits

CLASSES = tuple(str(digit) for digit in range(10))
TRAIN = 1437  # the first four fifths; the rest was written later, in part by other hands
_GREYS = 16  # a pixel counts the dark ones of 4×4 bitmap pixels


@lru_cache(maxsize=1)
def read_digits() -> tuple[Tensor, Tensor]:
    """All 1,797 digits as the source has them: (1797, 8, 8) float32 in 0 … 16, and (1797,) int64 of 0 … 9.

    Alpaydin & Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI, the test part.
    """
    from sklearn import datasets

    found = datasets.load_digits()
    return torch.from_numpy(found.images).float(), torch.from_numpy(found.target).long()


@lru_cache(maxsize=1)
def load_digits() -> Splits:
    """Training and test split of the digits, always the same: the first 1,437 images, and the last 360.

    Grey values become three equal channels of 0 … 255, so that a network for photos can read them.
    """
    greys, labels = read_digits()
    pixels = (greys * 255 / _GREYS).round().to(torch.uint8)
    images = pixels[:, None].expand(-1, 3, -1, -1).contiguous()
    return ImageSet(images[:TRAIN], labels[:TRAIN], CLASSES), ImageSet(images[TRAIN:], labels[TRAIN:], CLASSES)
