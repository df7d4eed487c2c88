"""CIFAR-10: 60,000 photos of 32×32 px in ten classes (Krizhevsky 2009)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePath

import numpy as np
from torch import Tensor

from ..errors import DataError
from .files import decode, read_files
from .image_set import ImageSet, Splits

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TEST = 10_000  # images in the test split
TORCHVISION_FOLDER = "cifar-10-batches-py"  # in the folder that torchvision downloads to


def load_cifar10(source: Path) -> Splits:
    """Training and test split of CIFAR-10.

    Args:
        source: a folder or ``.tar`` archive with ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, or a
            folder where torchvision's CIFAR-10 is, or may be downloaded to.

    Raises:
        DataError: nothing usable there, an image is damaged or of another size, or a class has no image.
    """
    if not has_image_files(source):
        return _from_torchvision(source, train=True), _from_torchvision(source, train=False)
    splits = _from_files(read_files(source, "t*/*/*"))
    if {"train", "test"} - splits.keys():
        raise DataError("this is not CIFAR-10, expected folders train/<class>/ and test/<class>/ with images")
    for split, images in splits.items():
        absent = set(range(len(CLASSES))) - set(images.labels.tolist())
        if absent:
            raise DataError(f"{split}: no image of {', '.join(CLASSES[i] for i in sorted(absent))}")
    return splits["train"], splits["test"]


@lru_cache(maxsize=1)  # 180 MB, and half a minute of decoding
def load_cifar10_once(source: Path) -> Splits:
    """As ``load_cifar10``; the images of the source used last stay in memory."""
    return load_cifar10(source)


def load_cifar10_tenth(source: Path) -> Splits:
    """The first tenth of every class of ``load_cifar10_once``."""
    train, test = load_cifar10_once(source)
    return train.take_first(10), test.take_first(10)


def load_test_images(source: Path, choose: Callable[[int], Tensor]) -> ImageSet:
    """Some images of the test split; the others are not decoded.

    Args:
        source: as in ``load_cifar10``.
        choose: number of images in the split -> (n,) int64, places among them in the order of their paths.

    Raises:
        DataError: no test split is there, or a chosen image is damaged or of another size.
    """
    if not has_image_files(source):
        test = _from_torchvision(source, train=False)
        return test.take(choose(len(test)))
    files = _test_files(source)
    chosen = [files[place] for place in choose(len(files)).tolist()]
    pixels = [decode(data, name) for _, name, data in chosen]
    return ImageSet.from_pixels(pixels, [label for label, _, _ in chosen], CLASSES)


def has_image_files(source: Path) -> bool:
    """Whether ``source`` is an archive or a folder of image files; else it is a folder for torchvision."""
    return source.is_file() or (source / "train").is_dir() or (source / "test").is_dir()


@lru_cache(maxsize=1)  # 13 MB
def _test_files(source: Path) -> tuple[tuple[int, str, bytes], ...]:
    """Label, name and bytes of every test image, sorted by class and name."""
    every = ((*_place_of(path), path.name, data) for path, data in read_files(source, "test/*/*"))
    # An archive of 60,000 images need not be read to its end.
    found = islice(((label, name, data) for split, label, name, data in every if split == "test"), TEST)
    files = tuple(sorted(found))
    if not files:
        raise DataError("this is not CIFAR-10, expected a folder test/<class>/ with images")
    return files


def _place_of(path: PurePath) -> tuple[str, int]:
    """``…/<split>/<class>/<name>`` -> split and label; ("", -1) for other files."""
    split, name = path.parent.parent.name, path.parent.name
    return (split, CLASSES.index(name)) if split in ("train", "test") and name in CLASSES else ("", -1)


def _from_files(files: Iterator[tuple[PurePath, bytes]]) -> dict[str, ImageSet]:
    """Images by split; a split without images is absent."""
    pixels: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    labels: dict[str, list[int]] = {"train": [], "test": []}
    for path, data in files:
        split, label = _place_of(path)
        if split:
            pixels[split].append(decode(data, path.name))
            labels[split].append(label)
    return {split: ImageSet.from_pixels(pixels[split], labels[split], CLASSES) for split in pixels if pixels[split]}


def _from_torchvision(root: Path, train: bool) -> ImageSet:
    from ..compat import torchvision

    try:
        found = torchvision.datasets.CIFAR10(str(root), train, download=True)
    except (OSError, RuntimeError) as error:
        raise DataError("CIFAR-10 could not be downloaded. Use a folder or archive of it") from error
    return ImageSet.from_pixels(found.data, found.targets, CLASSES)
