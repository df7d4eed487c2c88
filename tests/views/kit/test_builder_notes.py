"""What the builder says of depths and of blocks with a shortcut of their own."""

from __future__ import annotations

import re
from html import unescape

import pytest

from explorer.spec import PRESETS, ResNetSpec
from explorer.views.kit.builder_notes import depth_note, override_note


def words(html: str) -> str:
    return unescape(re.sub("<[^>]+>", "", html))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (PRESETS["resnet18"], ""),
        (PRESETS["resnet101"], ""),
        (PRESETS["cifar_resnet20"], ""),
        *[
            (
                PRESETS[name],
                "Depths 34 and 50 have the same stages, 3-4-6-3: basic blocks make it 34, "
                "bottleneck blocks make it 50.",
            )
            for name in ("resnet34", "resnet50")
        ],
        (
            ResNetSpec().with_(block="bottleneck"),
            "Depth 18 stands for 2-2-2-2 blocks. This network has 26 weighted layers: ResNet-26.",
        ),
        (
            PRESETS["resnet50"].with_(stem="deep"),
            "Depth 34 or 50 stands for 3-4-6-3 blocks. This network has 52 weighted layers: ResNet-52.",
        ),
    ],
)
def test_a_depth_that_is_not_the_number_of_layers_is_explained(spec: ResNetSpec, said: str) -> None:
    assert words(depth_note(spec)) == said


def test_blocks_with_a_shortcut_of_their_own_are_named() -> None:
    assert override_note(ResNetSpec()) == ""
    own = {"layer2.0": "zero_pad", "layer3.0": "projection", "layer4.0": "zero_pad"}
    spec = ResNetSpec().with_(shortcut="identity", shortcut_overrides=own)
    assert words(override_note(spec)) == (
        "3 blocks have their own shortcut instead of this mode: layer2.0, layer4.0 (A · zero-pad); layer3.0 "
        "(B · project on change). Clear"
    )
    one = ResNetSpec().with_(shortcut_overrides={"layer2.0": "identity"})
    assert words(override_note(one)).startswith("1 block has its own shortcut instead of this mode: layer2.0 (Identity")


def test_many_blocks_are_counted() -> None:
    own = {f"layer3.{i}": "projection_all" for i in range(1, 23)}
    spec = PRESETS["resnet101"].with_(shortcut_overrides=own)
    assert "layer3.6 and 16 more (C · project everywhere)" in words(override_note(spec))
