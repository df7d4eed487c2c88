"""Small labelled image sets, whole in memory as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError
from .files import decode, read_files

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
HELD_OUT_EVERY = 50


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

    def __len__(self) -> int:
        return len(self.labels)

    def mean_std(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each channel over all pixels, in 0 … 1."""
        flat = self.images.transpose(0, 1).flatten(1)
        # In float32, 50,000 images would need 600 MB at once.
        means = tuple(round(c.double().mean().item() / 255, 4) for c in flat)
        stds = tuple(round(c.double().std().item() / 255, 4) for c in flat)
        return means, stds

    def take(self, chosen: Tensor) -> ImageSet:
        """The images at these places: (n,) int64, or (N,) bool."""
        return ImageSet(self.images[chosen], self.labels[chosen], self.classes)

    def without_held_out(self) -> tuple[ImageSet, ImageSet]:
        """What is trained on, and every fiftieth image, on which confidence is fitted afterwards."""
        held_out = torch.arange(len(self)) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        return self.take(~held_out), self.take(held_out)


def load_cifar10(source: Path) -> tuple[ImageSet, ImageSet]:
    """Training and test split of CIFAR-10.

    Args:
        source: a folder or ``.tar`` archive with ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, or a
            folder where torchvision's CIFAR-10 is, or may be downloaded to.

    Raises:
        DataError: nothing usable there, an image is damaged or of another size, or a class has no image.
    """
    if not source.is_file() and not (source / "train").is_dir():
        return _from_torchvision(source)
    splits = _from_files(read_files(source, "t*/*/*"))
    if {"train", "test"} - splits.keys():
        raise DataError("no CIFAR-10 here: folders train/<class>/ and test/<class>/ with images are expected")
    for split, images in splits.items():
        absent = set(range(len(CIFAR10_CLASSES))) - set(images.labels.tolist())
        if absent:
            raise DataError(f"{split}: no image of {', '.join(CIFAR10_CLASSES[i] for i in sorted(absent))}")
    return splits["train"], splits["test"]


def load_imagenet200(source: Path) -> tuple[ImageSet, ImageSet]:
    """Training and validation split of 200 ImageNet classes at 32×32 px, laid out as Tiny ImageNet is.

    Args:
        source: a folder or ``.tar`` archive with ``train/<wnid>/images/*.JPEG``, ``val/images/*.JPEG`` and
            ``val/val_annotations.txt``, whose second column is the wnid. Beside an archive, or in a folder, lies
            ``imagenet200-names.tsv``: wnid and name of every class, in the order of the labels.

    Raises:
        DataError: something of that is not there, an image is damaged or of another size.
    """
    names = _names((source.parent if source.is_file() else source) / "imagenet200-names.tsv")
    place = {wnid: index for index, wnid in enumerate(names)}
    train, labels = list[np.ndarray](), list[int]()
    val, wnids = dict[str, np.ndarray](), dict[str, str]()
    for path, data in read_files(source, "*/**/*"):
        folders = path.parts[-4:]
        if path.name == "val_annotations.txt":
            rows = (line.split("\t") for line in data.decode("utf-8", "replace").splitlines())
            wnids = {row[0]: row[1] for row in rows if len(row) > 1}
        elif folders[:1] == ("train",) and folders[1] in place:
            train.append(decode(data, path.name))
            labels.append(place[folders[1]])
        elif folders[-3:-1] == ("val", "images"):
            val[path.name] = decode(data, path.name)
    known = [name for name in val if wnids.get(name) in place]
    if len(set(labels)) < len(names) or not known:
        raise DataError(
            f"{source.name[:80]!a} holds training images of {len(set(labels))} of {len(names)} classes and "
            f"{len(known)} labelled validation images; train/<wnid>/images, val/images and val/val_annotations.txt "
            "are expected"
        )
    classes = tuple(names.values())
    return (
        _image_set(np.stack(train), labels, classes),
        _image_set(np.stack([val[name] for name in known]), [place[wnids[name]] for name in known], classes),
    )


def _names(path: Path) -> dict[str, str]:
    try:
        rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
        return {row[0]: row[1] for row in rows if len(row) == 2}
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.name}, a line with wnid, tab and name for every class, is needed beside the images"
        ) from error


def _from_files(files: Iterator[tuple[PurePath, bytes]]) -> dict[str, ImageSet]:
    """Group ``…/<split>/<class>/<name>`` by split."""
    pixels: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    labels: dict[str, list[int]] = {"train": [], "test": []}
    for path, data in files:
        split, name = path.parent.parent.name, path.parent.name
        if split in pixels and name in CIFAR10_CLASSES:
            pixels[split].append(decode(data, path.name))
            labels[split].append(CIFAR10_CLASSES.index(name))
    return {
        split: _image_set(np.stack(pixels[split]), labels[split], CIFAR10_CLASSES) for split in pixels if pixels[split]
    }


def _from_torchvision(root: Path) -> tuple[ImageSet, ImageSet]:
    from ..compat import torchvision

    try:
        train, test = (torchvision.datasets.CIFAR10(str(root), part, download=True) for part in (True, False))
    except (OSError, RuntimeError) as error:
        raise DataError("CIFAR-10 is not here and could not be downloaded; give a folder or archive of it") from error
    first, second = (_image_set(part.data, part.targets, CIFAR10_CLASSES) for part in (train, test))
    return first, second


def _image_set(pixels: np.ndarray, labels: Sequence[int], classes: tuple[str, ...]) -> ImageSet:
    """(N, 32, 32, 3) uint8 and N labels."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    return ImageSet(images, torch.tensor(labels), classes)
