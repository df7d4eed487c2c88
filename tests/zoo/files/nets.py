"""Small networks that files of the zoo are of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.network import build
from explorer.spec import Block, ResNetSpec, Stem

CIFAR = ResNetSpec(depths=(1, 1), widths=(4, 8), stem=Stem.CIFAR, num_classes=5, image_size=16)
BOTTLENECK = ResNetSpec(depths=(1, 1), widths=(4, 8), block=Block.BOTTLENECK, num_classes=6, image_size=32)


def resnet() -> nn.Module:
    return build(CIFAR, seed=1)


def bottleneck() -> nn.Module:
    return build(BOTTLENECK, seed=1)


class Plain(nn.Module):
    """Two convolutions and a shortcut, without normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.branch = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        return self.fc(torch.relu(self.branch(x) + x).mean((2, 3)))


class Recurrent(nn.Module):
    """Two layers of a recurrent kind over (steps, batch, 6), in both directions, and a classifier."""

    def __init__(self, kind: type[nn.LSTM] | type[nn.GRU]) -> None:
        super().__init__()
        self.rnn, self.fc = kind(6, 8, num_layers=2, bidirectional=True), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.rnn(x)[0][-1])


def lstm() -> nn.Module:
    return Recurrent(nn.LSTM)


def gru() -> nn.Module:
    return Recurrent(nn.GRU)


class Mlp(nn.Module):
    """What dynamic quantisation is made for."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(12, 32), nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x)))


class Attention(nn.Module):
    """A transformer's layer over (1, 7, 8), with products of two paths."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out, self.norm = nn.Linear(8, 24), nn.Linear(8, 8), nn.LayerNorm(8)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).chunk(3, -1)
        return x + self.out((q @ k.transpose(1, 2) * 8**-0.5).softmax(-1) @ v)
