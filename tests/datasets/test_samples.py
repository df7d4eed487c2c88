"""What gradients are measured on: the right images with the right labels, shuffled by a seed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sklearn import datasets

from explorer.datasets import MOST_PIXELS, sample
from explorer.datasets.cifar10 import CLASSES, load_cifar10
from explorer.datasets.photos import standardise
from explorer.errors import DataError
from explorer.gradients import probe_gradients
from explorer.spec import PRESETS
from tests.support.cifar10_files import encoded, made_files, made_folder, made_tar, pixels

TWENTY = PRESETS["cifar_resnet20"]
ALL_DIGITS = 1797


def test_all_digits_keep_their_labels_and_are_standardised() -> None:
    found = sample("digits", 10_000)
    bundle = datasets.load_digits()
    assert found.images.shape == (ALL_DIGITS, 1, 8, 8)
    assert (found.images.mean().item(), found.images.std().item()) == pytest.approx((0, 1), abs=1e-5)
    back = (found.images[:, 0] * bundle.images.std() + bundle.images.mean()).round()
    known = {pixels.tobytes(): target for pixels, target in zip(bundle.images, bundle.target, strict=True)}
    assert [known[pixels.double().numpy().tobytes()] for pixels in back] == found.labels.tolist()


def test_digits_are_shuffled_by_the_seed_alone() -> None:
    found = sample("digits", 5, 1)
    assert (found.images.dtype, found.labels.dtype, len(found.labels)) == (torch.float32, torch.int64, 5)
    assert torch.equal(sample("digits", 8, 1).images[:5], found.images)
    assert not torch.equal(sample("digits", 5, 2).images, found.images)


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (20, 3)])
def test_digits_are_enlarged_and_repeated_over_channels(side: int, channels: int) -> None:
    inputs = sample("digits", 5).inputs(TWENTY.with_(image_size=side, in_channels=channels))
    assert inputs.shape == (5, channels, side, side)
    assert torch.equal(inputs[:, 0], inputs[:, -1])


def test_inputs_have_a_maximum_size() -> None:
    assert sample("digits", 1).inputs(TWENTY.with_(image_size=600)).shape[2:] == (MOST_PIXELS, MOST_PIXELS)


def test_digits_enter_a_probe_with_their_labels() -> None:
    spec = TWENTY.with_(depths=(1, 1, 1), in_channels=1, image_size=16)
    found = sample("digits", 6)
    probe = probe_gradients(spec, inputs=found.inputs(spec), labels=found.labels, batch_size=3, batches=2)
    assert (probe.images, probe.labels, probe.setting.height) == ("given", "true", 16)


@pytest.mark.parametrize("archived", [False, True])
def test_photos_of_cifar10_are_those_of_the_test_split(tmp_path: Path, archived: bool) -> None:
    source = made_tar(tmp_path / "a.tar") if archived else made_folder(tmp_path)
    _, test = load_cifar10(source)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(7))
    found = sample("cifar10", 4, 7, source)
    assert found.labels.tolist() == test.labels[order[:4]].tolist()
    assert torch.equal(found.images, standardise(test.images[order[:4]]))
    assert torch.equal(found.inputs(TWENTY), found.images)
    assert sample("cifar10", 99, 7, source).labels.tolist() == test.labels[order].tolist()
    assert len(sample("cifar10", 0, 7, source).labels) == 1


def test_images_are_the_same_in_a_folder_and_in_an_archive_of_any_order(tmp_path: Path) -> None:
    backwards = dict(reversed(made_files().items()))
    folder, archive = made_folder(tmp_path / "folder"), made_tar(tmp_path / "a.tar.xz", backwards)
    ours, theirs = (sample("cifar10", 6, 3, source) for source in (folder, archive))
    assert torch.equal(ours.images, theirs.images)
    assert torch.equal(ours.labels, theirs.labels)


def test_the_training_split_is_neither_needed_nor_decoded(tmp_path: Path) -> None:
    files = {name: data if name.startswith("test/") else b"damaged" for name, data in made_files().items()}
    assert len(sample("cifar10", 10, source=made_tar(tmp_path / "a.tar", files)).labels) == len(CLASSES)
    test = {name: data for name, data in made_files().items() if name.startswith("test/")}
    assert len(sample("cifar10", 10, source=made_folder(tmp_path / "test-only", test)).labels) == len(CLASSES)


def test_images_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    train = {name: data for name, data in made_files().items() if name.startswith("train/")}
    with pytest.raises(DataError, match=r"^this is not CIFAR-10, expected a folder test/<class>/ with images$"):
        sample("cifar10", 4, source=made_folder(tmp_path / "train-only", train))
    large = {**made_files(), "test/cat/0.png": encoded(pixels(0, (33, 32)))}
    with pytest.raises(DataError, match=r"^'0\.png' is 33×32, expected 32×32$"):
        sample("cifar10", 10, source=made_folder(tmp_path / "large", large))


def test_no_other_images_are_known() -> None:
    with pytest.raises(ValueError, match=r"^kind: got 'mnist'; allowed: digits, cifar10$"):
        sample("mnist", 1)
