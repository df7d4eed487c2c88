"""Networks of somebody else's modules: stem, one block, tail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from explorer.inspection import Report, inspect


def conv(inputs: int = 8, outputs: int = 8, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1)


class Residual(nn.Module):
    """A foreign network: stem, one block whose sum is ``add(branch, x)``, and a layer that reads the sum."""

    def __init__(
        self, add: Callable[[nn.Module, Tensor], Tensor], branch: nn.Module | None = None, outputs: int = 8
    ) -> None:
        super().__init__()
        self.stem = conv(3)
        self.block = _Block(add, branch or nn.Sequential(conv(), nn.BatchNorm2d(8)))
        self.tail = conv(outputs, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.block(self.stem(x)))


class _Block(nn.Module):
    def __init__(self, add: Callable[[nn.Module, Tensor], Tensor], branch: nn.Module) -> None:
        super().__init__()
        self.add, self.branch = add, branch
        self.scale = nn.Parameter(torch.ones(8, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.add(self.branch, x)


def in_place(total: Tensor, other: Tensor) -> Tensor:
    total += other
    return total


def foreign(add: Callable[[Any, Tensor], Tensor], **changes: Any) -> Report:
    return inspect(Residual(add, **changes), (3, 8, 8))
