"""Transfer learning: features are the last layer's input, and one linear layer equals the whole pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from explorer.errors import DataError, Stopped, WeightsError
from explorer.inference import Classifier, load_variant
from explorer.inference.head import with_head
from explorer.inference.transfer import Features, compute_features, fit_linear_probe
from explorer.inference.weights.catalogue import find
from tests.support.weight_server import built_in


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = tmp_path_factory.mktemp("weights")
    built_in(folder)
    return load_variant(find("cifar10_resnet20", folder), "cpu")


def scenes(colour: str, count: int, seed: int) -> list[Image.Image]:
    """Photos of one colour under noise."""
    dice = np.random.default_rng(seed)
    plain = np.asarray(Image.new("RGB", (40, 36), colour)).astype(int)
    noisy = [np.clip(plain + dice.integers(-60, 61, plain.shape), 0, 255) for _ in range(count)]
    return [Image.fromarray(pixels.astype(np.uint8)) for pixels in noisy]


@pytest.fixture(scope="module")
def photos() -> tuple[list[Image.Image], list[str]]:
    kinds = {"sea": "#204080", "grass": "#408020", "brick": "#a03020"}
    images = [image for seed, colour in enumerate(kinds.values()) for image in scenes(colour, 6, seed)]
    return images, [kind for kind in kinds for _ in range(6)]


@pytest.fixture(scope="module")
def extracted(classifier: Classifier, photos: tuple[list[Image.Image], list[str]]) -> Features:
    return compute_features(classifier, photos[0])


def noise(classes: int, each: int, width: int = 7, seed: int = 1) -> tuple[Features, list[str]]:
    """Features in which the classes lie apart by a little more than their spread."""
    dice = np.random.default_rng(seed)
    centres = dice.normal(0, 1.2, (classes, width))
    rows = np.concatenate([centre + dice.normal(0, 1, (each, width)) for centre in centres]).astype(np.float32)
    return rows, [f"kind {number}" for number in range(classes) for _ in range(each)]


def test_features_are_what_the_last_layer_reads(classifier: Classifier, photos: Any, extracted: Features) -> None:
    assert extracted.shape == (18, 64)
    assert extracted.dtype == np.float32
    with classifier.engine.borrow() as model, torch.inference_mode():
        logits = model.fc(torch.from_numpy(extracted))  # type: ignore[operator]  # a layer
        batch = torch.stack([classifier.variant.transform(image).tensor for image in photos[0]])
        torch.testing.assert_close(logits, model(batch), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_one_linear_layer_answers_as_the_whole_pipeline(classes: int) -> None:
    rows, labels = noise(classes, 8)
    rows[:, 3] = 4  # a feature that is the same in all photos cannot be scaled by its spread
    head = fit_linear_probe(rows, labels, find("cifar10_resnet20")).head
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(rows.astype(np.float64), labels)
    answers = torch.softmax(torch.from_numpy(rows) @ head.weight.T + head.bias, 1).numpy()
    assert head.classes == tuple(pipeline.classes_)
    np.testing.assert_allclose(answers, pipeline.predict_proba(rows), atol=2e-5)


def test_every_photo_is_named_once_by_a_head_that_has_not_seen_it() -> None:
    # Labels without any meaning: learning them by heart would give 100 %.
    rows = np.random.default_rng(0).normal(0, 1, (60, 50)).astype(np.float32)
    probe = fit_linear_probe(rows, ["a", "b"] * 30, find("cifar10_resnet20"))
    assert probe.folds == 5
    assert 0.25 < probe.head.accuracy < 0.75
    assert sum(map(sum, probe.confusion)) == 60
    assert [sum(row) for row in probe.confusion] == [30, 30]
    assert probe.correct == probe.confusion[0][0] + probe.confusion[1][1] == round(60 * probe.head.accuracy)
    assert probe.majority == 0.5
    low, high = probe.interval
    assert low < probe.head.accuracy < high


def test_the_interval_is_wilsons() -> None:
    # Wald's would be 1 … 1. Wilson's lower bound for n of n is n / (n + z²).
    rows, labels = np.eye(2, dtype=np.float32)[[0] * 10 + [1] * 10], ["a"] * 10 + ["b"] * 10
    probe = fit_linear_probe(rows, labels, find("cifar10_resnet20"))
    assert probe.interval == pytest.approx((20 / (20 + 1.96**2), 1.0))
    assert probe.repeated == 18


def test_the_smallest_class_limits_the_folds() -> None:
    rows, labels = noise(2, 6)
    assert fit_linear_probe(rows[:9], labels[:9], find("cifar10_resnet20")).folds == 3


def test_progress_ends_before_the_last_fit_and_stopping_is_heard() -> None:
    rows, labels = noise(2, 6)
    told: list[tuple[int, int]] = []
    fit_linear_probe(
        rows, labels, find("cifar10_resnet20"), folds=3, on_progress=lambda done, of: told.append((done, of))
    )
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]
    with pytest.raises(Stopped):
        fit_linear_probe(rows, labels, find("cifar10_resnet20"), cancelled=lambda: True)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a"] * 4, "got photos of 1 classes, expected 2 to 100"),
        ([str(n) for n in range(101)] * 2, "got photos of 101 classes"),
        (["a", "a", "b"], "'b' has one photo; every class needs at least 2"),
    ],
)
def test_a_probe_rejects_too_few_photos_or_classes(labels: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        fit_linear_probe(np.zeros((len(labels), 3), np.float32), labels, find("cifar10_resnet20"))


def test_a_new_head_predicts_the_new_classes(classifier: Classifier, photos: Any, extracted: Any) -> None:
    images, labels = photos
    probe = fit_linear_probe(extracted, labels, classifier.variant)
    new = with_head(classifier, probe.head)
    assert probe.head.accuracy == 1
    assert new.variant.classes == ("brick", "grass", "sea")
    assert [new.classify(image).top[0][0] for image in images] == labels
    with new.engine.borrow() as model:
        assert new.variant.params == sum(parameter.numel() for parameter in model.parameters())
        own = model.conv1.weight.data_ptr()  # type: ignore[union-attr, operator]  # a convolution
    with classifier.engine.borrow() as model:
        assert model.conv1.weight.data_ptr() == own  # type: ignore[union-attr, operator]
    assert classifier.classify(images[0], 10).top[0][0] in classifier.variant.classes


def test_a_head_belongs_to_the_network_it_was_trained_on(classifier: Classifier, photos: Any, extracted: Any) -> None:
    head = fit_linear_probe(extracted, photos[1], classifier.variant).head
    with pytest.raises(WeightsError, match="this head was trained on 'cifar10_resnet20'; CIFAR-10 ResNet-20 has other"):
        with_head(classifier, replace(head, backbone_sha256="0" * 64))
