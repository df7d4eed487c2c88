"""How a network does on full-size photos that are named by their ImageNet class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from .classifier import Classifier
from .images.decode import decode
from .weights.measurements import PhotoScore

# What CIFAR-10 calls some of ImageNet's classes; those with no plain counterpart are left out.
_CIFAR10 = {
    "bird": "n01518878 n01614925 n01843383 n02018207",
    "frog": "n01644373",
    "dog": "n02095889 n02096437 n02101006 n02102973 n02105056 n02105412 n02106550 n02107142 n02107574 n02112350",
    "automobile": "n03100240",
    "ship": "n03344393 n04147183 n04612504",
    "truck": "n03417042 n04467665",
}
_CIFAR10_NAMES = {wnid: name for name, wnids in _CIFAR10.items() for wnid in wnids.split()}


def score_photos(classifier: Classifier, folder: Path) -> PhotoScore:
    """Classify every ``<wnid>_<class_name>.<suffix>`` in ``folder``.

    Raises:
        ImageError: a photo is damaged.
    """
    variant = classifier.variant
    counts = dict.fromkeys((field.name for field in fields(PhotoScore)), 0)
    for path, names in _labelled(folder):
        name = next(filter(variant.classes.__contains__, names), None)
        prediction = classifier.classify(decode(path.read_bytes()))
        named = [given for given, _ in prediction.top]
        if name:
            counts["known"] += 1
            counts["top1"] += named[0] == name
            counts["top5"] += name in named
            counts["unfamiliar"] += prediction.in_distribution is False
        else:
            counts["others"] += 1
            counts["set_apart"] += prediction.in_distribution is False
    return PhotoScore(**counts)


def _labelled(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every photo, with what its class is called."""
    for path in sorted(folder.iterdir()):
        wnid, _, name = path.stem.partition("_")
        if name:
            yield path, (name.replace("_", " "), _CIFAR10_NAMES.get(wnid, ""))
