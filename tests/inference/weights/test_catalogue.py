"""The catalogue says what torchvision's metadata and the built-in nets' side files say, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.compat import torchvision
from explorer.errors import WeightsError
from explorer.inference.transform import Transform
from explorer.inference.weights import catalogue
from explorer.inference.weights.catalogue import Variant, find, is_cached, variants
from explorer.inference.weights.measurements import ConfidenceGap, PhotoScore
from explorer.spec import PRESETS
from explorer.spec.budget import estimate
from tests.support.paths import ROOT
from tests.support.weight_server import CIFAR, built_in, variant_of

NO_FOLDER = ROOT / "tests" / "no such folder"


def published() -> dict[str, Any]:
    """torchvision's weights, by our names."""
    models = torchvision.models
    return {
        f"{name}.{weights.name}": weights
        for name in PRESETS
        if name in models.list_models(module=models)
        for weights in models.get_model_weights(name)
    }


def from_torchvision() -> tuple[Variant, ...]:
    return tuple(variant for variant in variants(NO_FOLDER) if variant not in catalogue.THIRD_PARTY)


def test_all_weights_of_torchvisions_resnets_are_there() -> None:
    names = [variant.name for variant in from_torchvision()]
    assert len(names) == len(set(names)) >= 17
    assert set(names) == set(published())
    assert "wide_resnet101_2.IMAGENET1K_V2" in names


@pytest.mark.parametrize("variant", from_torchvision(), ids=lambda variant: variant.name)
def test_a_variant_is_what_torchvision_publishes(variant: Variant) -> None:
    weights = published()[variant.name]
    assert variant.file.source == weights.url
    assert weights.url.endswith(f"{variant.file.file_name}")
    assert variant.file.file_name.endswith(f"-{variant.file.sha256}.pth")
    assert variant.classes == tuple(weights.meta["categories"])
    assert {"acc@1": variant.top1, "acc@5": variant.top5} == weights.meta["_metrics"][variant.dataset]
    assert variant.file.size_bytes / 2**20 == pytest.approx(weights.meta["_file_size"], abs=1e-6)
    assert not variant.file.builtin
    assert "BSD-3" in variant.licence


@pytest.mark.parametrize("variant", from_torchvision(), ids=lambda variant: variant.name)
def test_a_variants_spec_has_its_parameters_and_macs(variant: Variant) -> None:
    params, macs = estimate(variant.spec)
    assert params == variant.params
    assert macs / 1e9 == pytest.approx(variant.gmacs, abs=5e-4)
    assert len(variant.classes) == variant.spec.num_classes == 1000


def test_titles() -> None:
    titles = {variant.name: variant.title for variant in from_torchvision()}
    assert titles["resnet50.IMAGENET1K_V2"] == "ResNet-50 (V2)"
    assert titles["resnext101_64x4d.IMAGENET1K_V1"] == "ResNeXt-101 64×4d (V1)"


def test_v1_and_v2_resize_differently_and_say_so() -> None:
    sizes = {name: find(f"resnet50.IMAGENET1K_{name}", NO_FOLDER).transform.resize for name in ("V1", "V2")}
    assert sizes == {"V1": 256, "V2": 232}
    assert find("resnet50.IMAGENET1K_V2", NO_FOLDER).transform.sentence == (
        "The shorter side is resized to 232 px (bilinear, antialiased), the central 224×224 px are kept, and "
        "each channel is normalised with mean 0.485, 0.456, 0.406 "
        "and standard deviation 0.229, 0.224, 0.225 (R, G, B)."
    )


def test_a_networks_name_alone_is_its_best_weights() -> None:
    for name in ("resnet18", "resnet50", "wide_resnet50_2"):
        default = torchvision.models.get_model_weights(name).DEFAULT
        assert find(name, NO_FOLDER).file.source == default.url


def test_an_unknown_name_gets_those_near_it() -> None:
    with pytest.raises(WeightsError, match="no pretrained network is named 'resnet5O'; near it: resnet50"):
        find("resnet5O", NO_FOLDER)
    with pytest.raises(WeightsError, match="near it: resnet18"):
        find("\x00" * 100_000, NO_FOLDER)


def test_variants_are_cached_values() -> None:
    assert variants(NO_FOLDER) is variants(NO_FOLDER)
    assert len({*variants(NO_FOLDER)}) == len(variants(NO_FOLDER))


# Built-in nets


