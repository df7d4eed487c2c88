"""Encoders whose maps meet again: concatenations, pyramids, upsampling."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import fails, right


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2), nn.ReLU())


class UNet(nn.Module):
    """Two levels (Ronneberger et al. 2015), padded."""

    def __init__(self, upsample: str = "transposed", *, resize: bool = False, skip: int = 8) -> None:
        super().__init__()
        self.resize = resize
        self.down1, self.down2, self.bottom = conv(3, 8), conv(8, 16), conv(16, 32)
        if upsample == "transposed":
            self.up2: nn.Module = nn.ConvTranspose2d(32, 16, 2, 2)
            self.up1: nn.Module = nn.ConvTranspose2d(16, skip, 2, 2)
        else:
            self.up2 = nn.Sequential(nn.Upsample(scale_factor=2, mode=upsample), nn.Conv2d(32, 16, 1))
            self.up1 = nn.Sequential(nn.Upsample(scale_factor=2, mode=upsample), nn.Conv2d(16, skip, 1))
        self.merge2, self.merge1, self.head = conv(32, 16), conv(16, 8), nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.down1(x)
        two = self.down2(F.max_pool2d(one, 2))
        x = self.up2(self.bottom(F.max_pool2d(two, 2)))
        x = self.merge2(self._joined(two, x))
        return self.head(self.merge1(self._joined(one, self.up1(x))))

    def _joined(self, skip: Tensor, x: Tensor) -> Tensor:
        if self.resize:
            x = F.interpolate(x, skip.shape[2:])
        return torch.cat([skip, x], 1)


@right((1, 3, 32, 32), shortcuts=0)
def unet() -> nn.Module:
    return UNet()


@right((1, 3, 32, 36), shortcuts=0)
def unet_bilinear() -> nn.Module:
    return UNet("bilinear")


@right((1, 3, 35, 53), shortcuts=0)
def unet_resizes() -> nn.Module:
    return UNet(resize=True)


@fails((1, 3, 35, 52), rule="concat-differs", says="multiple of 4")
def unet_odd() -> nn.Module:
    return UNet()


@fails((1, 3, 34, 34), rule="concat-differs", says="17")
def unet_odd_below() -> nn.Module:
    return UNet()


@fails((1, 3, 35, 35), rule="concat-differs", says="interpolate")
def unet_bilinear_odd() -> nn.Module:
    return UNet("nearest")


@fails((1, 3, 32, 32), rule="wrong-width", says="merge1.0 takes 16 channels")
def unet_narrow_skip() -> nn.Module:
    return UNet(skip=6)


class AddedSkips(nn.Module):
    """A decoder that adds its skips (LinkNet, Chaurasia & Culurciello 2017)."""

    def __init__(self, kernel: int = 3, padding: int = 1, output_padding: int = 1) -> None:
        super().__init__()
        self.one, self.two, self.three = conv(3, 8), conv(8, 8, 3, 2), conv(8, 8, 3, 2)
        self.up2 = nn.ConvTranspose2d(8, 8, kernel, 2, padding, output_padding)
        self.up1 = nn.ConvTranspose2d(8, 8, kernel, 2, padding, output_padding)

    def forward(self, x: Tensor) -> Tensor:
        one = self.one(x)
        two = self.two(one)
        x = self.up2(self.three(two)) + two
        return self.up1(x) + one


@right((1, 3, 32, 32), shortcuts=2)
def linknet() -> nn.Module:
    return AddedSkips()


@right((1, 3, 32, 32), shortcuts=2)
def linknet_of_four() -> nn.Module:
    return AddedSkips(4, 1, 0)


@fails((1, 3, 32, 32), says="output_padding")
def linknet_without_output_padding() -> nn.Module:
    return AddedSkips(output_padding=0)


@fails((1, 3, 33, 33), rule="odd-size", says="33")
def linknet_odd() -> nn.Module:
    return AddedSkips()


@fails((1, 3, 32, 32), says="too large")
def linknet_kernel() -> nn.Module:
    return AddedSkips(4, 0, 0)


class Hourglass(nn.Module):
    """Pools and upsamples, and adds (Newell et al. 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.skip, self.low, self.inner = conv(3, 8), conv(3, 8), conv(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        low = self.inner(self.low(F.max_pool2d(x, 2)))
        return self.skip(x) + F.interpolate(low, scale_factor=2)


@right((1, 3, 16, 16), shortcuts=1)
def hourglass() -> nn.Module:
    return Hourglass()


@fails((1, 3, 65, 65), rule="odd-size", says="65→32→64")
def hourglass_odd() -> nn.Module:
    return Hourglass()


class Pyramid(nn.Module):
    """Top-down additions (Lin et al. 2017)."""

    def __init__(self, *, to_size: bool, lateral: int = 8) -> None:
        super().__init__()
        self.to_size = to_size
        self.c2, self.c3, self.c4 = conv(3, 8, 3, 2), conv(8, 16, 3, 2), conv(16, 32, 3, 2)
        self.p4, self.p3, self.p2 = nn.Conv2d(32, 8, 1), nn.Conv2d(16, lateral, 1), nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        c2 = self.c2(x)
        c3 = self.c3(c2)
        p4 = self.p4(self.c4(c3))
        p3 = self.p3(c3) + self._up(p4, c3)
        return self.p2(c2) + self._up(p3, c2), p3, p4

    def _up(self, x: Tensor, like: Tensor) -> Tensor:
        return F.interpolate(x, like.shape[2:]) if self.to_size else F.interpolate(x, scale_factor=2)


@right((1, 3, 61, 47))
def pyramid() -> nn.Module:
    return Pyramid(to_size=True)


@right((1, 3, 64, 32))
def pyramid_by_factor() -> nn.Module:
    return Pyramid(to_size=False)


@fails((1, 3, 60, 60), says="15→8→16")
def pyramid_odd() -> nn.Module:
    return Pyramid(to_size=False)


@fails((1, 3, 64, 64), rule="wrong-width", says="12 channels")
def pyramid_narrow() -> nn.Module:
    return Pyramid(to_size=True, lateral=12)


class Inception(nn.Module):
    """Four paths side by side (Szegedy et al. 2015)."""

    def __init__(self, padding: int = 2, stride: int = 1) -> None:
        super().__init__()
        self.one, self.three, self.five = nn.Conv2d(8, 4, 1), conv(8, 4), nn.Conv2d(8, 4, 5, padding=padding)
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride, 1), nn.Conv2d(8, 4, 1))
        self.out = nn.Conv2d(16, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)) + x


