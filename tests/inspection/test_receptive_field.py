"""Receptive fields against the support of a gradient: which input pixels move the one in the middle."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.inspection import inspect

pytestmark = pytest.mark.usefixtures("one_thread")

SIDE = 48


def conv(kernel: int = 3, stride: int = 1, padding: int | str = 0, **more: Any) -> nn.Conv2d:
    return nn.Conv2d(2, 2, kernel, stride, padding, **more)


class Applied(nn.Module):
    """Functions and layers, in order."""

    def __init__(self, *steps: object) -> None:
        super().__init__()
        self.steps = steps
        self.layers = nn.ModuleList(step for step in steps if isinstance(step, nn.Module))

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = step(x)  # type: ignore[operator]
        return x


NETWORKS: dict[str, nn.Module] = {
    "plain": Applied(conv(padding=1), conv(5, padding=2)),
    "explicit padding": Applied(lambda x: F.pad(x, (1, 1, 1, 1)), conv(), conv(5)),
    "reflection": Applied(nn.ReflectionPad2d(3), conv(7), conv(3, padding=1)),
    "replication": Applied(nn.ReplicationPad2d(2), conv(5), conv(3, 2, 1)),
    "circular": Applied(conv(5, padding=2, padding_mode="circular")),
    "reflecting convolution": Applied(conv(5, padding=2, padding_mode="reflect"), conv(3)),
    "same, even kernel": Applied(conv(4, padding="same"), conv(3, padding=1)),
    "strides": Applied(conv(3, 2, 1), conv(3, 2, 1), conv(3, 1, 1)),
    "dilation": Applied(conv(3, padding=2, dilation=2), conv(3, padding=4, dilation=4)),
    "pooling": Applied(conv(padding=1), nn.MaxPool2d(2), conv(padding=1)),
    "channels last": Applied(
        conv(5, padding=2),
        lambda x: x.permute(0, 2, 3, 1),
        nn.Linear(2, 2),
        nn.GELU(),
        lambda x: x.permute(0, 3, 1, 2),
        conv(3, padding=1),
    ),
    "permuted input": Applied(lambda x: x.permute(0, 2, 3, 1).permute(0, 3, 1, 2), conv(5), conv(7)),
    "tokens and back": Applied(
        conv(5, padding=2),
        lambda x: x.flatten(2).transpose(1, 2),
        nn.Linear(2, 2),
        lambda x: x.transpose(1, 2).reshape(1, 2, SIDE, SIDE),
        conv(3, padding=1),
    ),
    "subsampled": Applied(conv(padding=1), lambda x: x[:, :, ::2, ::2], conv(padding=1)),
    "nearest": Applied(conv(3, 2, 1), lambda x: F.interpolate(x, scale_factor=2), conv(5, padding=2)),
    "adaptive": Applied(conv(3, padding=1), nn.AdaptiveAvgPool2d(SIDE // 4), conv(3, padding=1)),
    "unshuffle": Applied(nn.PixelUnshuffle(2), nn.Conv2d(8, 4, 3, padding=1)),
    "gated": Applied(conv(5, padding=2), lambda x: x * x.mean((2, 3), keepdim=True).detach().sigmoid(), conv(3)),
    "residual": Applied(lambda x: x, conv(3, padding=1), lambda x: x + F.avg_pool2d(x, 5, 1, 2)),
}


def support(net: nn.Module) -> int:
    """The widest window of input pixels that move one output pixel near the middle."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(0.1)
    found = 0
    for offset in range(4):
        x = torch.rand(1, 2, SIDE, SIDE, requires_grad=True)
        y = net(x)
        middle = y.shape[-1] // 2 + offset - 2
        y[:, :, middle, middle].sum().backward()
        assert x.grad is not None
        rows = x.grad.abs().sum((0, 1, 3)).nonzero()[:, 0]
        found = max(found, int(rows.max() - rows.min()) + 1)
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_field_is_the_support_of_a_gradient(name: str):
    net = NETWORKS[name].eval()
    report = inspect(net, (2, SIDE, SIDE))
    assert report.findings == ()
    field = report.receptive_field
    assert field is not None
    averaging = Applied(*(nn.AvgPool2d(2) if isinstance(step, nn.MaxPool2d) else step for step in net.steps))  # type: ignore[union-attr]
    assert field.size == support(averaging)


CANNOT_BE_TOLD: dict[str, nn.Module] = {
    "rolled": Applied(conv(padding=1), lambda x: x.roll(4, 2), conv(padding=1)),
    "cut into windows": Applied(
        conv(padding=1),
        lambda x: x.view(1, 2, SIDE // 4, 4, SIDE // 4, 4).permute(0, 2, 4, 1, 3, 5).reshape(-1, 2, 4, 4),
        conv(padding=1),
    ),
}


@pytest.mark.parametrize("name", CANNOT_BE_TOLD)
def test_what_cannot_be_told_is_no_number(name: str):
    assert inspect(CANNOT_BE_TOLD[name], (2, SIDE, SIDE)).receptive_field is None


def test_behind_global_pooling_the_last_map_counts():
    net = Applied(conv(5), conv(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    field = inspect(net, (2, SIDE, SIDE)).receptive_field
    assert field is not None
    assert field.size == 7
