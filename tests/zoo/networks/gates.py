"""A convolution beside a gate of linear layers: the gate's axes are not those of the map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import fails, right


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU())


class SE(nn.Module):
    """Squeeze and excitation of linear layers (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 4), nn.ReLU(), nn.Linear(channels // 4, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        n, c, _, _ = x.shape
        return x * self.fc(x.mean((2, 3))).view(n, c, 1, 1)


class GateFirst(SE):
    def forward(self, x: Tensor) -> Tensor:
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))[:, :, None, None] * x


class SEPointwise(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.up(self.down(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


class CBAM(nn.Module):
    """Channel gate of two poolings through one perceptron, then a spatial gate (Woo et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(channels, channels // 4), nn.ReLU(), nn.Linear(channels // 4, channels))
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        x = x * gate.sigmoid()[:, :, None, None]
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * self.spatial(both).sigmoid()


class Coordinate(nn.Module):
    """Pooled along either axis, mixed together, gated along either axis (Hou et al. 2021)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, 8, 1)
        self.rows, self.columns = nn.Conv2d(8, channels, 1), nn.Conv2d(8, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        _, _, h, w = x.shape
        rows, columns = x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)
        rows, columns = self.mix(torch.cat([rows, columns], 2)).relu().split([h, w], 2)
        return x * self.rows(rows).sigmoid() * self.columns(columns.transpose(2, 3)).sigmoid()


class ECA(nn.Module):
    """A 1-D convolution along the channels (Wang et al. 2020)."""

    def __init__(self, _: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.conv(x.mean((2, 3))[:, None]).transpose(1, 2)[..., None]
        return x * gate.sigmoid()


class Block(nn.Module):
    def __init__(self, gate: nn.Module, inputs: int, outputs: int, stride: int = 1, *, projects: bool = True) -> None:
        super().__init__()
        self.down, self.up, self.gate = conv(inputs, outputs, 3, stride), conv(outputs, outputs), gate
        changes = projects and (inputs != outputs or stride != 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.gate(self.up(self.down(x))) + self.shortcut(x))


class Net(nn.Module):
    def __init__(self, gate: type[nn.Module], wide: int = 32, *, projects: bool = True) -> None:
        super().__init__()
        self.stem = conv(3, 16)
        self.one = Block(gate(16), 16, 16)
        self.two = Block(gate(wide), 16, wide, 2, projects=projects)
        self.fc = nn.Linear(wide, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.two(self.one(self.stem(x))).mean((2, 3)))


IMAGE = (2, 3, 16, 16)


@right(IMAGE, shortcuts=2)
def squeeze() -> nn.Module:
    return Net(SE)


@right(IMAGE, shortcuts=2)
def gate_first() -> nn.Module:
    return Net(GateFirst)


@right(IMAGE, shortcuts=2)
def pointwise() -> nn.Module:
    return Net(SEPointwise)


@right(IMAGE, shortcuts=2)
def cbam() -> nn.Module:
    return Net(CBAM)


@right(IMAGE, shortcuts=2)
def coordinate() -> nn.Module:
    return Net(Coordinate)


@right(IMAGE, shortcuts=2)
def efficient() -> nn.Module:
    return Net(ECA)


@fails(IMAGE, rule="missing-projection", says="two: channels 16 → 32, map 16×16 → 8×8")
def squeeze_unprojected() -> nn.Module:
    return Net(SE, projects=False)


@fails(IMAGE, rule="missing-projection", says="two: channels 16 → 32, map 16×16 → 8×8")
def gate_first_unprojected() -> nn.Module:
    return Net(GateFirst, projects=False)


@fails(IMAGE, rule="missing-projection", says="two: channels 16 → 32, map 16×16 → 8×8")
def cbam_unprojected() -> nn.Module:
    return Net(CBAM, projects=False)


@fails(IMAGE, rule="missing-projection", says="two: channels 16 → 32, map 16×16 → 8×8")
def coordinate_unprojected() -> nn.Module:
    return Net(Coordinate, projects=False)


@fails(IMAGE, rule="missing-projection", says="two: channels 16 → 32, map 16×16 → 8×8")
def efficient_unprojected() -> nn.Module:
    return Net(ECA, projects=False)


@fails(IMAGE, rule="wrong-width", says="two.up.0 gives 30 channels where the sum takes 32")
def squeeze_narrow() -> nn.Module:
    net = Net(SE)
    net.two.up, net.two.gate = conv(32, 30), SE(30)
    return net


@fails(IMAGE, rule="stride-differs")
def squeeze_strides() -> nn.Module:
    net = Net(SE)
    net.two.shortcut = nn.Conv2d(16, 32, 1)
    return net


@fails(IMAGE, rule="padding-forgotten")
def cbam_padding() -> nn.Module:
    net = Net(CBAM)
    net.one.up.get_submodule("0").padding = (0, 0)  # type: ignore[assignment]
    return net


@fails(IMAGE, rule="wrong-width", says="gate.fc.0 takes 64 features")
def gate_of_another_width() -> nn.Module:
    net = Net(SE)
    net.two.gate.get_submodule("fc").set_submodule("0", nn.Linear(64, 8))
    return net


class Ungated(SE):
    """Forgets the two axes: (N, C) over (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))


@fails(IMAGE, rule="product-differs", says="[:, :, None, None]")
def gate_without_axes() -> nn.Module:
    return Net(Ungated)


@fails(IMAGE, rule="split-size", says="16 + 16 = 32, but axis 2 has 36")
def coordinate_padding() -> nn.Module:
    net = Net(Coordinate)
    net.one.gate.mix = nn.Conv2d(16, 8, 1, padding=2)
    return net
