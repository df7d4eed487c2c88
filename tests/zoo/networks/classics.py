"""Residual networks as papers have them, and their usual mistakes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import fails, right

IMAGE = (2, 3, 16, 16)


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)


class Basic(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int = 1, shortcut: str = "B") -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.way, self.stride, self.added = shortcut, stride, outputs - inputs
        if shortcut == "B" and (stride > 1 or inputs != outputs):
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "downsample"):
            x = self.downsample(x)
        elif self.way == "A":
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))
        return F.relu(out + x)


class ResNet(nn.Module):
    def __init__(self, shortcut: str = "B") -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 8), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.layer1, self.layer2 = Basic(8, 8), Basic(8, 16, 2, shortcut)
        self.fc = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.layer2(self.layer1(self.stem(x))), 1), 1))


@right(IMAGE, shortcuts=2)
def projected() -> nn.Module:
    return ResNet()


@right(IMAGE, shortcuts=2)
def zero_padded() -> nn.Module:
    return ResNet("A")


@fails(IMAGE, rule="missing-projection", says="layer2: channels 8 → 16, map 16×16 → 8×8")
def unprojected() -> nn.Module:
    return ResNet("")


class Chain(nn.Module):
    """A block whose branch is given."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module | None = None, channels: int = 8) -> None:
        super().__init__()
        self.stem, self.branch = conv(3, channels), branch
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.branch(x) + self.shortcut(x)


@right(IMAGE, shortcuts=1)
def bottleneck() -> nn.Module:
    return Chain(nn.Sequential(conv(8, 2, 1), conv(2, 2), conv(2, 8, 1)))


@right(IMAGE, shortcuts=1)
def grouped() -> nn.Module:
    return Chain(nn.Sequential(conv(8, 8, 1), conv(8, 8, groups=4), conv(8, 8, 1)))


@right(IMAGE, shortcuts=1)
def inverted() -> nn.Module:
    return Chain(nn.Sequential(conv(8, 48, 1), nn.ReLU6(), conv(48, 48, groups=48), nn.ReLU6(), conv(48, 8, 1)))


@right((2, 3, 15, 15), shortcuts=1)
def pooled_shortcut_rounds_up() -> nn.Module:
    shortcut = nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True), conv(8, 16, 1))
    return Chain(nn.Sequential(conv(8, 16, 3, 2), nn.BatchNorm2d(16)), shortcut)


@fails((2, 3, 15, 15), rule="odd-size")
def pooled_shortcut_rounds_down() -> nn.Module:
    shortcut = nn.Sequential(nn.AvgPool2d(2, 2), conv(8, 16, 1))
    return Chain(nn.Sequential(conv(8, 16, 3, 2), nn.BatchNorm2d(16)), shortcut)


@fails(IMAGE, rule="wrong-width")
def grouped_width() -> nn.Module:
    return Chain(nn.Sequential(conv(8, 12, 1), conv(8, 8, groups=4), conv(8, 8, 1)))


@fails(IMAGE, rule="wrong-expansion")
def expansion() -> nn.Module:
    return Chain(nn.Sequential(conv(8, 4, 1), conv(4, 4), conv(4, 16, 1)), conv(8, 8, 1))


@fails(IMAGE, rule="stride-differs")
def strides() -> nn.Module:
    return Chain(conv(8, 8, 3, 2), conv(8, 8, 1))


@fails(IMAGE, rule="padding-in-excess")
def pointwise_padding() -> nn.Module:
    return Chain(nn.Sequential(nn.Conv2d(8, 8, 1, padding=1), conv(8, 8)))


@fails(IMAGE)
def transposed_width() -> nn.Module:
    return Chain(nn.Sequential(conv(8, 8, 3, 2), nn.ConvTranspose2d(16, 8, 2, 2)))


class Reversible(nn.Module):
    """y₁ = x₁ + F(x₂), y₂ = x₂ + G(y₁) (Gomez et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.f, self.g = conv(4, 4), conv(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, 1)
        a = a + self.f(b)
        b = b + self.g(a)
        return torch.cat([a, b], 1)


@right((2, 8, 8, 8), shortcuts=2)
def reversible() -> nn.Module:
    return Reversible()


class RepVGG(nn.Module):
    """Three paths in one sum (Ding et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.three, self.one, self.bn = conv(8, 8), conv(8, 8, 1), nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.three(x) + self.one(x) + self.bn(x))


