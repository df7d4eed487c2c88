"""What images gradients are measured on: noise, digits, the photos given to the page, or CIFAR-10 where it is."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ExplorerError
from ...spec import ResNetSpec
from ..kit.photos import ALBUM

if TYPE_CHECKING:
    import torch

    from ...gradients import ProbeOptions
    from ...inference import Photo

NOISE, DIGITS, PHOTOS, CIFAR = "noise", "digits", "photos", "cifar10"
LABELS = {NOISE: "Noise", DIGITS: "Digits", PHOTOS: "Your photos", CIFAR: "CIFAR-10"}
COUNT = 24  # as many as three batches of eight show
MOST_PHOTOS = 8
MOST_PIXELS = 512  # a side: more images than a measurement's budget allows would only be shrunk again
_CLASSES = 10


def choices() -> list[tuple[str, str]]:
    """Label and value of what there is on this machine."""
    return [(label, name) for name, label in LABELS.items() if name != CIFAR or _cifar_source()]


def identity(kind: str, session: str) -> tuple[str, ...]:
    """Equal where the images are: the kind, and which photos."""
    return (kind, *(token for token, *_ in _photos(session))) if kind == PHOTOS else (kind,)


def images(kind: str, spec: ResNetSpec, session: str) -> tuple[ProbeOptions, str]:
    """Options of a measurement, and what is shown, as a sentence. Ten classes need a network of ten at least; one of
    fewer gets random labels.

    Raises:
        ExplorerError: no photo has been given, or the images are not here.
    """
    from ... import gradients

    side, channels = min(spec.image_size, MOST_PIXELS), spec.in_channels
    if kind == PHOTOS:
        given = [photo.image for *_, photo in _photos(session)]
        if not given:
            raise ExplorerError("This page has been given no photo yet. Drop some in the Classify tab, then measure.")
        noun = "photo" if len(given) == 1 else "photos"
        return {"inputs": gradients.photos(given, side, channels)}, f"On {len(given)} {noun} of yours, random labels."
    if kind == DIGITS:
        found, name = gradients.digits(COUNT, side, channels), "digits (scikit-learn's)"
    elif kind == CIFAR:
        pixels, labels = _cifar(_cifar_source())
        found, name = (gradients.standardised(pixels, side, channels), labels), "photos of CIFAR-10's test split"
    else:
        return {}, "On noise, with random labels."
    if spec.num_classes >= _CLASSES:
        return {"inputs": found[0], "labels": found[1]}, f"On {COUNT} {name}, with their labels."
    return {"inputs": found[0][:8]}, f"On 8 {name}, with random labels: they have more classes than the network."


def _photos(session: str) -> list[tuple[str, str, Photo]]:
    return ALBUM.of(session)[:MOST_PHOTOS]


def _cifar_source() -> Path | None:
    """An archive or a folder of images; one that would have to be downloaded first is none."""
    from ...inference.weights.cache import cache_folder
    from ...training.builtin import find_data

    try:
        source = find_data(None, cache_folder())
    except (ExplorerError, OSError):
        return None
    return source if source.is_file() or (source / "test").is_dir() else None


@lru_cache(maxsize=1)
def _cifar(source: Path | None) -> tuple[torch.Tensor, torch.Tensor]:
    """(24, 3, 32, 32) uint8 and (24,) labels, from the test split."""
    import numpy as np
    import torch

    from ...training.datasets import CIFAR10_CLASSES
    from ...training.files import decode, read_files

    if source is None:
        raise ExplorerError("CIFAR-10 is not on this machine any more. Choose other images.")
    each = -(-COUNT // _CLASSES)
    found: dict[str, list[np.ndarray]] = {name: [] for name in CIFAR10_CLASSES}
    for path, data in read_files(source, "test/*/*"):
        split, name = path.parent.parent.name, path.parent.name
        if split == "test" and len(found.get(name, [0] * each)) < each:
            found[name].append(decode(data, path.name))
            if all(len(pixels) == each for pixels in found.values()):
                break
    else:
        raise ExplorerError(
            f"Some class of CIFAR-10's test split has fewer than {each} photos here. Take other images."
        )
    # One of each class, then the next of each, so that every batch has several classes.
    pixels = [found[name][turn] for turn in range(each) for name in CIFAR10_CLASSES]
    labels = [label for _ in range(each) for label in range(_CLASSES)]
    return torch.from_numpy(np.stack(pixels[:COUNT])).permute(0, 3, 1, 2), torch.tensor(labels[:COUNT])
