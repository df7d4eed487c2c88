"""Teach a pretrained network new classes: its features of labelled photos, and a linear head on them.

The network itself stays as it is; only its last layer is replaced. This is the linear evaluation that Kornblith, Shlens
and Le describe in "Do Better ImageNet Models Transfer Better?" (2019, §3): logistic regression on penultimate features.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from math import sqrt
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ..errors import DataError, Stopped, WeightsError
from ..network import ResNet, build
from .classifier import Classifier
from .images.photo import Photo
from .running.engine import Engine
from .weights.catalogue import Variant
from .weights.containers import read_metadata

Features = NDArray[np.float32]

MIN_PHOTOS = 2  # of each class: one to learn from while the other is asked about
MAX_CLASSES = 100
MAX_NAME = 60  # characters of a class's name
MAX_HEAD_BYTES = 4 * 2**20
_BATCH = 16
_KEY = "resnet_explorer_head"  # of the file's metadata


@dataclass(frozen=True, eq=False)
class Head:
    """A last layer taught on the features of a pretrained network.

    Attributes:
        classes: names, in the order of the logits.
        weight, bias: float32 (classes, features) and (classes,): logits = weight · features + bias.
        backbone, backbone_sha256: name and weights of the network whose features it reads.
        photos: how many it learned from.
        accuracy: share (0 … 1) of them that were named rightly by heads that had not seen them.
    """

    classes: tuple[str, ...]
    weight: Tensor = field(repr=False)
    bias: Tensor = field(repr=False)
    backbone: str
    backbone_sha256: str = field(repr=False)
    photos: int
    accuracy: float


@dataclass(frozen=True, eq=False)
class Lesson:
    """What teaching gave, and how well it can be trusted.

    Attributes:
        head: learned from all photos.
        folds: into how many parts the photos were split; each part was named by a head taught on the others.
        truth, named: classes (by index) of each photo: the label given, and what such a head answered.
        repeated: photos whose features equal those of another; such copies flatter the accuracy.
    """

    head: Head
    folds: int
    truth: tuple[int, ...] = field(repr=False)
    named: tuple[int, ...] = field(repr=False)
    repeated: int

    @property
    def right(self) -> int:
        """Photos named rightly."""
        return sum(map(int.__eq__, self.truth, self.named))

    @property
    def majority(self) -> float:
        """Share (0 … 1) that always naming the most frequent class would get right."""
        return max(Counter(self.truth).values()) / len(self.truth)

    @property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Photos by label (row) and answer (column)."""
        counts, order = Counter(zip(self.truth, self.named, strict=True)), range(len(self.head.classes))
        return tuple(tuple(counts[row, column] for column in order) for row in order)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on new photos of this kind lies with about 95 % probability (Wilson 1927), 0 … 1."""
        n, z = len(self.truth), 1.96
        centre = (self.right + z * z / 2) / (n + z * z)
        reach = z / (n + z * z) * sqrt(self.right * (n - self.right) / n + z * z / 4)
        return max(0.0, centre - reach), min(1.0, centre + reach)


def features(classifier: Classifier, photos: Sequence[Image.Image | Photo]) -> Features:
    """What the network's last layer reads of each photo: float32 (photos, features).

    Raises:
        ImageError: an image is not RGB.
    """
    rows = [np.empty((0, classifier.variant.spec.out_channels), np.float32)]
    for start in range(0, len(photos), _BATCH):
        batch = torch.stack([classifier.variant.transform(photo).tensor for photo in photos[start : start + _BATCH]])
        rows.append(classifier.engine.spare(partial(_penultimate, classifier.engine, batch)))
    return np.concatenate(rows)


def teach(
    seen: Features,
    labels: Sequence[str],
    backbone: Variant,
    *,
    folds: int = 5,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Lesson:
    """Learn the labels of photos from their features: standardised, then logistic regression, L2 penalty with C = 1.

    Args:
        seen: float32 (photos, features), as ``features`` gives them.
        labels: of each photo its class.
        backbone: whose features these are.
        folds: parts for cross-validation; at most as many as the smallest class has photos.
        seed: of the split into parts.
        on_progress: told how many fits are done, and of how many.

    Raises:
        DataError: fewer than two classes, more than ``MAX_CLASSES``, or a class of fewer than ``MIN_PHOTOS`` photos.
        Stopped: ``cancelled`` said so.
    """
    from sklearn.model_selection import StratifiedKFold

    classes, truth = _classes(labels)
    parts = min(folds, *Counter(truth.tolist()).values())
    named = np.full_like(truth, -1)
    splits = StratifiedKFold(parts, shuffle=True, random_state=seed).split(seen, truth)
    for done, (known, asked) in enumerate(splits):
        on_progress(done, parts + 1)
        if cancelled():
            raise Stopped("Stopped before it was taught.")
        named[asked] = _fit(seen[known], truth[known]).predict(seen[asked])
    on_progress(parts, parts + 1)
    if cancelled():
        raise Stopped("Stopped before it was taught.")
    weight, bias = _linear(_fit(seen, truth))
    accuracy = float(np.mean(named == truth))
    head = Head(classes, weight, bias, backbone.name, backbone.file.sha256, len(truth), accuracy)
    repeated = len(seen) - len(np.unique(seen.round(4), axis=0))
    return Lesson(head, parts, tuple(truth.tolist()), tuple(named.tolist()), repeated)


def taught(classifier: Classifier, head: Head) -> Classifier:
    """The classifier's network with ``head`` for its last layer; shares the memory of all other weights.

    Raises:
        WeightsError: the head reads the features of another network.
    """
    base = classifier.variant
    wanted = (len(head.classes), base.spec.out_channels)
    if head.backbone_sha256 != base.file.sha256 or tuple(head.weight.shape) != wanted:
        raise WeightsError(f"this head was taught on {head.backbone[:60]!a}; {base.title} has other features")
    spec = base.spec.with_(num_classes=len(head.classes))
    model = build(spec, device="meta")
    with classifier.engine.borrow() as own:
        state = own.state_dict() | {"fc.weight": head.weight, "fc.bias": head.bias}
        model.load_state_dict(state, assign=True)
    names = ", ".join(head.classes)
    variant = replace(
        base,
        name=f"taught on {base.name}",
        title=f"{base.title}, taught {names if len(names) <= 60 else f'{len(head.classes)} classes'}",
        spec=spec,
        top1=None,
        top5=None,
        dataset="",
        temperature=1.0,
        familiar=None,
        params=base.params + (wanted[0] - base.spec.num_classes) * (wanted[1] + 1),
        classes=head.classes,
        recipe=f"Logistic regression on the features of {base.title}, from {head.photos} photos.",
        note=f"It knows only what it was taught from {head.photos} photos: whatever the photo shows, it names one of "
        f"{len(head.classes)} classes.",
    )
    return Classifier(variant, Engine(model, classifier.engine.device, exact=classifier.engine.exact))


def to_bytes(head: Head) -> bytes:
    """A safetensors file: ``fc.weight``, ``fc.bias``, and all else as JSON in its metadata. It can run no code."""
    about = {
        "classes": list(head.classes),
        "backbone": head.backbone,
        "backbone_sha256": head.backbone_sha256,
        "photos": head.photos,
        "accuracy": head.accuracy,
    }
    tensors = {"fc.weight": head.weight.contiguous(), "fc.bias": head.bias.contiguous()}
    return save(tensors, metadata={_KEY: json.dumps(about)})


def from_bytes(data: bytes) -> Head:
    """The head of a file that ``to_bytes`` made; nothing in it is trusted.

    Raises:
        WeightsError: it is no such file, damaged or too large.
    """
    if len(data) > MAX_HEAD_BYTES:
        raise WeightsError(f"the file is larger than any head: at most {MAX_HEAD_BYTES // 2**20} MiB are read")
    try:
        about = json.loads(read_metadata(BytesIO(data))[_KEY])
        tensors = load(data)
        head = Head(
            classes=tuple(about["classes"]),
            weight=tensors["fc.weight"],
            bias=tensors["fc.bias"],
            backbone=about["backbone"],
            backbone_sha256=about["backbone_sha256"],
            photos=about["photos"],
            accuracy=about["accuracy"],
        )
        _check(head)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            "this is no head that was taught here, or it is damaged. Choose a file that was downloaded after teaching"
        ) from error
    return head


def _penultimate(engine: Engine, batch: Tensor) -> Features:
    with engine.borrow() as model:
        parts = cast(ResNet, model)
        with torch.inference_mode():
            maps = parts.features(batch.to(parts.fc.weight.device, memory_format=torch.channels_last))
            pooled: Features = torch.flatten(parts.avgpool(maps), 1).float().cpu().numpy()
    return pooled


def _classes(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names in alphabetical order, and of each label its place among them."""
    counts = Counter(labels)
    names = tuple(sorted(counts))
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(f"got photos of {len(names)} classes; 2 to {MAX_CLASSES} can be taught")
    few = [name for name in names if counts[name] < MIN_PHOTOS]
    if few:
        raise DataError(
            f"{few[0][:MAX_NAME]!a} has one photo; every class needs at least {MIN_PHOTOS}, so that one can be "
            "asked about by a head that learned from the other"
        )
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[label] for label in labels], np.int64)


