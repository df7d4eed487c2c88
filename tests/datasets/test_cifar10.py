"""CIFAR-10 is whole or refused, from a folder and from an archive."""

from __future__ import annotations

import random
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer.datasets import Splits
from explorer.datasets.cifar10 import CLASSES, load_cifar10
from explorer.errors import DataError
from tests.support.cifar10_files import encoded, made_files, made_folder, made_tar, pixels


def assert_is_made(splits: Splits) -> None:
    """Whatever the order of the files."""
    for split, seeds in zip(splits, ([*range(10), *range(100, 110)], range(1000, 1010)), strict=True):
        assert split.classes == CLASSES
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
        assert split.images.shape == (len(split), 3, 32, 32)
        expected = {(seed % 100, pixels(seed).transpose(2, 0, 1).tobytes()) for seed in seeds}
        found = [
            (label, image.numpy().tobytes()) for label, image in zip(split.labels.tolist(), split.images, strict=True)
        ]
        assert len(found) == len(seeds)
        assert set(found) == expected


def test_cifar10_from_a_folder(tmp_path: Path) -> None:
    folder = made_folder(tmp_path)
    (folder / "train" / "README").write_text("no image")
    (folder / "train" / "zebra").mkdir()
    (folder / "train" / "zebra" / "0.png").write_text("of no class")
    (folder / "train" / "cat" / "folder.png").mkdir()
    assert_is_made(load_cifar10(folder))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.xz", "a.tar.gz", "a.tar.bz2"])
def test_cifar10_from_an_archive(tmp_path: Path, name: str) -> None:
    assert_is_made(load_cifar10(made_tar(tmp_path / name)))


def test_folder_and_archive_need_no_order(tmp_path: Path) -> None:
    files = list(made_files().items())
    random.Random(0).shuffle(files)
    assert_is_made(load_cifar10(made_tar(tmp_path / "a.tar", dict(files))))


def test_jpegs_and_grey_images_are_read_as_rgb(tmp_path: Path) -> None:
    grey = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    changes = {"train/cat/0.png": encoded(grey, "JPEG"), "test/cat/0.png": encoded(grey)}
    train_set, test_set = load_cifar10(made_folder(tmp_path, {**made_files(), **changes}))
    (image,) = test_set.images[test_set.labels == CLASSES.index("cat")]
    assert torch.equal(image, torch.from_numpy(grey).expand(3, -1, -1))
    first, _ = train_set.images[train_set.labels == CLASSES.index("cat")]
    assert (first.int() - torch.from_numpy(grey).int()).abs().max() < 8


@pytest.mark.parametrize("make", [made_folder, lambda folder, files: made_tar(folder / "a.tar", files)])
@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"test/cat/0.png": encoded(pixels(0, (33, 32)))}, r"^'0\.png' is 33×32, expected 32×32$"),
        ({"train/cat/1.png": encoded(pixels(0, (32, 31)))}, r"^'1\.png' is 32×31, expected 32×32$"),
        ({"train/cat/1.png": b"text"}, r"^'1\.png' is not a readable JPEG or PNG$"),
        ({"train/cat/1.png": encoded(pixels(0))[:-900]}, r"^'1\.png' is not a readable JPEG or PNG$"),
        ({"train/cat/1.png": encoded(pixels(0), "BMP")}, r"^'1\.png' is not a readable JPEG or PNG$"),
        ({"test/cat/0.png": None, "test/ship/0.png": None}, r"^test: no image of cat, ship$"),
        (
            {f"test/{name}/0.png": None for name in CLASSES},
            "^this is not CIFAR-10, expected folders train/<class>/ and",
        ),
    ],
)
def test_unusable_data_is_refused(
    tmp_path: Path, make: Callable[[Path, Any], Path], changes: dict[str, bytes | None], match: str
) -> None:
    files = {name: data for name, data in {**made_files(), **changes}.items() if data is not None}
    with pytest.raises(DataError, match=match):
        load_cifar10(make(tmp_path, files))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.xz", "a.tar.gz", "a.tar.bz2"])
def test_an_archive_that_was_cut_is_refused_wherever(tmp_path: Path, name: str) -> None:
    """Never taken for a smaller data set."""
    path = made_tar(tmp_path / name)
    good = path.read_bytes()
    dice = random.Random(0)
    # The end of an uncompressed archive is zeros, which nobody needs.
    end = len(good.rstrip(b"\0")) if name == "a.tar" else len(good)
    for size in (0, 1, 512, end // 2, *(dice.randrange(end) for _ in range(12))):
        path.write_bytes(good[:size])
        with pytest.raises(DataError, match=f"^'{name}' is damaged or is not an archive. Copy or download it again$"):
            load_cifar10(path)


def test_an_archive_that_ends_between_two_images_is_refused(tmp_path: Path) -> None:
    files = made_files()
    path = made_tar(tmp_path / "a.tar", files)
    with tarfile.open(path) as tar:
        places = [member.offset for member in tar]
    good = path.read_bytes()
    for place in places[-3:]:
        path.write_bytes(good[:place])
        with pytest.raises(DataError, match="damaged"):
            load_cifar10(path)


def test_an_archive_with_an_entry_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """``tarfile`` takes such an entry for the end."""
    twice = {f"{part}/{name}": data for part in ("a", "b") for name, data in made_files().items()}
    path = made_tar(tmp_path / "a.tar", twice)
    with tarfile.open(path) as tar:
        place = tar.getmembers()[-5].offset
    data = bytearray(path.read_bytes())
    data[place + 150] ^= 1  # in the header's checksum
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        load_cifar10(path)
