"""The files of a trained network are read by the catalogue, and classify with the network's own logits."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from explorer.datasets import CIFAR10, IMAGENET200
from explorer.inference import find, load_classifier
from explorer.inference.weights.catalogue import BUILTIN
from explorer.inference.weights.measurements import PhotoScore
from explorer.spec import to_dict
from explorer.training import NETS, Epoch, Recipe, Run, describe_run
from explorer.training.loop import evaluate, normalise
from tests.support.tiny_runs import SHORT, TINY, separable, tiny_run

CPU = torch.device("cpu")
NOISE = replace(CIFAR10, name="Noise")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> tuple[Run, Path]:
    run = tiny_run(replace(SHORT, epochs=2), train=separable(60, 0), test=separable(30, 1))
    for _ in run.events():
        pass
    published = describe_run(run, "tiny.v1", Path(), NOISE)
    return run, published.write(tmp_path_factory.mktemp("files") / "weights")


def test_an_exported_network_classifies_with_its_own_logits(exported: tuple[Run, Path]) -> None:
    run, path = exported
    classifier = load_classifier("tiny.v1", "cpu", folder=path.parent)
    run.model.eval()
    for pixels_of_image in run.test.images[:5]:
        with torch.no_grad():
            expected = run.model(normalise(pixels_of_image[None], run.mean, run.std, CPU))[0]
        image = Image.fromarray(pixels_of_image.permute(1, 2, 0).numpy())
        seen = classifier.variant.transform(image)
        got = classifier.engine.forward(seen.tensor[None]).logits[0]
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
        file = io.BytesIO()
        image.save(file, "PNG")
        prediction = classifier.classify_bytes(file.getvalue(), top=3)
        order = expected.argsort(descending=True).tolist()
        assert [name for name, _ in prediction.top] == [run.train.classes[i] for i in order]
        shares = torch.softmax(expected, 0)[order].tolist()
        assert [share for _, share in prediction.top] == pytest.approx(shares, abs=1e-5)


def test_the_side_file_says_what_was_trained(exported: tuple[Run, Path]) -> None:
    run, path = exported
    assert sorted(file.name for file in path.parent.iterdir()) == ["tiny.v1.json", "tiny.v1.safetensors"]
    card = json.loads((path.parent / "tiny.v1.json").read_text(encoding="utf-8"))
    assert card["spec"] == to_dict(TINY)
    assert card["recipe"] == run.recipe.to_dict()
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [Epoch(**epoch) for epoch in card["curves"]] == run.history
    assert card["accuracy"] == {
        "top1": round(100 * evaluate(run.model, run.test, run.mean, run.std), 2),
        "top5": 100.0,
        "split": "Noise, test split",
        "images": 30,
    }
    variant = find("tiny.v1", path.parent)
    assert (variant.title, variant.spec, variant.classes) == ("Noise ResNet-6", TINY, run.train.classes)
    assert (variant.transform.mean, variant.transform.std) == (run.mean, run.std)
    assert variant.params == sum(weight.numel() for weight in run.model.parameters())


def test_published_weights_name_their_network_and_data(exported: tuple[Run, Path], tmp_path: Path) -> None:
    run, _ = exported
    (tmp_path / "data" / "train").mkdir(parents=True)
    for source, dataset in (("data", "CIFAR-10 from data, test split"), ("torchvision", "CIFAR-10, test split")):
        published = describe_run(run, "tiny", tmp_path / source)
        variant = find("tiny", published.write(tmp_path / "weights" / source).parent)
        assert (variant.title, variant.dataset) == ("CIFAR-10 ResNet-6", dataset)
    images = tmp_path / "photos.tar"
    images.write_text("")
    assert describe_run(run, "tiny", images, IMAGENET200).card.data.endswith(" from photos.tar, validation split")


def test_counts_over_photos_come_last_in_the_side_file(exported: tuple[Run, Path], tmp_path: Path) -> None:
    run, path = exported
    before = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    score = PhotoScore(known=4, top1=1, top5=3, others=2, set_apart=1, unfamiliar=0)
    scored = replace(describe_run(run, "tiny.v1", Path(), NOISE), photos=asdict(score)).write(tmp_path)
    after = json.loads(scored.with_suffix(".json").read_text(encoding="utf-8"))
    assert list(after.items()) == [*before.items(), ("photos", asdict(score))]
    assert find("tiny.v1", tmp_path).photos == score


@pytest.mark.parametrize("name", NETS)
def test_the_built_in_networks_are_of_their_recipes(name: str) -> None:
    """The files in the repository were written by this code, from these recipes."""
    net, variant = NETS[name], find(name)
    card = json.loads((BUILTIN / f"{name}.json").read_text(encoding="utf-8"))
    assert (variant.spec, variant.title) == (net.spec, net.title)
    assert len(variant.classes) == net.data.classes
    recipes = [recipe for recipe in (net.recipe, net.polish) if recipe]
    said = [*(run["recipe"] for run in card.get("before", [])), card["recipe"]]
    assert [Recipe.from_dict(recipe) for recipe in said] == recipes
    assert len(card["curves"]) == recipes[-1].epochs
    assert variant.file.size_bytes < 8_000_000
    assert card["sha256"] == hashlib.sha256(Path(variant.file.source).read_bytes()).hexdigest()
    assert variant.temperature != 1
    assert card["calibration"]["error_after"] < card["calibration"]["error_before"]
    least = {"cifar10_resnet20": (86, 99), "everyday200_resnet14": (34, 61)}[name]
    assert variant.top1 is not None
    assert variant.top5 is not None
    assert (variant.top1, variant.top5) >= least
    assert variant.top5 >= least[1]
