"""The 200 classes: who is what comes from the names and the annotations, and what is missing is said."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.datasets.imagenet200 import load_imagenet200
from explorer.errors import DataError

NAMES = "n02\tgoldfish\nn01\tlady's slipper\n"


def jpeg(value: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), value, np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def files() -> dict[str, bytes]:
    made = {
        f"train/{wnid}/images/{wnid}_{i}.JPEG": jpeg(base + i)
        for wnid, base in (("n01", 10), ("n02", 60))
        for i in (0, 1)
    }
    made |= {f"val/images/val_{i}.JPEG": jpeg(100 + 20 * i) for i in range(3)}
    made["train/n09/images/n09_0.JPEG"] = jpeg(200)  # of no class that has a name
    annotations = "val_0.JPEG\tn01\t0\t0\t9\t9\nval_1.JPEG\tn02\t0\t0\t9\t9\nval_2.JPEG\tn09\t0\t0\t9\t9\n"
    made["val/val_annotations.txt"] = annotations.encode()
    return made


def folder(place: Path, made: dict[str, bytes]) -> Path:
    for name, data in made.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    (place / "imagenet200-names.tsv").write_text(NAMES, encoding="utf-8")
    return place


def archive(place: Path, made: dict[str, bytes]) -> Path:
    with tarfile.open(place / "a.tar.xz", "w:xz") as tar:
        for name, data in made.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (place / "imagenet200-names.tsv").write_text(NAMES, encoding="utf-8")
    return place / "a.tar.xz"


@pytest.mark.parametrize("make", [folder, archive])
def test_labels_follow_the_order_of_the_names(tmp_path: Path, make: object) -> None:
    assert callable(make)
    train, val = load_imagenet200(make(tmp_path, files()))
    assert train.classes == val.classes == ("goldfish", "lady's slipper")
    by_value = sorted(
        (round(image.float().mean().item()), label)
        for image, label in zip(train.images, train.labels.tolist(), strict=True)
    )
    assert by_value == [(10, 1), (11, 1), (60, 0), (61, 0)]
    assert sorted(
        (round(i.float().mean().item()), n) for i, n in zip(val.images, val.labels.tolist(), strict=True)
    ) == [(100, 1), (120, 0)]
    assert train.images.shape == (4, 3, 32, 32)
    assert train.images.dtype is torch.uint8


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    made = files()
    for name in [name for name in made if "n02_" in name or "annotations" in name]:
        del made[name]
    with pytest.raises(
        DataError, match=r"training images of 1 of 2 classes and 0 labelled validation images, expected train/<wnid>"
    ):
        load_imagenet200(archive(tmp_path, made))
    (tmp_path / "imagenet200-names.tsv").unlink()
    with pytest.raises(
        DataError, match=r"^imagenet200-names\.tsv, a line with wnid, tab and name for every class, is needed"
    ):
        load_imagenet200(tmp_path / "a.tar.xz")
