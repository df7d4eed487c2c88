"""Runs, and does something else than was meant."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.zoo.specimens import right, silent

IMAGE = (2, 3, 8, 8)


def conv(inputs: int = 8, outputs: int = 8) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


class Forgotten(nn.Module):
    """A layer that forward never calls."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv, self.bn = conv(3), conv(), nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + self.conv(x)


@silent(IMAGE, rule="never-called", says="bn")
def forgotten() -> nn.Module:
    return Forgotten()


class InAList(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3)
        self.blocks = [conv() for _ in range(3)]

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = x + block(x)
        return x


@silent(IMAGE, rule="layers-in-a-list", says="ModuleList")
def in_a_list() -> nn.Module:
    return InAList()


class InADict(InAList):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = {"a": conv(), "b": conv()}  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks["a"](self.blocks["b"](self.stem(x)))  # type: ignore[call-overload]


@silent(IMAGE, rule="layers-in-a-list", says="ModuleDict")
def in_a_dict() -> nn.Module:
    return InADict()


class GivesNone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3)

    def forward(self, x: Tensor) -> None:
        self.stem(x)


@silent(IMAGE, rule="gives-nothing", says="return")
def gives_none() -> nn.Module:
    return GivesNone()


class Folds(nn.Module):
    """(N, 8, 4, 4) viewed as (4N, 32): the batch is folded into the features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3, 2, 1), nn.Linear(32, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv(x).view(-1, 32))


@silent(IMAGE, rule="batch-folded", says="2")
def folds_the_batch() -> nn.Module:
    return Folds()


class FlatGate(nn.Module):
    """(B, C) over (B, C, H, W) with C = W: it runs, and scales columns."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.fc = conv(3), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x * self.fc(x.mean((2, 3))).sigmoid()


@silent((8, 3, 8, 8), rule="gate-axes", says="[:, :, None, None]")
def gate_over_columns() -> nn.Module:
    return FlatGate()


class InPlaceFirst(nn.Module):
    """A pre-activation block whose in-place ReLU changes x too."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.relu, self.conv = conv(3), nn.ReLU(inplace=True), conv()

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + self.conv(self.relu(x))


@silent(IMAGE, rule="in-place-shortcut", says="relu(x)")
def in_place_first() -> nn.Module:
    return InPlaceFirst()


class InPlaceAfterNorm(InPlaceFirst):
    """The norm gives a tensor of its own, which may be changed."""

    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + self.conv(self.relu(self.bn(x)))


@right(IMAGE, shortcuts=1)
def in_place_after_norm() -> nn.Module:
    return InPlaceAfterNorm()


class InPlaceOnBoth(InPlaceFirst):
    """A block as in torchvision: the sum is activated in place, and both paths read the result."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.stem(x))
        return self.relu(x + self.conv(x))


@right(IMAGE, shortcuts=1)
def in_place_before_the_fork() -> nn.Module:
    return InPlaceOnBoth()


class Auxiliary(nn.Module):
    """An exit that only training uses: nothing is forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.head, self.aux = conv(3), nn.Linear(8, 2), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.stem(x).mean((2, 3))
        return (self.head(x), self.aux(x)) if self.training else self.head(x)


@right(IMAGE, shortcuts=0)
def auxiliary_exit() -> nn.Module:
    return Auxiliary()


class Functional(nn.Module):
    """A layer whose weights are read without calling it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(3)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.conv.weight, self.conv.bias, padding=1)


@right(IMAGE, shortcuts=0)
def reads_weights() -> nn.Module:
    return Functional()


class Windows(nn.Module):
    """Windows are folded into the batch on purpose, and taken out again (Liu et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        y = x.view(n, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        y = self.mix(y).view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)
        return x + y


@right((2, 8, 8, 4), shortcuts=1)
def windows() -> nn.Module:
    return Windows()


class Frames(nn.Module):
    """Frames of a film are folded into the batch on purpose."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = conv(3), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        n, t = x.shape[:2]
        y = self.conv(x.flatten(0, 1)).mean((2, 3))
        return self.fc(y.view(n, t, -1).mean(1))


@right((2, 5, 3, 8, 8), shortcuts=0)
def frames() -> nn.Module:
    return Frames()


class SwappedSum(nn.Module):
    """Tokens plus positions of the wrong axis: (L, N, C) + (L, C) runs where N = L."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(4, 4)
        self.pos = nn.Parameter(torch.zeros(6, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pos
        return x + self.mix(x)


@right((6, 2, 4), shortcuts=1)
def positions_of_length_first() -> nn.Module:
    return SwappedSum()
