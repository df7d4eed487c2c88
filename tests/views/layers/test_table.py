"""The caption of the table of modules, counted in the network itself."""

from __future__ import annotations

import re

import pytest
from torch import nn

from explorer.inspection import inspect
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec
from explorer.views.layers.table import layers


def caption(html: str) -> str:
    return re.findall("<caption>(.*?)</caption>", html)[0]


@pytest.mark.parametrize(
    ("spec", "end"),
    [
        (PRESETS["resnet18"], " 3 more convolutions are in shortcuts."),
        (PRESETS["cifar_resnet20"], ""),
        (PRESETS["resnet50"], " 4 more convolutions are in shortcuts."),
        (
            PRESETS["resnet18"].with_(shortcut_overrides={"layer2.0": "none", "layer3.0": "none"}),
            " 1 more convolution is in shortcuts.",
        ),
    ],
)
def test_the_caption_tells_modules_from_weighted_layers(spec: ResNetSpec, end: str) -> None:
    weighted = [m for m in build(spec, device="meta").modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    said = caption(layers(inspect(spec)))
    assert said.endswith(
        f" modules, including those that only contain others. {spec.weighted_layers} are the weighted layers on the "
        f"main path: the convolutions and fc.{end}"
    )
    more = re.findall(r"(\d+) more convolution", said)
    assert spec.weighted_layers + (int(more[0]) if more else 0) == len(weighted)


def test_a_foreign_network_has_no_weighted_layers_to_name() -> None:
    report = inspect(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), (3, 8, 8))
    assert caption(layers(report)) == "2 modules, including those that only contain others."
