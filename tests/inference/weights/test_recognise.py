"""Networks read from names and shapes alone: torchvision's, every preset, random specs, other people's names."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings

from explorer.compat import torchvision
from explorer.inference.weights.infer import Shapes
from explorer.inference.weights.recognise import nearest_preset, network_shapes, recognise
from explorer.spec import PRESETS, Block, Norm, ResNetSpec, Shortcut, Stem, ZeroPlacement
from tests.support.strategies import specs

RESNET18 = network_shapes(PRESETS["resnet18"])
RESNET20 = network_shapes(PRESETS["cifar_resnet20"])
SHARED = [name for name in PRESETS if name in torchvision.models.list_models(module=torchvision.models)]


def renamed(shapes: Shapes, prefix: str = "", **changes: str) -> dict[str, tuple[int, ...]]:
    """The shapes under other names."""
    found = {}
    for name, shape in shapes.items():
        for old, new in changes.items():
            name = name.replace(f"{old}.", f"{new}.")
        found[prefix + name] = shape
    return found


def without(shapes: Shapes, *parts: str) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes.items() if not any(part in name for part in parts)}


@pytest.mark.parametrize("name", SHARED)
def test_torchvisions_networks_are_recognised(name: str) -> None:
    with torch.device("meta"):
        state = getattr(torchvision.models, name)().state_dict()
    found = recognise({key: tuple(tensor.shape) for key, tensor in state.items()})
    assert found.spec == PRESETS[name]
    assert found.names == {key: key for key in state}
    assert found.notes == ()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_recognised(name: str) -> None:
    assert recognise(network_shapes(PRESETS[name])).spec == PRESETS[name]


@settings(max_examples=300)
@given(specs())
def test_what_is_recognised_has_the_same_names_and_shapes(spec: ResNetSpec) -> None:
    shapes = network_shapes(spec)
    found = recognise(shapes)
    assert found.spec is not None
    assert network_shapes(found.spec) == shapes
    assert list(found.names.values()) == list(shapes)
    told = ("depths", "widths", "groups", "stem", "norm", "in_channels", "num_classes")
    assert all(getattr(found.spec, name) == getattr(spec, name) for name in told)
    if spec.norm is not Norm.NONE:
        assert found.spec.block is spec.block


def test_whatever_projects_is_told_block_by_block() -> None:
    spec = PRESETS["resnet18"].with_(shortcut_overrides={"layer2.0": "zero_pad", "layer3.1": "projection_all"})
    assert recognise(network_shapes(spec)).spec == spec
    everywhere = PRESETS["resnet18"].with_(
        shortcut=Shortcut.PROJECTION_ALL, shortcut_overrides={"layer1.1": "identity"}
    )
    assert recognise(network_shapes(everywhere)).spec == everywhere


@pytest.mark.parametrize(
    ("shapes", "notes"),
    [
        (renamed(RESNET18, "module."), ["The prefix “module.” was taken off the names in the file."]),
        (renamed(RESNET18, "module.model."), ["The prefix “module.model.” was taken off the names in the file."]),
        (
            renamed(RESNET18, downsample="shortcut", fc="linear"),
            [
                "“shortcut” in the file is “downsample” here: the projection on a shortcut.",
                "“linear” in the file is “fc” here: the classifier.",
            ],
        ),
        (
            {**renamed(without(RESNET18, "fc."), "backbone."), "head.fc.weight": (1000, 512), "head.fc.bias": (1000,)},
            [
                "The prefix “backbone.” was taken off the names in the file.",
                "“head.fc” in the file is “fc” here: the classifier.",
            ],
        ),
        (
            {
                **renamed(without(RESNET18, "fc."), "module.net."),
                **{"module.classifier.weight": (1000, 512), "module.classifier.bias": (1000,)},
            },
            [
                "The prefix “module.net.” was taken off the names in the file.",
                "“classifier” in the file is “fc” here: the classifier.",
            ],
        ),
    ],
)
def test_other_names_are_mapped_and_said(shapes: Shapes, notes: list[str]) -> None:
    found = recognise(shapes)
    assert found.spec == PRESETS["resnet18"]
    assert list(found.notes) == notes
    assert {found.names[name]: shape for name, shape in shapes.items()} == RESNET18


def test_the_transformers_librarys_names_are_mapped() -> None:
    names = {"conv1": "embedder.embedder.convolution", "bn1": "embedder.embedder.normalization", "fc": "classifier.1"}
    shapes = {}
    for name, shape in network_shapes(PRESETS["resnet50"]).items():
        stage, block, *layer, last = name.split(".") if name.startswith("layer") else ("", "", name.split(".")[0], name)
        if stage:
            kinds = {"conv": "convolution", "bn": "normalization"}
            part = (
                f"shortcut.{('convolution', 'normalization')[int(layer[1])]}"
                if layer[0] == "downsample"
                else f"layer.{int(layer[0][-1]) - 1}.{kinds[layer[0][:-1]]}"
            )
            shapes[f"resnet.encoder.stages.{int(stage[5:]) - 1}.layers.{block}.{part}.{last}"] = shape
        else:
            prefix = "" if layer[0] == "fc" else "resnet."
            shapes[prefix + name.replace(layer[0], names[layer[0]], 1)] = shape
    found = recognise(shapes)
    assert found.spec == PRESETS["resnet50"]
    assert found.notes[0] == "The names are those of the transformers library; each was mapped to torchvision's."


def test_a_second_classifier_is_left_over() -> None:
    found = recognise({**RESNET18, "linear.weight": (1000, 512)})
    assert (found.spec, found.left_over, found.has_head) == (PRESETS["resnet18"], ("linear.weight",), True)
    assert found.notes == ("Left over, and not part of this network: 'linear' (1 tensor).",)


def test_a_body_is_recognised_and_what_it_lacks_is_said() -> None:
    shapes = renamed(without(RESNET18, "fc."), "module.encoder_q.")
    head = {f"module.encoder_q.fc.{place}.weight": (512, 512) for place in (0, 2)}
    found = recognise({**shapes, **head, "module.queue": (128, 9)})
    assert (found.spec, found.has_head) == (PRESETS["resnet18"], False)
    assert found.left_over == (*head, "module.queue")
    assert found.notes == (
        "The prefix “module.encoder_q.” was taken off the names in the file.",
        "The file has no classifier of this network: it is its body. The builder draws it with a classifier of 1,000 "
        "classes. It cannot classify photos.",
        "Left over, and not part of this network: 'fc' (2 tensors), 'queue' (1 tensor).",
    )
    assert found.sentences()[0].startswith("Recognised from names and shapes: the body of ResNet-18 (resnet18): basic")
    assert "; no classifier." in found.sentences()[0]


def test_statistics_that_were_not_saved_are_not_told_as_group_normalisation_alone() -> None:
    found = recognise(without(RESNET18, "running_", "num_batches"))
    assert found.spec == PRESETS["resnet18"].with_(norm=Norm.GROUP)
    assert "and of batch normalisation whose statistics were not saved" in found.unknown["norm"]
    assert "; group norm, or batch norm without statistics; " in found.sentences()[0]


def test_zeros_of_the_cifar_nets_by_idelbayev_go_half_on_each_side() -> None:
    port = recognise(renamed(without(RESNET20, "num_batches"), "module.", fc="linear"))
    assert port.spec == PRESETS["cifar_resnet20"].with_(zero_pad=ZeroPlacement.SPLIT)
    assert "half on each side is assumed, as in akamaster/pytorch_resnet_cifar10" in port.unknown["zero_pad"]
    assert "option A, zero-padded, is assumed" in port.unknown["shortcut"]
    other = recognise(RESNET20)
    assert other.spec == PRESETS["cifar_resnet20"]
    assert "after the channels is assumed" in other.unknown["zero_pad"]
    chosen = other.spec.with_(zero_pad=ZeroPlacement.SPLIT)
    assert other.unknown["zero_pad"] in other.sentences()
    assert other.unknown["zero_pad"] not in other.sentences(chosen)


@pytest.mark.parametrize(
    ("spec", "unknown"),
    [
        (PRESETS["resnet18"], {"activation", "image_size", "init"}),
        (PRESETS["resnet50"], {"activation", "image_size", "init", "stride_on"}),
        (PRESETS["cifar_resnet20"], {"activation", "image_size", "init", "shortcut", "zero_pad"}),
        (PRESETS["resnet18"].with_(norm=Norm.GROUP), {"activation", "image_size", "init", "norm"}),
        (PRESETS["resnet18"].with_(norm=Norm.NONE), {"activation", "image_size", "init", "block"}),
        (PRESETS["resnet18"].with_(depths=(2,), widths=(64,)), {"activation", "image_size", "init", "shortcut"}),
    ],
)
def test_what_weights_do_not_tell_is_said(spec: ResNetSpec, unknown: set[str]) -> None:
    assert recognise(network_shapes(spec)).unknown.keys() == unknown


def test_v1_and_v1_5_are_said_to_be_undeterminable() -> None:
    v1 = recognise(network_shapes(PRESETS["resnet50"].with_(stride_on="v1")))
    assert v1.spec == PRESETS["resnet50"]
    assert "(v1) or its 3×3 (v1.5) is undeterminable from weights: v1.5" in v1.unknown["stride_on"]


def test_the_network_is_told_in_one_sentence() -> None:
    spec = PRESETS["resnext50_32x4d"].with_(num_classes=7, in_channels=1, stem=Stem.DEEP)
    assert recognise(network_shapes(spec)).sentences()[0] == (
        "Recognised from names and shapes: ResNet-52: bottleneck blocks 3-4-6-3; widths 64, 128, 256, 512; "
        "32 groups × 4; stem Deep 3×3×3 + pool; batch norm; shortcut B · project on change; 1 input channel; 7 classes."
    )


def test_the_nearest_preset_and_ten_differences_are_told() -> None:
    shapes = {**network_shapes(PRESETS["resnet50"]), **{f"layer1.{i}.se.fc1.weight": (16, 256, 1, 1) for i in range(3)}}
    found = recognise(shapes)
    assert found.spec is None
    assert found.nearest == PRESETS["resnet50"]
    assert found.sentences() == (
        "These weights do not match any network of this program. The nearest is ResNet-50 (resnet50); it differs in:",
        "'layer1.0.se.fc1.weight': expected nothing, got 16×256×1×1",
        "'layer1.1.se.fc1.weight': expected nothing, got 16×256×1×1",
        "'layer1.2.se.fc1.weight': expected nothing, got 16×256×1×1",
    )
    holed = recognise(without(RESNET18, "fc.", "layer3.0.bn", "layer3.1.bn"))
    assert holed.spec is None
    assert holed.nearest == PRESETS["resnet18"]
    assert holed.sentences()[11] == f"… and {len(holed.differences) - 10} more"


def test_a_network_between_the_presets_is_nearer_than_any() -> None:
    spec = ResNetSpec(depths=(1, 2, 1), widths=(24, 48, 96), block=Block.PREACT_BASIC, num_classes=5)
    shapes = network_shapes(spec)
    del shapes["layer2.1.bn1.bias"]
    found = recognise(shapes)
    assert found.nearest == recognise(network_shapes(spec)).spec
    assert found.differences == ("'layer2.1.bn1.bias': expected 48, got nothing",)


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {"w": (3,)},
        {"layer1.0.conv1.weight": ()},
        {"conv1.weight": (0, 0, 0, 0), "layer1.0.conv1.weight": (0, 0, 3, 3), "layer1.0.conv2.weight": (0, 0, 3, 3)},
        {name: (2**31,) * len(shape) for name, shape in RESNET18.items()},
        {name: (0,) * len(shape) for name, shape in network_shapes(PRESETS["resnet50"]).items()},
        {f"layer1.{i}.conv1.weight": (64, 64, 3, 3) for i in range(10_000)},
        {f"layer{i}.0.conv1.weight": (64, 64, 3, 3) for i in range(1, 5000)},
        {"module." * 2000 + "layer1.0.conv1.weight": (64, 64, 3, 3)},
    ],
)
def test_other_networks_have_no_nearest_preset(shapes: Shapes) -> None:
    found = recognise(shapes)
    assert (found.spec, found.nearest) == (None, None)
    assert found.sentences()[0] == "These weights do not match any network of this program, and none is similar."


def test_the_nearest_preset_survives_missing_batch_counts() -> None:
    assert nearest_preset(without(RESNET20, "num_batches")) == "cifar_resnet20"
