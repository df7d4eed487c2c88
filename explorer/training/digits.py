"""Handwritten digits that scikit-learn brings along: real data for seconds of training, without a download."""

from __future__ import annotations

from functools import lru_cache

import torch

from .builtin import Data
from .datasets import ImageSet
from .recipe import Recipe, Schedule

TRAIN = 1437  # the first four fifths; the rest was written later, in part by other hands
_GREYS = 16  # a pixel counts the dark ones of 4×4 bitmap pixels


@lru_cache(maxsize=1)
def load_digits() -> tuple[ImageSet, ImageSet]:
    """Training and test split of the 1,797 digits, always the same: the first 1,437 images, and the last 360.

    8×8 grey values, 0 … 16 in the source, as three equal channels of 0 … 255, so that a network that reads photos reads
    them too. (Alpaydin & Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI, the test part.)
    """
    from sklearn import datasets

    found = datasets.load_digits()
    pixels = torch.from_numpy((found.images * 255 / _GREYS).round().astype("uint8"))
    images, labels = pixels[:, None].expand(-1, 3, -1, -1).contiguous(), torch.from_numpy(found.target).long()
    classes = tuple(str(digit) for digit in range(10))
    return ImageSet(images[:TRAIN], labels[:TRAIN], classes), ImageSet(images[TRAIN:], labels[TRAIN:], classes)


DIGITS = Data(
    name="Digits",
    archive="",
    variable="",
    classes=10,
    split="the last 360 images",
    licence="Trained on the digits of Alpaydin & Kaynak (UCI, CC BY 4.0).",
    load=lambda _: load_digits(),
    side=8,
    held_out=False,
)
# As in the paper, at half the rate for half the batch: a set this small has few steps in an epoch.
RECIPE = Recipe(
    epochs=12,
    batch_size=64,
    learning_rate=0.05,
    weight_decay=1e-4,
    nesterov=False,
    schedule=Schedule.PAPER,
    pad=1,
    flip=False,
)
