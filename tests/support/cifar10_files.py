"""Small copies of CIFAR-10 in every form that is read: folders and archives of images."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from explorer.datasets.cifar10 import CLASSES


def pixels(seed: int, side: tuple[int, int] = (32, 32)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side[1], side[0], 3), dtype=np.uint8)


def encoded(array: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind)
    return file.getvalue()


def made_files() -> dict[str, bytes]:
    """Two training images and a test image of every class; their pixels are those of their number's seed."""
    files = {}
    for label, name in enumerate(CLASSES):
        for i in range(2):
            files[f"train/{name}/{i}.png"] = encoded(pixels(100 * i + label))
        files[f"test/{name}/0.png"] = encoded(pixels(1000 + label))
    return files


def made_folder(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    for name, data in (files or made_files()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def made_tar(path: Path, files: dict[str, bytes] | None = None) -> Path:
    kinds: dict[str, Any] = {".tar": "w", ".xz": "w:xz", ".gz": "w:gz", ".bz2": "w:bz2"}
    with tarfile.open(path, kinds[path.suffix]) as tar:
        for name, data in (files or made_files()).items():
            member = tarfile.TarInfo(f"cifar10/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path
