"""Forward passes that need real tensors, and modules of unusual kinds."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune

from tests.zoo.specimens import fails, right

IMAGE = (2, 3, 8, 8)


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


class Reads(nn.Module):
    """Needs a value: in the way that is named."""

    def __init__(self, way: str, outputs: int = 8) -> None:
        super().__init__()
        self.way, self.stem, self.branch = way, conv(3, 8), conv(8, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if self.way == "item":
            x = x * max(1.0, x.abs().max().item())
        elif self.way == "branch" and x.mean() > 1e9:
            x = x[:, :4]
        elif self.way == "numpy":
            x = torch.from_numpy(np.clip(x.detach().cpu().numpy(), 0, 1)).to(x.dtype)
        elif self.way == "mask":
            x = torch.where(x > 0, x, torch.zeros(1)) + x[x > 0].mean()
        elif self.way == "tensor":
            x = x + torch.Tensor(x.shape).fill_(0)
        elif self.way == "topk":
            x = x * float(str(x.flatten(1).topk(3).values.mean().tolist()))
        return x + self.branch(x)


@right(IMAGE)
def item() -> nn.Module:
    return Reads("item")


@right(IMAGE)
def branches_on_a_value() -> nn.Module:
    return Reads("branch")


@right(IMAGE)
def through_numpy() -> nn.Module:
    return Reads("numpy")


@right(IMAGE)
def boolean_mask() -> nn.Module:
    return Reads("mask")


@right(IMAGE)
def legacy_constructor() -> nn.Module:
    return Reads("tensor")


@right(IMAGE)
def to_a_list() -> nn.Module:
    return Reads("topk")


@fails(IMAGE, rule="missing-projection")
def item_then_misfit() -> nn.Module:
    return Reads("item", 12)


@fails(IMAGE, rule="missing-projection")
def numpy_then_misfit() -> nn.Module:
    return Reads("numpy", 12)


class OptionA(nn.Module):
    """Zeros made as in 3D-ResNets: ``torch.Tensor``."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Conv3d(4, 8, 3, 2, 1), nn.BatchNorm3d(8))

    def forward(self, x: Tensor) -> Tensor:
        out = F.avg_pool3d(x, 1, 2)
        zeros = torch.Tensor(out.size(0), 8 - out.size(1), *out.shape[2:]).zero_()
        return self.branch(x) + torch.cat([out.data, zeros], 1)


@right((1, 4, 6, 6, 6), shortcuts=1)
def option_a_in_3d() -> nn.Module:
    return OptionA()


class Lazy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv, self.fc = nn.LazyConv2d(8, 3, padding=1), nn.Conv2d(8, 8, 1), nn.LazyLinear(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return self.fc((x + self.conv(x)).mean((2, 3)))


@right(IMAGE, shortcuts=1)
def lazy() -> nn.Module:
    return Lazy()


class Plain(nn.Module):
    def __init__(self, outputs: int = 8) -> None:
        super().__init__()
        self.stem, self.branch = conv(3, 8), conv(8, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + self.branch(x)


@right(IMAGE)
def scripted() -> nn.Module:
    return torch.jit.script(Plain())


@fails(IMAGE)
def scripted_misfit() -> nn.Module:
    return torch.jit.script(Plain(12))


@right(IMAGE)
def traced() -> nn.Module:
    return torch.jit.trace(Plain(), torch.zeros(1, 3, 8, 8))


@right(IMAGE, shortcuts=1)
def compiled() -> nn.Module:
    return torch.compile(Plain(), backend="eager")  # type: ignore[return-value]


@right(IMAGE, shortcuts=1)
def pruned() -> nn.Module:
    net = Plain()
    prune.l1_unstructured(net.branch, "weight", 0.5)
    return net


@right(IMAGE, shortcuts=1)
def weight_norm() -> nn.Module:
    net = Plain()
    parametrizations.weight_norm(net.branch)
    return net


@right(IMAGE, shortcuts=1)
def spectral_norm() -> nn.Module:
    net = Plain()
    parametrizations.spectral_norm(net.branch)
    return net


@right(IMAGE, shortcuts=1)
def half_precision() -> nn.Module:
    return Plain().bfloat16()


class Complex(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8, 8, 5, dtype=torch.cfloat))
        self.stem = conv(3, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return x + torch.fft.irfft2(torch.fft.rfft2(x) * self.weight[None], s=x.shape[2:])


@right(IMAGE, shortcuts=1)
def fourier() -> nn.Module:
    return Complex()


@fails((2, 3, 10, 10), rule="constant-differs")
def fourier_of_another_size() -> nn.Module:
    return Complex()


class Dynamic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
        self.net = torch.ao.quantization.quantize_dynamic(net, {nn.Linear})

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Nested(nn.Module):
    """Gives a dict of lists."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(3, 3)

    def forward(self, x: Tensor) -> dict[str, list[Tensor]]:
        return {"maps": [x + self.conv(x), x]}


@right(IMAGE, shortcuts=1)
def gives_a_dict() -> nn.Module:
    return Nested()


class Takes(nn.Module):
    """Takes a list of maps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(3, 3)

    def forward(self, maps: list[Tensor]) -> Tensor:
        return maps[0] + self.conv(maps[1])


@right([(1, 3, 8, 8), (1, 3, 8, 8)])
def takes_a_list() -> nn.Module:
    return Takes()


@fails(IMAGE, says="self.branch, which the __init__ of Plain never sets")
def reads_a_missing_attribute() -> nn.Module:
    net = Plain()
    del net.branch
    return net


class Steps(nn.Module):
    """A loop as long as a value."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(int(x.sum().clamp(1, 3))):
            x = x + self.conv(x)
        return x


@right(IMAGE)
def loops_on_a_value() -> nn.Module:
    return Steps()


class Unique(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.unique(x.round())


@right(IMAGE)
def unique() -> nn.Module:
    return Unique()


class Chosen(nn.Module):
    """Non-maximum suppression in miniature."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        boxes = self.conv(x).flatten(2).transpose(1, 2)[0]
        return boxes[(boxes[:, 4] > 0).nonzero()[:, 0]]


@right(IMAGE)
def nonzero() -> nn.Module:
    return Chosen()


class Writes(nn.Module):
    """Puts two maps into one that it makes, and goes on with it."""

    def __init__(self, outputs: int = 8) -> None:
        super().__init__()
        self.one, self.two, self.out = conv(3, 4), conv(3, 4), conv(8, outputs)

    def forward(self, x: Tensor) -> Tensor:
        both = x.new_zeros(x.shape[0], 8, *x.shape[2:])
        both[:, ::2] = self.one(x)
        both[:, 1::2] = self.two(x)
        return both + self.out(both)


@right(IMAGE, shortcuts=1)
def writes_into_slices() -> nn.Module:
    return Writes()


@fails(IMAGE, rule="missing-projection")
def writes_then_misfit() -> nn.Module:
    return Writes(12)


@right(IMAGE, shortcuts=1)
def circular_padding() -> nn.Module:
    net = Plain()
    net.branch.padding_mode, net.branch._reversed_padding_repeated_twice = "circular", [1, 1, 1, 1]
    return net
