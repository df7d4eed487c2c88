"""The images that gradients are measured on, other than noise and a page's photos: equal everywhere for a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ..spec import ResNetSpec
from .cifar10 import load_test_images
from .digits import read_digits
from .find import find_data
from .photos import fit_images, standardise
from .registry import CIFAR10, DIGITS

Choose = Callable[[int], Tensor]  # number of images -> (n,) int64, places among them
MOST_PIXELS = 512  # a side: larger images of a small source show nothing more, and take memory


@dataclass(frozen=True, eq=False)
class Sample:
    """A few images.

    Attributes:
        images: (N, C, H, W) float32 of the data set's own size, about mean 0 and standard deviation 1.
        labels: (N,) int64, class indices.
    """

    images: Tensor
    labels: Tensor

    def inputs(self, spec: ResNetSpec) -> Tensor:
        """The images as the network's input: (N, in_channels, S, S), S the image size, at most ``MOST_PIXELS``."""
        return fit_images(self.images, min(spec.image_size, MOST_PIXELS), spec.in_channels)


def sample(kind: str, count: int, seed: int = 0, source: Path | None = None) -> Sample:
    """The first ``count`` images of a data set that was shuffled by ``seed``.

    Digits are drawn from all 1,797 of them, photos of CIFAR-10 from the test split, whose images are in the order of
    their paths before they are shuffled.

    Args:
        kind: "digits" or "cifar10".
        count: at least one image is drawn, at most all there are.
        source: of CIFAR-10, as ``load_cifar10`` takes it; None: what ``find_data`` finds.

    Raises:
        DataError: the images are absent or damaged.
    """
    if kind not in _DRAW:
        raise ValueError(f"kind: got {kind!r}; allowed: {', '.join(_DRAW)}")
    return _DRAW[kind](partial(_choose, count=count, seed=seed), source)


def _choose(size: int, count: int, seed: int) -> Tensor:
    """(n,) int64: the first ``count`` places of a shuffled set."""
    order = torch.randperm(size, generator=torch.Generator().manual_seed(seed))
    return order[: max(1, count)]


def _draw_digits(choose: Choose, _: Path | None) -> Sample:
    greys, labels = read_digits()
    chosen = choose(len(greys))
    return Sample(((greys - greys.mean()) / greys.std())[chosen, None], labels[chosen])


def _draw_cifar10(choose: Choose, source: Path | None) -> Sample:
    test = load_test_images(source or find_data(CIFAR10), choose)
    return Sample(standardise(test.images), test.labels)


_DRAW: dict[str, Callable[[Choose, Path | None], Sample]] = {DIGITS.key: _draw_digits, CIFAR10.key: _draw_cifar10}
