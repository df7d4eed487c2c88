"""Teaching: features are the last layer's input, one linear layer equals the whole pipeline, files are not trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from explorer.errors import DataError, Stopped, WeightsError
from explorer.inference import Classifier, load_variant, transfer
from explorer.inference.transfer import Head, features, from_bytes, taught, teach, to_bytes
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
def seen(classifier: Classifier, photos: tuple[list[Image.Image], list[str]]) -> transfer.Features:
    return features(classifier, photos[0])


def noise(classes: int, each: int, width: int = 7, seed: int = 1) -> tuple[transfer.Features, list[str]]:
    """Features in which the classes lie apart by a little more than their spread."""
    dice = np.random.default_rng(seed)
    centres = dice.normal(0, 1.2, (classes, width))
    rows = np.concatenate([centre + dice.normal(0, 1, (each, width)) for centre in centres]).astype(np.float32)
    return rows, [f"kind {number}" for number in range(classes) for _ in range(each)]


def test_features_are_what_the_last_layer_reads(classifier: Classifier, photos: Any, seen: transfer.Features) -> None:
    assert seen.shape == (18, 64)
    assert seen.dtype == np.float32
    with classifier.engine.borrow() as model, torch.inference_mode():
        logits = model.fc(torch.from_numpy(seen))  # type: ignore[operator]  # a layer
        batch = torch.stack([classifier.variant.transform(image).tensor for image in photos[0]])
        torch.testing.assert_close(logits, model(batch), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_one_linear_layer_answers_as_the_whole_pipeline(classes: int) -> None:
    rows, labels = noise(classes, 8)
    rows[:, 3] = 4  # a feature that is the same in all photos cannot be scaled by its spread
    head = teach(rows, labels, find("cifar10_resnet20")).head
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(rows.astype(np.float64), labels)
    answers = torch.softmax(torch.from_numpy(rows) @ head.weight.T + head.bias, 1).numpy()
    assert head.classes == tuple(pipeline.classes_)
    np.testing.assert_allclose(answers, pipeline.predict_proba(rows), atol=2e-5)


def test_every_photo_is_named_once_by_a_head_that_has_not_seen_it() -> None:
    # Labels without any meaning: learning them by heart would give 100 %.
    rows = np.random.default_rng(0).normal(0, 1, (60, 50)).astype(np.float32)
    lesson = teach(rows, ["a", "b"] * 30, find("cifar10_resnet20"))
    assert lesson.folds == 5
    assert 0.25 < lesson.head.accuracy < 0.75
    assert sum(map(sum, lesson.confusion)) == 60
    assert [sum(row) for row in lesson.confusion] == [30, 30]
    assert lesson.right == lesson.confusion[0][0] + lesson.confusion[1][1] == round(60 * lesson.head.accuracy)
    assert lesson.majority == 0.5
    low, high = lesson.interval
    assert low < lesson.head.accuracy < high


def test_the_interval_is_wilsons() -> None:
    # Wald's would be 1 … 1. Wilson's lower bound for n of n is n / (n + z²).
    rows, labels = np.eye(2, dtype=np.float32)[[0] * 10 + [1] * 10], ["a"] * 10 + ["b"] * 10
    lesson = teach(rows, labels, find("cifar10_resnet20"))
    assert lesson.interval == pytest.approx((20 / (20 + 1.96**2), 1.0))
    assert lesson.repeated == 18


def test_the_smallest_class_limits_the_folds() -> None:
    rows, labels = noise(2, 6)
    assert teach(rows[:9], labels[:9], find("cifar10_resnet20")).folds == 3


def test_progress_ends_before_the_last_fit_and_stopping_is_heard() -> None:
    rows, labels = noise(2, 6)
    told: list[tuple[int, int]] = []
    teach(rows, labels, find("cifar10_resnet20"), folds=3, on_progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]
    with pytest.raises(Stopped):
        teach(rows, labels, find("cifar10_resnet20"), cancelled=lambda: True)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a"] * 4, "got photos of 1 classes; 2 to 100 can be taught"),
        ([str(n) for n in range(101)] * 2, "got photos of 101 classes"),
        (["a", "a", "b"], "'b' has one photo; every class needs at least 2"),
    ],
)
def test_what_cannot_be_taught_is_said(labels: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        teach(np.zeros((len(labels), 3), np.float32), labels, find("cifar10_resnet20"))


def test_a_taught_network_knows_the_new_classes(classifier: Classifier, photos: Any, seen: Any) -> None:
    images, labels = photos
    lesson = teach(seen, labels, classifier.variant)
    new = taught(classifier, lesson.head)
    assert lesson.head.accuracy == 1
    assert new.variant.classes == ("brick", "grass", "sea")
    assert [new.classify(image).top[0][0] for image in images] == labels
    with new.engine.borrow() as model:
        assert new.variant.params == sum(parameter.numel() for parameter in model.parameters())
        own = model.conv1.weight.data_ptr()  # type: ignore[union-attr, operator]  # a convolution
    with classifier.engine.borrow() as model:
        assert model.conv1.weight.data_ptr() == own  # type: ignore[union-attr, operator]
    assert classifier.classify(images[0], 10).top[0][0] in classifier.variant.classes


def test_a_head_fits_only_the_network_it_was_taught_on(classifier: Classifier, photos: Any, seen: Any) -> None:
    head = teach(seen, photos[1], classifier.variant).head
    with pytest.raises(WeightsError, match="this head was taught on 'cifar10_resnet20'; CIFAR-10 ResNet-20 has other"):
        taught(classifier, replace(head, backbone_sha256="0" * 64))


def head_of(width: int = 4) -> Head:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(3, width, generator=generator)
    return Head(("a", "b", "ü"), weight, torch.arange(3.0), "cifar10_resnet20", "ab" * 32, 12, 0.75)


def test_a_head_comes_back_from_its_file() -> None:
    head = head_of()
    again = from_bytes(to_bytes(head))
    assert torch.equal(again.weight, head.weight)
    assert torch.equal(again.bias, head.bias)
    told = ("classes", "backbone", "backbone_sha256", "photos", "accuracy")
    assert [getattr(again, name) for name in told] == [getattr(head, name) for name in told]


def changed(**facts: Any) -> bytes:
    about = {"classes": ["a", "b", "c"], "backbone": "n", "backbone_sha256": "s", "photos": 3, "accuracy": 1.0}
    return save(load(to_bytes(head_of())), metadata={"resnet_explorer_head": json.dumps(about | facts)})


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"\x80\x04pickle",
        lambda: to_bytes(head_of())[:-4],
        lambda: save({"fc.weight": torch.zeros(3, 4)}),
        lambda: changed(classes=["a", "b"]),
        lambda: changed(classes=["a", "a", "b"]),
        lambda: changed(classes=[1, 2, 3]),
        lambda: changed(classes=None),
        lambda: changed(photos="many"),
        lambda: changed(accuracy=float("nan")),
        lambda: to_bytes(replace(head_of(), bias=torch.full((3,), torch.nan))),
        lambda: to_bytes(replace(head_of(), weight=torch.zeros(3, 4, dtype=torch.float64))),
        lambda: to_bytes(replace(head_of(), bias=torch.zeros(2))),
    ],
)
def test_files_that_are_no_heads_are_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(WeightsError, match="no head that was taught here, or it is damaged"):
        from_bytes(make())


def test_a_head_larger_than_any_is_refused_unread() -> None:
    with pytest.raises(WeightsError, match="at most 4 MiB are read"):
        from_bytes(bytes(transfer.MAX_HEAD_BYTES + 1))


def test_a_changed_file_that_is_still_a_head_is_read() -> None:
    assert from_bytes(changed()).classes == ("a", "b", "c")


def test_the_head_is_plain_safetensors(tmp_path: Path) -> None:
    from safetensors import safe_open

    path = tmp_path / "head.safetensors"
    path.write_bytes(to_bytes(head_of()))
    with safe_open(path, "pt") as opened:
        assert sorted(opened.keys()) == ["fc.bias", "fc.weight"]
        assert json.loads(opened.metadata()["resnet_explorer_head"])["photos"] == 12