def _fit(seen: Features, truth: NDArray[np.int64]) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(seen.astype(np.float64), truth)


def _linear(fitted: Any) -> tuple[Tensor, Tensor]:
    """Scaling and regression as one linear layer: w · (x − μ)/σ + b = (w/σ) · x + (b − (w/σ) · μ)."""
    scaler, regression = fitted[0], fitted[-1]
    weight = regression.coef_ / scaler.scale_
    bias = regression.intercept_ - weight @ scaler.mean_
    if len(weight) == 1:  # two classes have one score: the logit of the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()


def _check(head: Head) -> None:
    """ValueError unless every part is what it says."""
    strings = (head.backbone, head.backbone_sha256, *head.classes)
    sound = (
        2 <= len(head.classes) == len(set(head.classes)) <= MAX_CLASSES
        and all(isinstance(word, str) and 0 < len(word) <= 100 for word in strings)
        and head.weight.dtype == head.bias.dtype == torch.float32
        and head.weight.ndim == 2
        and len(head.weight) == len(head.classes)
        and head.bias.shape == (len(head.classes),)
        and bool(torch.isfinite(head.weight).all() and torch.isfinite(head.bias).all())
        and type(head.photos) is int
        and head.photos > 0
        and isinstance(head.accuracy, (int, float))
        and 0 <= head.accuracy <= 1
    )
    if not sound:
        raise ValueError("a part is not what it says")
