"""A sum with a parameter, a buffer or a constant."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import fails, right


class ViT(nn.Module):
    """Patches, a class token, positions, one block (Dosovitskiy et al. 2021)."""

    def __init__(self, positions: int = 65, side: int = 8, cls: bool = True) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 24, side, side)
        self.cls = nn.Parameter(torch.zeros(1, 1, 24)) if cls else None
        self.pos = nn.Parameter(torch.zeros(1, positions, 24))
        self.block = nn.TransformerEncoderLayer(24, 4, 48, batch_first=True, norm_first=True)
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        if self.cls is not None:
            x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1)
        return self.head(self.block(x + self.pos)[:, 0])


@right((2, 3, 64, 64), shortcuts=2)
def vit() -> nn.Module:
    return ViT()


@fails((1, 3, 96, 96), rule="constant-differs", says="65 tokens, 145 come")
def vit_larger() -> nn.Module:
    return ViT()


@fails((1, 3, 64, 64), rule="constant-differs", says="pos")
def vit_without_class_token() -> nn.Module:
    return ViT(cls=False)


@fails((1, 3, 64, 64), rule="constant-differs")
def vit_smaller_patches() -> nn.Module:
    return ViT(side=4)


class InPlace(ViT):
    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x += self.pos
        return self.head(x.mean(1))


@right((1, 3, 64, 64), shortcuts=0)
def positions_in_place() -> nn.Module:
    return InPlace(64)


@fails((1, 3, 96, 96), rule="constant-differs")
def positions_in_place_larger() -> nn.Module:
    return InPlace(64)


class Interpolated(ViT):
    """Positions are resized to the grid that comes."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x)
        grid = self.pos.view(1, 8, 8, 24).permute(0, 3, 1, 2)
        x = x + F.interpolate(grid, x.shape[2:], mode="bicubic")
        return self.head(x.mean((2, 3)))


@right((1, 3, 96, 96), shortcuts=0)
def positions_resized() -> nn.Module:
    return Interpolated(64)


class Bias(nn.Module):
    """(N, 1, H, W) + (1, 16, 1, 1), then a residual addition."""

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, 16, 1, 1))
        self.conv = nn.Conv2d(16, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.bias
        return x + self.conv(x)


@right((1, 1, 8, 8), shortcuts=1)
def bias_spreads_channels() -> nn.Module:
    return Bias()


@fails((1, 1, 8, 8), rule="missing-projection")
def bias_then_misfit() -> nn.Module:
    return Bias(24)


class Grid(nn.Module):
    """Coordinates that the network makes plus a flow that it reads (RAFT, Teed & Deng 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        _, _, h, w = x.shape
        ys, xs = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        coordinates = torch.stack([xs, ys]).float()[None].repeat(x.shape[0], 1, 1, 1).to(x.device)
        coordinates = coordinates + self.flow(x)
        return coordinates + self.flow(x)


@right((2, 3, 12, 10))
def coordinates() -> nn.Module:
    return Grid()


class Sinus(nn.Module):
    table: Tensor

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.embed, self.mix = nn.Embedding(50, 16), nn.Linear(16, 16)
        at, step = torch.arange(longest)[:, None], torch.exp(torch.arange(0, 16, 2) * (-math.log(1e4) / 16))
        table = torch.zeros(longest, 16)
        table[:, 0::2], table[:, 1::2] = torch.sin(at * step), torch.cos(at * step)
        self.register_buffer("table", table)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) + self.table[: tokens.shape[1]]
        return x + self.mix(x)


@right(torch.zeros(2, 12, dtype=torch.long), shortcuts=1)
def sinus() -> nn.Module:
    return Sinus(40)


@fails(torch.zeros(2, 12, dtype=torch.long), rule="constant-differs", says="8 tokens, 12 come")
def sinus_too_short() -> nn.Module:
    return Sinus(8)


class Scaled(nn.Module):
    """LayerScale (Touvron et al. 2021) of a map, channels first."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.conv, self.gamma = nn.Conv2d(3, 8, 3, padding=1), nn.Parameter(torch.ones(shape))
        self.branch = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x + self.gamma * self.branch(x)


@right((1, 3, 6, 6), shortcuts=1)
def layer_scale() -> nn.Module:
    return Scaled(8, 1, 1)


@fails((1, 3, 6, 6), rule="constant-differs", says="gamma")
def layer_scale_without_axes() -> nn.Module:
    return Scaled(8)


class Relative(nn.Module):
    """Attention with a bias for each pair of positions (Liu et al. 2021)."""

    index: Tensor

    def __init__(self, window: int) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, 2))
        grid = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        away = (grid[:, :, None] - grid[:, None, :]).permute(1, 2, 0) + window - 1
        self.register_buffer("index", away[..., 0] * (2 * window - 1) + away[..., 1])

    def forward(self, x: Tensor) -> Tensor:
        n, length, _ = x.shape
        q, k, v = self.qkv(x).view(n, length, 3, 2, 8).permute(2, 0, 3, 1, 4)
        bias = self.table[self.index.view(-1)].view(*self.index.shape, 2).permute(2, 0, 1)
        weights = (q @ k.transpose(-2, -1) / 8**0.5 + bias[None]).softmax(-1)
        return x + self.out((weights @ v).transpose(1, 2).reshape(n, length, 16))


@right((2, 16, 16), shortcuts=1)
def relative_positions() -> nn.Module:
    return Relative(4)


@fails((2, 25, 16), rule="constant-differs")
def relative_positions_of_another_window() -> nn.Module:
    return Relative(4)


class Masked(nn.Module):
    mask: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(16, 2, batch_first=True)
        self.register_buffer("mask", torch.full((9, 9), float("-inf")).triu(1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attend(x, x, x, attn_mask=self.mask[: x.shape[1], : x.shape[1]])[0]


@right((2, 9, 16), shortcuts=1)
def causal_mask() -> nn.Module:
    return Masked()


class Normalised(nn.Module):
    """Subtracts a mean image and divides by a deviation."""

    mean: Tensor
    std: Tensor

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))
        self.conv = nn.Conv2d(channels, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv((x - self.mean) / self.std)


@right((1, 3, 8, 8), shortcuts=0)
def normalised() -> nn.Module:
    return Normalised()


@fails((1, 4, 8, 8), rule="constant-differs", says="mean")
def normalised_by_another_image() -> nn.Module:
    return Normalised()
