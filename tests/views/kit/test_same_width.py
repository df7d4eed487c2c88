"""A basic block and a bottleneck at one width, against the blocks that PyTorch builds."""

from __future__ import annotations

import pytest
from torch import nn

from explorer.compat import torchvision
from explorer.spec import PRESETS
from explorer.views.kit import numbers
from explorer.views.kit.same_width import same_width

resnet = torchvision.models.resnet


def weights(block: nn.Module) -> int:
    return sum(value.numel() for value in block.parameters() if value.dim() == 4)


@pytest.mark.parametrize(
    ("preset", "groups", "base"), [("resnet50", 1, 64), ("resnext50_32x4d", 32, 4), ("wide_resnet50_2", 1, 128)]
)
def test_the_numbers_are_those_of_torchvisions_blocks(preset: str, groups: int, base: int) -> None:
    spec = PRESETS[preset]
    for plan in (spec.blocks[0], spec.blocks[-1]):
        channels = plan.out_channels
        basic = weights(resnet.BasicBlock(channels, channels))
        narrow = weights(resnet.Bottleneck(channels, channels // 4, groups=groups, base_width=base))
        words = same_width(spec, plan)
        assert f"From {channels} to {channels} channels, a basic block" in words
        assert f"has {numbers.count(basic)} parameters, and" in words
        assert words.endswith(
            f"has {numbers.count(narrow)}: {numbers.three_digits(basic / narrow)} times fewer, and MACs likewise."
        )
