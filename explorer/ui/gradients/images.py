"""The images that gradients are measured on: noise, digits, the photos given to the page, or CIFAR-10 if available."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...datasets import CIFAR10, DATA_SETS, DIGITS, MOST_PIXELS, find_local_data, sample, standardise_photos
from ...errors import ExplorerError
from ...spec import ResNetSpec
from ..kit import photos

if TYPE_CHECKING:
    from ...gradients import ProbeOptions
    from ...inference import Photo

NOISE, PHOTOS = "noise", "photos"
LABELS = {NOISE: "Noise", DIGITS.key: "Digits", PHOTOS: "Your photos", CIFAR10.key: "CIFAR-10"}
COUNT = 24  # three batches of eight
MOST_PHOTOS = 8
_NAMES = {DIGITS.key: "digits (scikit-learn's)", CIFAR10.key: "photos of CIFAR-10's test split"}


def choices() -> list[tuple[str, str]]:
    """Label and value of the kinds of images that this machine has."""
    return [
        (label, name) for name, label in LABELS.items() if name not in DATA_SETS or find_local_data(DATA_SETS[name])
    ]


def identity(kind: str, session: str) -> tuple[str, ...]:
    """Equal if the images are: the kind, and which photos."""
    return (kind, *(token for token, _ in _photos(session))) if kind == PHOTOS else (kind,)


def images(kind: str, spec: ResNetSpec, seed: int, session: str) -> tuple[ProbeOptions, str]:
    """Options of a measurement, and a sentence on its images.

    If the images have more classes than the network, labels are random.

    Args:
        seed: of the data set's shuffling (see ``datasets.sample``).

    Raises:
        ExplorerError: the page has no photos, or the images are not on this machine.
    """
    if kind == PHOTOS:
        return _given_photos(spec, session)
    if kind == NOISE:
        return {}, "On noise, with random labels."
    data = DATA_SETS[kind]
    source = find_local_data(data)
    if source is None:
        raise ExplorerError(f"{data.name} is not on this machine any more. Choose other images.")
    found = sample(kind, COUNT, seed, source)
    inputs, name = found.inputs(spec), _NAMES[kind]
    if spec.num_classes >= data.classes:
        return {"inputs": inputs, "labels": found.labels}, f"On {len(inputs)} {name}, with their labels."
    few = inputs[:8]
    return {"inputs": few}, f"On {len(few)} {name}, with random labels: they have more classes than the network."


def _given_photos(spec: ResNetSpec, session: str) -> tuple[ProbeOptions, str]:
    given = [photo.image for _, photo in _photos(session)]
    if not given:
        raise ExplorerError("This page has no photos yet. Add some in the Classify tab, then measure.")
    inputs = standardise_photos(given, min(spec.image_size, MOST_PIXELS), spec.in_channels)
    return {"inputs": inputs}, f"On {len(given)} {'photo' if len(given) == 1 else 'photos'} of yours, random labels."


def _photos(session: str) -> list[tuple[str, Photo]]:
    return photos.PHOTOS.of(session)[:MOST_PHOTOS]
