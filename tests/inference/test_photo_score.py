"""Counts over photos that are named by their class: by hand, from a network whose answers are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from explorer.inference import Classifier, load_classifier
from explorer.inference.photo_score import score_photos
from explorer.inference.weights.measurements import PhotoScore
from explorer.views.classify.measurements import photo_score_words

pytestmark = pytest.mark.usefixtures("one_thread")
COLOURS = {"red": (200, 30, 20), "green": (20, 180, 40), "blue": (30, 40, 210)}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier("cifar10_resnet20", "cpu")


def photo(folder: Path, name: str, colour: str) -> Image.Image:
    image = Image.new("RGB", (64, 48), COLOURS[colour])
    image.save(folder / name, "PNG")
    return image


def test_photos_are_counted_by_what_the_network_answers(classifier: Classifier, tmp_path: Path) -> None:
    red, green = (photo(tmp_path, f"n0{i}_thing.png", colour) for i, colour in enumerate(("red", "green")))
    answers = [classifier.classify(image).top for image in (red, green)]
    # The photos' class is what the first is taken for: the second counts by its own answer.
    first = answers[0][0][0]
    for path in tmp_path.iterdir():
        path.rename(path.with_name(path.name.replace("thing", first)))
    blue = photo(tmp_path, "n09_unheard_of.png", "blue")
    (tmp_path / "README").write_text("no photo")
    second = [name for name, _ in answers[1]]
    assert score_photos(classifier, tmp_path) == PhotoScore(
        known=2,
        top1=1 + (second[0] == first),
        top5=1 + (first in second),
        others=1,
        set_apart=classifier.classify(blue).in_distribution is False,
        unfamiliar=sum(classifier.classify(image).in_distribution is False for image in (red, green)),
    )


def test_classes_of_imagenet_count_as_those_of_cifar10(classifier: Classifier, tmp_path: Path) -> None:
    for name in ("n01518878_ostrich.png", "n04147183_schooner.png", "n07753113_fig.png"):
        photo(tmp_path, name, "red")
    score = score_photos(classifier, tmp_path)
    assert (score.known, score.others) == (2, 1)


def test_out_of_distribution_photos_are_counted_on_both_sides(classifier: Classifier, tmp_path: Path) -> None:
    photo(tmp_path, "n1_cat.png", "green")
    photo(tmp_path, "n2_a_spoon.png", "green")
    image = Image.open(tmp_path / "n1_cat.png")
    for threshold, expected in ((-1e9, (0, 0)), (1e9, (1, 1))):
        strict = replace(classifier, variant=replace(classifier.variant, min_in_distribution_score=threshold))
        assert strict.classify(image).in_distribution is (threshold < 0)
        score = score_photos(strict, tmp_path)
        assert (score.unfamiliar, score.set_apart) == expected
        assert f"{score.set_apart} of 1 photos of other things" in photo_score_words(score)
