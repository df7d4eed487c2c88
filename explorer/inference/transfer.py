"""Transfer learning by a linear probe: a pretrained network's features of labelled photos, and a new head on them.

The network itself stays as it is; only its last layer is replaced. This is the linear evaluation that Kornblith, Shlens
and Le describe in "Do Better ImageNet Models Transfer Better?" (2019, §3): logistic regression on penultimate features.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import sqrt
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import DataError, Stopped
from ..network import ResNet
from .classifier import Classifier
from .head import MAX_CLASSES, Head
from .images.photo import Photo
from .running.engine import Engine
from .weights.catalogue import Variant

Features = NDArray[np.float32]

MIN_PHOTOS = 2  # of each class: one to train on while the other is predicted
MAX_NAME = 60  # characters of a class's name
_BATCH = 16


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A head, and its cross-validated accuracy.

    Attributes:
        head: trained on all photos.
        folds: parts that the photos were split into; a head trained on the others predicted each part.
        truth, predicted: classes (by index) of each photo: the label given, and the prediction of such a head.
        repeated: photos whose features equal those of another; such copies make the accuracy too high.
    """

    head: Head
    folds: int
    truth: tuple[int, ...] = field(repr=False)
    predicted: tuple[int, ...] = field(repr=False)
    repeated: int

    @property
    def correct(self) -> int:
        """Photos that were predicted correctly."""
        return sum(map(int.__eq__, self.truth, self.predicted))

    @property
    def majority(self) -> float:
        """Accuracy (0 … 1) of a constant answer, the most frequent class."""
        return max(Counter(self.truth).values()) / len(self.truth)

    @property
    def confusion(self) -> tuple[tuple[int, ...], ...]:
        """Photos by label (row) and prediction (column)."""
        counts, order = Counter(zip(self.truth, self.predicted, strict=True)), range(len(self.head.classes))
        return tuple(tuple(counts[row, column] for column in order) for row in order)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the accuracy on new photos of this kind (Wilson 1927), 0 … 1."""
        n, z = len(self.truth), 1.96
        centre = (self.correct + z * z / 2) / (n + z * z)
        reach = z / (n + z * z) * sqrt(self.correct * (n - self.correct) / n + z * z / 4)
        return max(0.0, centre - reach), min(1.0, centre + reach)


def compute_features(classifier: Classifier, photos: Sequence[Image.Image | Photo]) -> Features:
    """What the network's last layer reads of each photo: float32 (photos, features).

    Raises:
        ImageError: an image is not RGB.
    """
    rows = [np.empty((0, classifier.variant.spec.out_channels), np.float32)]
    for start in range(0, len(photos), _BATCH):
        batch = torch.stack([classifier.variant.transform(photo).tensor for photo in photos[start : start + _BATCH]])
        rows.append(classifier.engine.spare(partial(_penultimate, classifier.engine, batch)))
    return np.concatenate(rows)


def fit_linear_probe(
    features: Features,
    labels: Sequence[str],
    backbone: Variant,
    *,
    folds: int = 5,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> LinearProbe:
    """Train a head on features of labelled photos: standardised, then logistic regression, L2 penalty with C = 1.

    Args:
        features: float32 (photos, features), as ``compute_features`` gives them.
        labels: the class of each photo.
        backbone: whose features these are.
        folds: parts for cross-validation; at most as many as the smallest class has photos.
        seed: of the split into parts.
        on_progress: called with the number of fits that are done, and of all fits.

    Raises:
        DataError: fewer than two classes, more than ``MAX_CLASSES``, or a class of fewer than ``MIN_PHOTOS`` photos.
        Stopped: ``cancelled`` said so.
    """
    from sklearn.model_selection import StratifiedKFold

    classes, truth = _classes(labels)
    parts = min(folds, *Counter(truth.tolist()).values())
    predicted = np.full_like(truth, -1)
    splits = StratifiedKFold(parts, shuffle=True, random_state=seed).split(features, truth)
    for done, (training, test) in enumerate(splits):
        on_progress(done, parts + 1)
        if cancelled():
            raise Stopped("Stopped before the head was trained.")
        predicted[test] = _fit(features[training], truth[training]).predict(features[test])
    on_progress(parts, parts + 1)
    if cancelled():
        raise Stopped("Stopped before the head was trained.")
    weight, bias = _linear(_fit(features, truth))
    accuracy = float(np.mean(predicted == truth))
    head = Head(classes, weight, bias, backbone.name, backbone.file.sha256, len(truth), accuracy)
    repeated = len(features) - len(np.unique(features.round(4), axis=0))
    return LinearProbe(head, parts, tuple(truth.tolist()), tuple(predicted.tolist()), repeated)


def _penultimate(engine: Engine, batch: Tensor) -> Features:
    with engine.borrow() as model:
        parts = cast(ResNet, model)
        with torch.inference_mode():
            maps = parts.features(batch.to(parts.fc.weight.device, memory_format=torch.channels_last))
            pooled: Features = torch.flatten(parts.avgpool(maps), 1).float().cpu().numpy()
    return pooled


def _classes(labels: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names in alphabetical order, and the place of each label among them."""
    counts = Counter(labels)
    names = tuple(sorted(counts))
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(f"got photos of {len(names)} classes, expected 2 to {MAX_CLASSES}")
    few = [name for name in names if counts[name] < MIN_PHOTOS]
    if few:
        raise DataError(
            f"{few[0][:MAX_NAME]!a} has one photo; every class needs at least {MIN_PHOTOS}, so that one can be "
            "asked about by a head that learned from the other"
        )
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[label] for label in labels], np.int64)


def _fit(features: Features, truth: NDArray[np.int64]) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(features.astype(np.float64), truth)


def _linear(fitted: Any) -> tuple[Tensor, Tensor]:
    """Scaling and regression as one linear layer: w · (x − μ)/σ + b = (w/σ) · x + (b − (w/σ) · μ)."""
    scaler, regression = fitted[0], fitted[-1]
    weight = regression.coef_ / scaler.scale_
    bias = regression.intercept_ - weight @ scaler.mean_
    if len(weight) == 1:  # two classes have one score: the logit of the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