@right((1, 8, 8, 8), shortcuts=1)
def inception() -> nn.Module:
    return Inception()


@fails((1, 8, 8, 8), rule="concat-differs", says="five")
def inception_padding() -> nn.Module:
    return Inception(1)


@fails((1, 8, 8, 8), rule="concat-differs", says="pool")
def inception_stride() -> nn.Module:
    return Inception(stride=2)


class Dense(nn.Module):
    """Concatenates what came before (Huang et al. 2017)."""

    def __init__(self, growth: int = 4, miscounts: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv(8 + i * growth - miscounts * (i == 2), growth) for i in range(3))

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self.layers:
            maps.append(layer(torch.cat(maps, 1)))
        return torch.cat(maps, 1)


@right((1, 8, 8, 8), shortcuts=0)
def dense() -> nn.Module:
    return Dense()


@fails((1, 8, 8, 8), rule="wrong-width", says="layers.2.0 takes 15 channels")
def dense_miscounts() -> nn.Module:
    return Dense(miscounts=1)


class PSP(nn.Module):
    """Pooled to several sizes and back (Zhao et al. 2017)."""

    def __init__(self, *, resize: bool) -> None:
        super().__init__()
        self.resize = resize
        self.paths = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(n), nn.Conv2d(8, 2, 1)) for n in (1, 2, 4))
        self.out = nn.Conv2d(14, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        maps = [path(x) for path in self.paths]
        if self.resize:
            maps = [F.interpolate(y, x.shape[2:], mode="bilinear") for y in maps]
        return self.out(torch.cat([x, *maps], 1))


@right((1, 8, 9, 9), shortcuts=0)
def pyramid_pooling() -> nn.Module:
    return PSP(resize=True)


@fails((1, 8, 9, 9), rule="concat-differs", says="interpolate")
def pyramid_pooling_unresized() -> nn.Module:
    return PSP(resize=False)


class Stacked(nn.Module):
    def __init__(self, stride: int) -> None:
        super().__init__()
        self.one, self.two = conv(3, 4), conv(3, 4, 3, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.one(x), self.two(x)], 1).amax(1)


@right((1, 3, 8, 8), shortcuts=0)
def maxout() -> nn.Module:
    return Stacked(1)


@fails((1, 3, 8, 8), rule="stack-differs", says="two")
def maxout_strided() -> nn.Module:
    return Stacked(2)


class Gated(nn.Module):
    """An attention gate of a decoder (Oktay et al. 2018)."""

    def __init__(self, stride: int = 2) -> None:
        super().__init__()
        self.of_skip, self.of_gate, self.psi = nn.Conv2d(8, 4, 1, stride), nn.Conv2d(16, 4, 1), nn.Conv2d(4, 1, 1)
        self.down = conv(8, 16, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        gate = F.relu(self.of_skip(x) + self.of_gate(self.down(x)))
        return x * F.interpolate(self.psi(gate).sigmoid(), scale_factor=2)


@right((1, 8, 16, 16))
def attention_gate() -> nn.Module:
    return Gated()


@fails((1, 8, 15, 15), rule="product-differs", says="15→8→16")
def attention_gate_odd() -> nn.Module:
    return Gated()


class Shuffled(nn.Module):
    """Sub-pixel convolution (Shi et al. 2016)."""

    def __init__(self, channels: int = 12) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.shuffle(self.conv(x)) + F.interpolate(x, scale_factor=2, mode="bicubic")


@right((1, 3, 8, 8), shortcuts=1)
def pixel_shuffle() -> nn.Module:
    return Shuffled()


@fails((1, 3, 8, 8), says="10 channels")
def pixel_shuffle_channels() -> nn.Module:
    return Shuffled(10)
