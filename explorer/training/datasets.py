"""Small labelled image sets, whole in memory as bytes."""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..errors import DataError

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_DAMAGED = (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error)


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


def load_cifar10(source: Path) -> tuple[ImageSet, ImageSet]:
    """Training and test split of CIFAR-10.

    Args:
        source: a folder or ``.tar`` archive with ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, or a
            folder where torchvision's CIFAR-10 is, or may be downloaded to.

    Raises:
        DataError: nothing usable there, an image is damaged or of another size, or a class has no image.
    """
    if source.is_file():
        splits = _from_files(_archived(source))
    elif (source / "train").is_dir():
        splits = _from_files((p, p.read_bytes()) for p in sorted(source.glob("t*/*/*")) if p.is_file())
    else:
        return _from_torchvision(source)
    if {"train", "test"} - splits.keys():
        raise DataError("no CIFAR-10 here: folders train/<class>/ and test/<class>/ with images are expected")
    for split, images in splits.items():
        absent = set(range(len(CIFAR10_CLASSES))) - set(images.labels.tolist())
        if absent:
            raise DataError(f"{split}: no image of {', '.join(CIFAR10_CLASSES[i] for i in sorted(absent))}")
    return splits["train"], splits["test"]


def _archived(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield PurePosixPath(member.name), file.read()
            # tarfile takes an entry it cannot read for the end, which really is two blocks of zeros or more.
            rest = tar.fileobj.read(-1) if tar.fileobj else b""
            if not rest or any(rest):
                raise tarfile.ReadError("the archive's end is missing")
    except _DAMAGED as error:
        raise DataError(f"{archive.name[:80]!a} is damaged or no archive; copy or download it anew") from error


def _from_files(files: Iterator[tuple[PurePath, bytes]]) -> dict[str, ImageSet]:
    """Group ``…/<split>/<class>/<name>`` by split."""
    pixels: dict[str, list[np.ndarray]] = {"train": [], "test": []}
    labels: dict[str, list[int]] = {"train": [], "test": []}
    for path, data in files:
        split, name = path.parent.parent.name, path.parent.name
        if split in pixels and name in CIFAR10_CLASSES:
            pixels[split].append(_decode(data, path.name))
            labels[split].append(CIFAR10_CLASSES.index(name))
    return {split: _image_set(np.stack(pixels[split]), labels[split]) for split in pixels if pixels[split]}


def _decode(data: bytes, name: str) -> np.ndarray:
    """A local training image -> (32, 32, 3) uint8. Photos from outside: ``explorer.inference.images``."""
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
        if image.size != (32, 32):
            raise DataError(f"{name[:80]!a} is {image.width}×{image.height}; CIFAR-10 images are 32×32")
        return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{name[:80]!a} is not a readable JPEG or PNG") from error


def _from_torchvision(root: Path) -> tuple[ImageSet, ImageSet]:
    from ..compat import torchvision

    try:
        train, test = (torchvision.datasets.CIFAR10(str(root), part, download=True) for part in (True, False))
    except (OSError, RuntimeError) as error:
        raise DataError("CIFAR-10 is not here and could not be downloaded; give a folder or archive of it") from error
    return _image_set(train.data, train.targets), _image_set(test.data, test.targets)


def _image_set(pixels: np.ndarray, labels: list[int]) -> ImageSet:
    """(N, 32, 32, 3) uint8 and N labels."""
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    return ImageSet(images, torch.tensor(labels), CIFAR10_CLASSES)
