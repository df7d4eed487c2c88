"""Predictions equal torchvision's own, whatever the photo's size; faults are said, never answered wrongly."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.compat import torchvision
from explorer.errors import ExplorerError, ImageError, WeightsError
from explorer.inference import decode, find, load_classifier, load_variant
from explorer.inference.classifier import _LOADED
from explorer.inference.running.runtime import OnnxRuntime
from explorer.inference.throughput import ThroughputPoint, throughput
from explorer.inference.transform import Transform
from explorer.inference.weights.catalogue import BUILTIN, Variant, variants
from explorer.network import build
from explorer.spec import PRESETS
from tests.support import hostile_images as make
from tests.support.photo_files import PHOTOS
from tests.support.weight_server import built_in, file_of, serving, stalled, variant_of, whole

SIZES = [
    (224, 224),
    (256, 256),
    (640, 480),
    (333, 777),
    (500, 333),
    (20, 15),
    (1, 1),
    (1600, 100),
    (225, 231),
]


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth colours with noise on top: neither flat nor without structure."""
    dice = np.random.default_rng(seed)
    coarse = Image.fromarray(dice.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize((width, height), 3)
    noise = dice.integers(-30, 31, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(coarse).astype(int) + noise, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built-in weights: one seeded net."""
    folder = tmp_path_factory.mktemp("weights")
    built_in(folder)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RESNET_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("RESNET_EXPLORER_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "cache"


# What the network sees


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["resnet50.IMAGENET1K_V1", "resnet50.IMAGENET1K_V2"])
def test_the_transform_is_torchvisions_but_for_rounding(name: str, size: tuple[int, int]) -> None:
    """A few values in a hundred are others of the 256 levels, one or two away."""
    image = photo(*size)
    theirs = torchvision.models.get_weight(f"ResNet50_Weights.{name.partition('.')[2]}").transforms()
    seen = find(name).transform(image)
    levels = (seen.tensor - theirs(image)).abs() * torch.tensor(theirs.std)[:, None, None] * 255
    assert float(levels.max()) < 2.001
    assert float(levels.mean()) < 0.05
    assert seen.image.size == (224, 224)


@pytest.mark.parametrize("size", [(32, 32), (224, 224), (300, 224)])
def test_what_needs_no_resizing_is_torchvisions_to_the_last_bit(size: tuple[int, int]) -> None:
    side, mean, std = min(size), (0.4, 0.5, 0.6), (0.1, 0.2, 0.3)
    theirs = torchvision.transforms._presets.ImageClassification(crop_size=side, resize_size=side, mean=mean, std=std)
    assert torch.equal(Transform(side, side, mean, std)(photo(*size)).tensor, theirs(photo(*size)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_decoded_smaller_is_aligned_with_the_full_size_one(orientation: int) -> None:
    """Its sides are no multiples of eight: the scaled picture ends within the last column and row."""
    data = make.encode(make.scene(1003, 779).convert("RGB"), quality=95)
    data = make.jpeg_with(data, make.segment(0xE1, b"Exif\0\0" + make.exif(orientation)))
    transform = Transform(48, 48, (0.0,) * 3, (1 / 255,) * 3)
    whole_photo, scaled = decode(data), decode(data, transform.at_least)
    assert max(scaled.image.size) == 126  # of 125 3/8 pixels
    assert scaled.area is not None
    seen = transform(whole_photo).tensor
    assert float((transform(scaled).tensor - seen).abs().mean()) < 0.5
    assert float((transform(scaled.image).tensor - seen).abs().mean()) > 1


def test_the_seen_crop_is_the_tensor_before_normalisation() -> None:
    transform = find("resnet18").transform
    seen = transform(photo(640, 480))
    mean, std = torch.tensor(transform.mean).view(3, 1, 1), torch.tensor(transform.std).view(3, 1, 1)
    pixels = ((seen.tensor * std + mean) * 255).round().to(torch.uint8)
    assert np.array_equal(pixels.permute(1, 2, 0).numpy(), np.asarray(seen.image))


# Predictions


def seeded_resnet18() -> nn.Module:
    """torchvision's network with seeded weights and BatchNorm statistics, so that no two classes tie."""
    torch.manual_seed(5)
    model = torchvision.models.resnet18()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model.eval()


def saved(state: dict[str, Tensor], **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer, **options)
    return buffer.getvalue()


def served(data: bytes, url: str) -> Variant:
    """torchvision's ResNet-18 from another address, with another file behind it."""
    return replace(find("resnet18"), file=file_of(data, url))


@pytest.fixture(scope="module")
def reference() -> nn.Module:
    return seeded_resnet18()


@pytest.fixture(scope="module")
def download(reference: nn.Module) -> Iterator[tuple[bytes, Variant]]:
    data = saved(reference.state_dict())
    with serving() as server:
        server.answer = whole(data)
        yield data, served(data, server.url("resnet18-seeded.pth"))


def test_a_prediction_is_torchvisions_own(reference: nn.Module, download: tuple[bytes, Variant]) -> None:
    weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
    classifier = load_variant(download[1], "cpu")
    for size in ((640, 480), (20, 15)):
        image = photo(*size)
        batch = weights.transforms()(image).unsqueeze(0)
        with torch.inference_mode():
            logits = reference(batch)[0]
        probabilities, indices = logits.softmax(0).topk(5)
        names = [weights.meta["categories"][index] for index in indices.tolist()]
        prediction = classifier.classify(image)
        assert [name for name, _ in prediction.top] == names
        assert [score for _, score in prediction.top] == pytest.approx(probabilities.tolist(), abs=2e-5)


def test_a_prediction_tells_all_about_itself(download: tuple[bytes, Variant]) -> None:
    variant = download[1]
    prediction = load_variant(variant, "cpu").classify(photo(640, 480), top=3)
    assert len(prediction.top) == 3
    assert prediction.variant is variant
    assert prediction.transform == variant.transform.sentence
    assert prediction.device == "cpu"
    assert prediction.crop.size == (224, 224)
    assert prediction.notes == ()
    times = prediction.timings
    assert times.decode == 0
    assert 0 < times.transform + times.forward <= times.total


def test_half_precision_and_formats_of_before_2020_load(reference: nn.Module) -> None:
    """Two of torchvision's files are both, with BatchNorm left in single precision and no batch counts."""
    state = {
        name: tensor.half() if tensor.dim() > 1 or name.startswith("fc") else tensor
        for name, tensor in reference.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    data = saved(state, _use_new_zipfile_serialization=False)
    with serving() as server:
        server.answer = whole(data)
        classifier = load_variant(served(data, server.url("resnet18-old.pth")), "cpu")
    with classifier.engine.borrow() as model:
        got = model.state_dict()
        assert all(torch.equal(got[name], tensor.float()) for name, tensor in state.items())
        assert {tensor.dtype for name, tensor in got.items() if name in state} == {torch.float32}


def test_a_third_partys_names_are_mapped() -> None:
    """As the CIFAR ResNets of others have them: a prefix, and another name for the classifier."""
    own = build(PRESETS["cifar_resnet20"], seed=1).state_dict()
    state = {f"module.{name}".replace("module.fc.", "module.linear."): tensor for name, tensor in own.items()}
    data = saved(state, _use_new_zipfile_serialization=False)
    with serving() as server:
        server.answer = whole(data)
        classifier = load_variant(variant_of(data, server.url("resnet20-theirs.th")), "cpu")
    with classifier.engine.borrow() as model:
        assert all(torch.equal(tensor, own[name]) for name, tensor in model.state_dict().items())


def test_the_built_in_net_needs_no_network(folder: Path) -> None:
    prediction = load_classifier("cifar10_resnet20", "cpu", folder=folder).classify(photo(800, 600), top=99)
    assert len(prediction.top) == 10
    assert sum(p for _, p in prediction.top) == pytest.approx(1, abs=1e-5)
    assert [p for _, p in prediction.top] == sorted((p for _, p in prediction.top), reverse=True)
    assert prediction.crop.size == (32, 32)
    assert prediction.notes == (variants(folder)[0].note,)


@pytest.mark.skipif(not any(BUILTIN.glob("*.json")), reason="no built-in weights yet: make train")
def test_the_nets_that_come_with_the_program_are_intact() -> None:
    for variant in (variant for variant in variants() if variant.file.builtin):
        prediction = load_variant(variant, "cpu").classify(photo(64, 64))
        assert prediction.variant is variant
        assert 10 < (variant.top1 or 0) < 100


def test_bytes_are_decoded_and_their_notes_kept(folder: Path) -> None:
    buffer = io.BytesIO()
    photo(8, 8).save(buffer, "PNG")
    classifier = load_classifier("cifar10_resnet20", "cpu", folder=folder)
    prediction = classifier.classify_bytes(buffer.getvalue())
    decoded = decode(buffer.getvalue())
    assert prediction.top == classifier.classify(decoded).top == classifier.classify(decoded.image).top
    assert prediction.notes[: len(decoded.notes)] == decoded.notes
    times = prediction.timings
    assert 0 < times.decode + times.transform + times.forward <= times.total
    with pytest.raises(ImageError):
        classifier.classify_bytes(b"no photo")


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK", "I;16"])
def test_only_rgb_is_taken(folder: Path, mode: str) -> None:
    with pytest.raises(ImageError, match=f"got an image of mode {mode}, 9×9 px, expected RGB"):
        load_classifier("cifar10_resnet20", "cpu", folder=folder).classify(Image.new(mode, (9, 9)))


def test_nan_weights_never_classify(reference: nn.Module) -> None:
    state = {**reference.state_dict(), "fc.bias": torch.full((1000,), float("nan"))}
    data = saved(state)
    with serving() as server:
        server.answer = whole(data)
        with pytest.raises(
            WeightsError, match=r"ResNet-18 \(V1\) can't classify: .* NaN or infinity, as in 'fc\.bias'"
        ):
            load_variant(served(data, server.url("resnet18-nan.pth")), "cpu")


def test_weights_of_another_network_are_refused(download: tuple[bytes, Variant]) -> None:
    wrong = replace(download[1], spec=find("resnet34").spec)
    with pytest.raises(WeightsError, match=r"expected 64×64×3×3, got nothing(.|\n)*nearest known network is resnet18"):
        load_variant(wrong, "cpu")


# Sharing


def test_loaded_networks_are_shared_until_their_bytes_are_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_classifier("cifar10_resnet20", "cpu", folder=folder)
    monkeypatch.setattr(_LOADED, "limit", 3 * first.engine.size_bytes)
    assert load_classifier("cifar10_resnet20", "cpu", folder=folder) is first
    others = []
    for number in range(3):
        built_in(folder / str(number), name=f"net{number}", seed=number)
        others.append(load_classifier(f"net{number}", "cpu", folder=folder / str(number)))
    assert _LOADED.size == 3 * first.engine.size_bytes
    assert load_classifier("net0", "cpu", folder=folder / "0") is others[0]
    assert load_classifier("cifar10_resnet20", "cpu", folder=folder) is not first
    assert len(first.classify(photo(40, 40)).top) == 5  # who holds a dropped one goes on with it


def test_the_first_photo_finds_the_network_warm(tmp_path: Path) -> None:
    built_in(tmp_path)
    engine = load_classifier("cifar10_resnet20", "cpu", folder=tmp_path).engine
    assert isinstance(engine._runtime, OnnxRuntime)


def test_threads_load_once_and_predict_the_same(tmp_path: Path) -> None:
    built_in(tmp_path)
    image = photo(100, 80)

    def run(_: int) -> tuple[int, tuple[tuple[str, float], ...]]:
        classifier = load_classifier("cifar10_resnet20", "cpu", folder=tmp_path)
        return id(classifier), classifier.classify(image).top

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(run, range(24)))) == 1


def test_a_download_can_be_cancelled_and_a_failed_load_tried_again(
    download: tuple[bytes, Variant], cache: Path
) -> None:
    data = random.Random(1).randbytes(100) + download[0]
    with serving() as server:
        variant = served(data, server.url("resnet18-slow.pth"))
        server.answer = stalled(data, 1000, go_on := Event())
        with pytest.raises(WeightsError, match="cancelled"):
            load_variant(variant, "cpu", cancelled=server.asked.is_set)
        go_on.set()
        server.answer = whole(data)
        for _ in range(2):
            with pytest.raises(WeightsError, match="refused"):
                load_variant(variant, "cpu")


def test_a_borrowed_network_can_be_differentiated(folder: Path) -> None:
    classifier = load_classifier("cifar10_resnet20", "cpu", folder=folder)
    seen = classifier.variant.transform(photo(64, 64))
    classifier.classify(photo(64, 64))
    with classifier.engine.borrow() as model:
        batch = seen.tensor.unsqueeze(0).requires_grad_()
        model(batch)[0, 0].backward()
        assert batch.grad is not None
        assert not model.training
        model.zero_grad(set_to_none=True)


def test_an_absent_device_is_refused(folder: Path) -> None:
    with pytest.raises(ExplorerError, match=r"device: got 'cuda:99'; this machine has .*cpu; auto takes the first"):
        load_classifier("cifar10_resnet20", "cuda:99", folder=folder)


# Large photos

BOTH = pytest.mark.skipif(
    not (PHOTOS.is_dir() and any(BUILTIN.glob("*.json"))), reason="real photos or the built-in weights are absent"
)


@BOTH
def test_a_photo_decoded_no_larger_than_needed_is_named_as_before() -> None:
    classifier = load_classifier(device="cpu")
    for path in sorted(PHOTOS.iterdir())[::8]:
        with Image.open(path) as image:
            buffer = io.BytesIO()
            image.convert("RGB").resize((2400, 1800)).save(buffer, "JPEG", quality=90)
        whole_photo = classifier.classify(decode(buffer.getvalue()), top=10)
        scaled = classifier.classify_bytes(buffer.getvalue(), top=10)
        probabilities = dict(whole_photo.top)
        assert scaled.top[0][0] == whole_photo.top[0][0]
        assert dict(scaled.top) == pytest.approx(probabilities, abs=0.015)
        # Only classes that are as good as level may change places.
        for (name, _), (before, value) in zip(scaled.top[:5], whole_photo.top[:5], strict=True):
            assert name == before or abs(probabilities[name] - value) < 0.005


# Throughput


def test_throughput_is_measured_for_each_batch_size(folder: Path) -> None:
    classifier = load_classifier("cifar10_resnet20", "cpu", folder=folder)
    told: list[tuple[ThroughputPoint, ...]] = []
    points = throughput(classifier, (1, 4), seconds=0, on_progress=told.append)
    assert [point.batch for point in points] == [1, 4]
    assert told == [points[:1], points]
    for point in points:
        assert point.images_per_s == pytest.approx(point.batch / point.ms * 1000)
        assert point.device == "cpu"


def test_throughput_keeps_what_it_has_when_it_is_stopped(folder: Path) -> None:
    classifier = load_classifier("cifar10_resnet20", "cpu", folder=folder)
    told: list[tuple[ThroughputPoint, ...]] = []
    points = throughput(classifier, (1, 2, 4), seconds=0, on_progress=told.append, cancelled=lambda: len(told) == 1)
    assert [point.batch for point in points] == [1]
