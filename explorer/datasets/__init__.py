"""Labelled images: handwritten digits, CIFAR-10, 200 classes of ImageNet; where they are, and a few to measure on.

Names load on first use: torch takes seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .find import DATA_VARIABLE, find_data, find_local_data, find_photos
    from .image_set import ImageSet, Splits
    from .photos import IMAGENET_MEAN, IMAGENET_STD, standardise_photos
    from .registry import CIFAR10, CIFAR10_TENTH, DATA_SETS, DIGITS, IMAGENET200, DataSet
    from .samples import MOST_PIXELS, Sample, sample

__all__ = [
    "CIFAR10",
    "CIFAR10_TENTH",
    "DATA_SETS",
    "DATA_VARIABLE",
    "DIGITS",
    "IMAGENET200",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "MOST_PIXELS",
    "DataSet",
    "ImageSet",
    "Sample",
    "Splits",
    "find_data",
    "find_local_data",
    "find_photos",
    "sample",
    "standardise_photos",
]
_HOME = {
    **dict.fromkeys(("DATA_VARIABLE", "find_data", "find_local_data", "find_photos"), "find"),
    **dict.fromkeys(("ImageSet", "Splits"), "image_set"),
    **dict.fromkeys(("IMAGENET_MEAN", "IMAGENET_STD", "standardise_photos"), "photos"),
    **dict.fromkeys(("CIFAR10", "CIFAR10_TENTH", "DATA_SETS", "DIGITS", "IMAGENET200", "DataSet"), "registry"),
    **dict.fromkeys(("MOST_PIXELS", "Sample", "sample"), "samples"),
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