@right((2, 8, 8, 8), shortcuts=2)
def reparameterised() -> nn.Module:
    return RepVGG()


class ConvNeXt(nn.Module):
    """Channels last inside the branch (Liu et al. 2022)."""

    def __init__(self, wide: int = 8, permutes: bool = True) -> None:
        super().__init__()
        self.depthwise, self.norm = nn.Conv2d(8, 8, 7, padding=3, groups=8), nn.LayerNorm(8)
        self.up, self.down, self.permutes = nn.Linear(8, 32), nn.Linear(32, wide), permutes

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(x).permute(0, 2, 3, 1)
        y = self.down(F.gelu(self.up(self.norm(y))))
        return x + (y.permute(0, 3, 1, 2) if self.permutes else y)


@right((2, 8, 6, 6), shortcuts=1)
def convnext() -> nn.Module:
    return ConvNeXt()


@fails((2, 8, 6, 6), rule="missing-projection", says="8 → 12")
def convnext_wider() -> nn.Module:
    return ConvNeXt(12)


@fails((2, 8, 6, 6), rule="axes-swapped", says="permute")
def convnext_without_permuting_back() -> nn.Module:
    return ConvNeXt(permutes=False)


class Mixer(nn.Module):
    """Mixes tokens through a transposition (Tolstikhin et al. 2021)."""

    def __init__(self, tokens: int = 16) -> None:
        super().__init__()
        self.patch, self.tokens, self.channels = nn.Conv2d(3, 8, 4, 4), nn.Linear(tokens, tokens), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(x.transpose(1, 2)).transpose(1, 2)
        return x + self.channels(x)


@right(IMAGE, shortcuts=2)
def mixer() -> nn.Module:
    return Mixer()


@fails((2, 3, 32, 32), rule="wrong-width", says="tokens takes 16 features")
def mixer_larger() -> nn.Module:
    return Mixer()


class Encoder(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int = 16, inner: int = 64, back: int = 16) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, back))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attend(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


@right((2, 9, 16), shortcuts=2)
def transformer() -> nn.Module:
    return Encoder()


@fails((2, 9, 16), rule="missing-projection", says="16 → 24")
def transformer_back() -> nn.Module:
    return Encoder(back=24)


@right((2, 16, 8, 8), shortcuts=0)
def squeeze_and_expand() -> nn.Module:
    class Fire(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.squeeze, self.one, self.three = conv(16, 4, 1), conv(4, 8, 1), conv(4, 8)

        def forward(self, x: Tensor) -> Tensor:
            x = self.squeeze(x)
            return torch.cat([self.one(x), self.three(x)], 1)

    return Fire()


class Res2(nn.Module):
    """Groups in a hierarchy (Gao et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(conv(4, 4) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        first, *others = x.split(4, 1)
        maps = [first]
        for layer, part in zip(self.convs, others, strict=True):
            maps.append(layer(part if len(maps) == 1 else part + maps[-1]))
        return torch.cat(maps, 1) + x


@right((2, 16, 8, 8))
def res2net() -> nn.Module:
    return Res2()


@right((2, 3, 12))
def wavenet() -> nn.Module:
    class Wave(nn.Module):
        """Gated, with skips that are summed (van den Oord et al. 2016)."""

        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv1d(3, 8, 1)
            self.layers = nn.ModuleList(nn.Conv1d(8, 16, 2, dilation=2**i) for i in range(3))
            self.skips = nn.ModuleList(nn.Conv1d(8, 4, 1) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            x, total = self.stem(x), torch.zeros(1)
            for i, (layer, skip) in enumerate(zip(self.layers, self.skips, strict=True)):
                a, b = layer(F.pad(x, (2**i, 0))).chunk(2, 1)
                y = a.tanh() * b.sigmoid()
                total, x = total + skip(y), x + y
            return total

    return Wave()


@fails(IMAGE, rule="wrong-width", says="channels takes 7 features")
def mixer_width() -> nn.Module:
    net = Mixer()
    net.channels = nn.Linear(7, 7)
    return net
