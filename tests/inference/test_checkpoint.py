"""A user's weight file end to end: recognised, loaded strictly, asked about photos; on the command line too."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from typer.testing import CliRunner

from explorer.cli import app
from explorer.datasets.cifar10 import load_cifar10
from explorer.errors import WeightsError
from explorer.inference.checkpoint import Checkpoint, checkpoint_classifier, open_checkpoint, rebuild
from explorer.network import build
from explorer.spec import PRESETS, ZeroPlacement
from explorer.training.loop import evaluate
from tests.support.paths import DATA

THIRD_PARTY = DATA / "checkpoints" / "cifar10-resnet20-optionA-12fca82f.th"
PHOTOS = DATA / "cifar10-jpeg.tar.xz"
TINY = PRESETS["cifar_resnet20"].with_(depths=(1, 1), widths=(4, 8))

needs_third_party = pytest.mark.skipif(not THIRD_PARTY.exists(), reason="the third party's checkpoint is not here")


def saved(path: Path, changed: Mapping[str, torch.Tensor] = MappingProxyType({})) -> Path:
    save_file({**build(TINY, seed=1).state_dict(), **changed}, path)
    return path


def run(*words: str | Path) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def opened(tiny: Path) -> Checkpoint:
    return open_checkpoint(tiny)


@needs_third_party
def test_the_third_partys_resnet_20_is_option_a_with_zeros_on_each_side() -> None:
    checkpoint = open_checkpoint(THIRD_PARTY)
    assert checkpoint.spec == PRESETS["cifar_resnet20"].with_(zero_pad=ZeroPlacement.SPLIT)
    assert checkpoint.recognition.notes == (
        "The prefix “module.” was taken off the names in the file.",
        "“linear” in the file is “fc” here: the classifier.",
    )
    model = rebuild(checkpoint)
    assert torch.equal(model.fc.weight, checkpoint.state["fc.weight"])


@pytest.mark.slow
@needs_third_party
@pytest.mark.skipif(not PHOTOS.exists(), reason="CIFAR-10 is not here")
def test_the_third_partys_resnet_20_is_as_accurate_as_where_it_comes_from() -> None:
    checkpoint = open_checkpoint(THIRD_PARTY)
    transform = checkpoint_classifier(checkpoint, device="cpu").variant.transform
    _, test = load_cifar10(PHOTOS)
    accuracy = 100 * evaluate(rebuild(checkpoint), test, transform.mean, transform.std)
    assert len(test) == 10_000
    assert abs(accuracy - 81.03) <= 0.1


def test_a_rebuilt_network_answers_as_the_one_that_was_saved(opened: Checkpoint) -> None:
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(rebuild(opened).eval()(images), build(TINY, seed=1).eval()(images))


def test_weights_are_loaded_strictly(opened: Checkpoint) -> None:
    with pytest.raises(
        WeightsError, match=r"the weights do not match this network:\n'fc\.weight': expected 11×8, got 10×8"
    ):
        rebuild(opened, TINY.with_(num_classes=11))


@pytest.mark.parametrize(
    ("changes", "classes", "assumed"),
    [
        ({}, ("airplane", "automobile"), "CIFAR-10's ten classes"),
        ({"num_classes": 3}, ("class 0", "class 1", "class 2"), "numbers for classes"),
        ({"num_classes": 1000}, ("tench", "goldfish"), "ImageNet's 1,000 classes"),
    ],
)
def test_classes_are_named_as_far_as_they_can_be(
    opened: Checkpoint, changes: dict[str, int], classes: tuple[str, ...], assumed: str
) -> None:
    spec = TINY.with_(**changes)
    checkpoint = replace(opened, state=build(spec).state_dict())
    classifier = checkpoint_classifier(checkpoint, spec, device="cpu")
    assert classifier.variant.classes[: len(classes)] == classes
    prediction = classifier.classify(Image.new("RGB", (50, 40)))
    assert sum(share for _, share in prediction.top) <= 1 + 1e-6
    assert assumed in prediction.notes[-1]


def test_weights_with_nan_or_infinity_are_inspected_but_do_not_classify(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.safetensors", {"fc.bias": torch.tensor([float("nan")] * 10)})
    checkpoint = open_checkpoint(path)
    assert checkpoint.spec == TINY
    assert checkpoint.sentences()[-1].startswith("1 of 32 tensors contain NaN or infinity, for example 'fc.bias'")
    with pytest.raises(
        WeightsError, match=r"these weights cannot classify photos: 'fc\.bias' contains NaN or infinity"
    ):
        checkpoint_classifier(checkpoint)


def test_photos_need_three_channels(opened: Checkpoint) -> None:
    with pytest.raises(WeightsError, match="this network reads 1 channels; photos have 3"):
        checkpoint_classifier(opened, TINY.with_(in_channels=1))


def test_the_command_line_takes_weights_for_a_network(tiny: Path, tmp_path: Path) -> None:
    checked = run("check", tiny, "--set", "zero_pad=split")
    assert checked.exit_code == 0
    lines = checked.stdout.splitlines()
    assert lines[0] == "✓ 2 of 2 shortcuts match"
    assert lines[1].startswith("Recognised from names and shapes: ResNet-6: basic blocks 1-1; widths 4, 8; stem 3×3;")
    assert not any("zero_pad" in line for line in lines)
    inspected = json.loads(run("inspect", tiny, "--json").stdout)
    assert any("zero_pad" in note for note in inspected["notes"])
    (tmp_path / "bad.pth").write_bytes(b"no weights")
    refused = run("check", tmp_path / "bad.pth")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: the weight file was refused: it starts with 'no weigh'")


def test_the_command_line_classifies_with_the_users_weights(tiny: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "red").save(tmp_path / "photo.png")
    answered = run("classify", "--weights", tiny, "--json", tmp_path / "photo.png")
    assert answered.exit_code == 0
    assert json.loads(answered.stdout)[0]["model"] == "your weights"
    assert "after the channels is assumed" in answered.stderr
    both = run("classify", "--weights", tiny, "--model", "resnet18", tmp_path / "photo.png")
    assert (both.exit_code, "--weights and --model cannot be combined" in both.stderr) == (2, True)
    alone = run("classify", "--set", "zero_pad=split", tmp_path / "photo.png")
    assert (alone.exit_code, "--set needs --weights" in alone.stderr) == (2, True)


@pytest.mark.parametrize("name", ["checkpoint.pth.tar", "weights.pkl", "best.model", "weights"])
def test_an_existing_file_is_opened_whatever_its_name(tmp_path: Path, name: str) -> None:
    torch.save({"args": Namespace(lr=0.1), "state_dict": build(TINY, seed=1).state_dict()}, tmp_path / name)
    result = run("inspect", tmp_path / name)
    assert result.exit_code == 0, result.stderr
    assert "Recognised from names and shapes: ResNet-6" in result.stdout
    assert "Beside the weights the file has objects of classes that were not loaded: 'argparse.Namespace'." in (
        " ".join(result.stdout.split())
    )


def test_an_existing_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "resnet81").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\n")
    result = run("check", tmp_path / "resnet81")
    assert (result.exit_code, "it is a Git LFS pointer" in result.stderr) == (2, True)


def test_the_tree_of_a_whole_model_that_is_not_recognised_is_shown(tmp_path: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU()), tmp_path / "model.pt")
    result = run("inspect", tmp_path / "model.pt")
    assert result.exit_code == 2
    words = result.stdout.split()
    at = words.index("Linear")
    assert words[at - 1 : at + 6] == ["0", "Linear", "bias", "5,", "weight", "5×3", "20"]
    assert "None of its code was run; 3 modules" in result.stderr
