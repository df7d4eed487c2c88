"""Where in the generated file each module is made and run: line by line, for what a reader clicks."""

from __future__ import annotations

import pytest

from explorer.inspection import inspect
from explorer.network.codegen.places import Places
from explorer.spec import PRESETS, ResNetSpec
from tests.support.strategies import described

SMALL: dict[str, object] = {"depths": (2, 3), "widths": (8, 16), "stem": "cifar", "num_classes": 5, "image_size": 8}
NETWORKS: dict[str, dict[str, object]] = {
    "basic": {},
    "bottleneck": {"block": "bottleneck"},
    "preact": {"block": "preact_bottleneck"},
    "zero-pad": {"shortcut": "zero_pad"},
    "project everywhere": {"shortcut": "projection_all", "norm": "group"},
    "identity": {"shortcut": "identity"},
    "plain": {"shortcut": "none"},
    "no norm": {"norm": "none", "stem": "deep", "image_size": 32},
    "preact without norm": {"block": "preact_basic", "norm": "none"},
    "mixed": {"block": "preact_basic", "shortcut_overrides": {"layer1.1": "none", "layer2.0": "zero_pad"}},
}


def network(name: str) -> ResNetSpec:
    return described(**{**SMALL, **NETWORKS[name]})


def words(places: Places, lines: tuple[int, ...]) -> list[str]:
    text = places.text.splitlines()
    return [text[line - 1].strip() for line in lines]


def test_a_layer_of_a_block_is_made_and_called_in_its_class() -> None:
    places = Places(ResNetSpec())
    assert words(places, places.operation("layer3.1.conv2", "conv")) == [
        "self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)",
        "return self.bn2(self.conv2(out))",
    ]


def test_a_layer_that_is_called_twice_has_a_statement_for_each_call() -> None:
    places = Places(ResNetSpec())
    first, second = (words(places, places.operation("layer1.0.relu", "relu", nth)) for nth in (0, 1))
    assert first == ["self.relu = nn.ReLU()", "out = self.relu(self.bn1(self.conv1(x)))"]
    assert second == ["self.relu = nn.ReLU()", "return self.relu(self.branch(x) + shortcut)"]


def test_a_projection_s_layer_is_in_the_helper_and_in_its_block() -> None:
    places = Places(ResNetSpec())
    assert words(places, places.operation("layer2.0.downsample.1", "batch_norm")) == [
        "nn.BatchNorm2d(out_channels),",
        "self.downsample = downsample",
        "BasicBlock(64, 128, stride=2, downsample=projection(64, 128, stride=2)),",
        "shortcut = x if self.downsample is None else self.downsample(x)",
    ]


def test_zero_padding_is_in_its_own_forward() -> None:
    places = Places(network("zero-pad"))
    assert "return F.pad(x, (0, 0, 0, 0, 0, self.added))" in words(
        places, places.operation("layer2.0.downsample", "pad")
    )


def test_group_norm_leads_to_the_helper_that_chooses_the_groups() -> None:
    places = Places(network("project everywhere"))
    assert "def norm(channels: int) -> nn.GroupNorm:" in words(places, places.operation("layer1.0.bn1", "group_norm"))


def test_a_block_is_its_class_and_its_line_in_the_network() -> None:
    places = Places(PRESETS["resnet50"])
    head, *made = words(places, places.block("layer1.0"))
    assert head == "class Bottleneck(nn.Module):"
    assert "".join(made).startswith("Bottleneck(64, 64, 256")
    assert places.block("layer3.1") == places.block("layer3.5")
    assert words(places, places.stage("layer3")) == ["self.layer3 = nn.Sequential(", "x = self.layer3(x)"]
    assert places.stage("head") == ()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_operation_has_its_lines_and_they_name_its_layer(name: str) -> None:
    spec = network(name)
    places = Places(spec)
    for op in inspect(spec).trace.ops:
        if op.name == "input":
            continue
        lines = places.operation(op.path, op.name)
        assert lines, op.path
        layer = [part for part in op.path.split(".") if not part.isdigit()][-1:] or ["forward"]
        own = " ".join(words(places, lines))
        if op.name != "add" and not op.path.startswith("layer") and op.path:
            assert f"self.{layer[0]}" in own or layer[0] in ("conv1", "post"), (op.path, own)
        elif op.name == "add":
            assert "+" in own
        elif op.path.startswith("layer") and layer[0] != "downsample":
            assert f"self.{layer[0]}" in own, (op.path, own)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_block_has_its_own_line(name: str) -> None:
    spec = network(name)
    places = Places(spec)
    for plan in spec.blocks:
        _, *made = words(places, places.block(plan.path))
        assert str(plan.out_channels) in "".join(made)
