"""Small labelled images, whole in memory as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

HELD_OUT_EVERY = 50
Channels = tuple[float, float, float]  # red, green, blue


@dataclass(frozen=True)
class ImageSet:
    """Images and their labels.

    Attributes:
        images: (N, 3, H, W) uint8, RGB.
        labels: (N,) int64, index into ``classes``.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]

    @classmethod
    def from_pixels(
        cls, pixels: np.ndarray | Sequence[np.ndarray], labels: Sequence[int], classes: tuple[str, ...]
    ) -> ImageSet:
        """(N, H, W, 3) uint8, as one array or one for each image, and N labels."""
        images = torch.from_numpy(np.asarray(pixels)).permute(0, 3, 1, 2).contiguous()
        return cls(images, torch.tensor(labels), classes)

    def __len__(self) -> int:
        return len(self.labels)

    def mean_std(self) -> tuple[Channels, Channels]:
        """Mean and standard deviation of each channel over all pixels, in 0 … 1."""
        red, green, blue = (_mean_std(channel) for channel in self.images.transpose(0, 1).flatten(1))
        return (red[0], green[0], blue[0]), (red[1], green[1], blue[1])

    def take(self, chosen: Tensor) -> ImageSet:
        """The images at these places: (n,) int64, or (N,) bool."""
        return ImageSet(self.images[chosen], self.labels[chosen], self.classes)

    def take_first(self, share: int) -> ImageSet:
        """The first 1/``share`` of every class, at least one image, in the order of the whole."""
        chosen = torch.zeros(len(self), dtype=torch.bool)
        for label in range(len(self.classes)):
            places = (self.labels == label).nonzero().flatten()
            chosen[places[: max(1, len(places) // share)]] = True
        return self.take(chosen)

    def without_held_out(self) -> tuple[ImageSet, ImageSet]:
        """The images to train on, and every fiftieth image, on which confidence is fitted afterwards."""
        held_out = torch.arange(len(self)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        return self.take(~held_out), self.take(held_out)


Splits = tuple[ImageSet, ImageSet]
"""Images to train on, and images on which accuracy is measured."""


def _mean_std(values: Tensor) -> tuple[float, float]:
    """(N,) uint8 -> mean and standard deviation in 0 … 1, to four digits."""
    precise = values.double()  # one channel at a time: all three of 50,000 images would need 1.2 GB
    return round(precise.mean().item() / 255, 4), round(precise.std().item() / 255, 4)