def test_a_built_in_net_is_read_from_its_side_file(tmp_path: Path) -> None:
    built_in(tmp_path)
    variant = variants(tmp_path)[0]
    assert (variant.name, variant.title) == ("cifar10_resnet20", "CIFAR-10 ResNet-20")
    assert variant.file.builtin
    assert variant.file.source == tmp_path / "cifar10_resnet20.safetensors"
    assert variant.file.file_name == "cifar10_resnet20.safetensors"
    assert variant.spec == PRESETS["cifar_resnet20"]
    assert variant.params == 269_722
    assert variant.gmacs == pytest.approx(0.0406, abs=1e-4)
    assert (variant.top1, variant.top5) == (83.1, None)
    assert variant.dataset == "CIFAR-10 test (JPEG archive)"
    assert variant.file.size_bytes == (tmp_path / "cifar10_resnet20.safetensors").stat().st_size
    assert variant.transform == Transform(32, 32, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
    assert variant.note == (
        "This network sees 32×32 pixels and knows 10 classes: whatever the photo shows, it names one of them."
    )
    assert len(variants(tmp_path)) == 1 + len(variants(NO_FOLDER))
    assert find("cifar10_resnet20", tmp_path) is variant


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"classes": ["cat", "dog"]}, "cifar10_resnet20.json, .*, is unusable: 2 class names for 10 classes"),
        ({"spec": {"depths": [0]}}, r"unusable: depths\[0\]: got 0"),
        ({"sha256": ""}, "unusable: sha256: got ''; at least eight"),
        (
            {"transform": {"resize": 32, "crop": 40, "mean": [0, 0, 0], "std": [1, 1, 1]}},
            "crop: got 40; 1 to resize=32",
        ),
        ({"transform": {"resize": 32, "crop": 32, "mean": [0, 0, 0], "std": [1, 0, 1]}}, "std above 0"),
        ({"transform": None}, "unusable"),
    ],
)
def test_a_side_file_that_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    built_in(tmp_path, **changes)
    with pytest.raises(WeightsError, match=match) as error:
        variants(tmp_path)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"spec": {}}', "\udcff"])
def test_a_side_file_that_is_incomplete_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "net.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(WeightsError, match=r"net\.json, which describes built-in weights, is unusable"):
        find("net", tmp_path)


def test_every_field_of_a_side_file_is_needed(tmp_path: Path) -> None:
    built_in(tmp_path)
    path = tmp_path / "cifar10_resnet20.json"
    data = json.loads(path.read_text())
    for name in data:
        path.write_text(json.dumps({key: value for key, value in data.items() if key != name}))
        with pytest.raises(WeightsError, match=f"'{name}' is missing"):
            find("cifar10_resnet20", tmp_path)


def test_cached_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("RESNET_EXPLORER_MIRROR", raising=False)
    variant = variant_of(b"data", "https://weights.invalid/small-net.pth")
    assert not is_cached(variant)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "small-net.pth").write_bytes(b"data")
    assert is_cached(variant)
    assert not is_cached(variant_of(b"", tmp_path / "absent.safetensors"))


def test_what_was_measured_is_kept_as_numbers() -> None:
    variant = find("cifar10_resnet20")
    assert variant.confidence_gap == ConfidenceGap(0.023868215585684215, 0.008370345941415348, 1000)
    assert variant.photos == PhotoScore(known=21, top1=14, top5=21, others=75, set_apart=48, unfamiliar=5)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"calibration": {"temperature": 1.1}}, "'error_before' is missing"),
        ({"photos": {"seen": 3}}, "unusable: .*seen"),
    ],
)
def test_measurements_that_are_incomplete_are_named(tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    built_in(tmp_path, **changes)
    with pytest.raises(WeightsError, match=match):
        find("cifar10_resnet20", tmp_path)


# Others' weights


def test_weights_of_a_third_party_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    own = variant_of(b"data", "https://weights.invalid/small-net.pth", name="small_net")
    monkeypatch.setattr(catalogue, "THIRD_PARTY", (own,))
    variants.cache_clear()
    try:
        assert find("small_net", NO_FOLDER) is own
        assert variants(NO_FOLDER)[-1] is own
    finally:
        variants.cache_clear()


def test_third_party_weights_are_named_as_no_others_are() -> None:
    assert len({variant.name for variant in variants()}) == len(variants())
    for variant in catalogue.THIRD_PARTY:
        assert variant.file.source == str(variant.file.source), "a URL"
        assert len(variant.classes) == variant.spec.num_classes
        assert variant.params == estimate(variant.spec)[0]
        assert variant.licence


# Imports


def test_importing_waits_for_nothing_heavy() -> None:
    code = (
        "import sys, explorer.inference; assert 'torch' not in sys.modules;"
        "import explorer.inference.weights.catalogue; assert 'explorer.inference.images.decode' not in sys.modules;"
        "import explorer.inference.classifier; assert 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)


def test_the_index_has_what_it_lists() -> None:
    from explorer import inference

    assert all(getattr(inference, name) is not None for name in inference.__all__)
    assert {*inference.__all__} <= {*dir(inference)}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        inference.nothing  # noqa: B018


def test_a_transform_normalises() -> None:
    from PIL import Image

    seen = CIFAR(Image.new("RGB", (64, 48), (255, 0, 51)))
    assert seen.image.size == (32, 32)
    assert seen.tensor.shape == (3, 32, 32)
    assert torch.allclose(seen.tensor[:, 0, 0], torch.tensor([2.0, -2.0, -1.2]))
