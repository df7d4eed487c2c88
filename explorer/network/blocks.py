"""Residual blocks. Each has a branch F(x), and ``forward`` reads like the paper's equation: y = F(x) + x."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ..spec import Block, BlockPlan, ResNetSpec, Shortcut, StrideOn
from .layers import activation, conv, norm
from .shortcuts import shortcut


class ResidualBlock(nn.Module, ABC):
    """y = σ(F(x) + s(x)), (N, in, H, W) -> (N, out, ⌈H/stride⌉, ⌈W/stride⌉) (He et al. 2015, Eq. 1, 2).

    ``downsample`` is s, torchvision's name for it; None is the identity. A plain block is y = σ(F(x)).
    """

    def __init__(self, plan: BlockPlan, spec: ResNetSpec) -> None:
        super().__init__()
        self.plain = plan.shortcut_kind is Shortcut.NONE
        self.relu = activation(spec)
        self.add_branch(plan, spec)
        self.downsample = shortcut(plan, spec)

    @abstractmethod
    def add_branch(self, plan: BlockPlan, spec: ResNetSpec) -> None:
        """Create the layers of the branch F."""

    @abstractmethod
    def branch(self, x: Tensor) -> Tensor:
        """F(x)."""

    def shortcut(self, x: Tensor) -> Tensor:
        """s(x)."""
        return x if self.downsample is None else self.downsample(x)

    def forward(self, x: Tensor) -> Tensor:
        if self.plain:
            return self.relu(self.branch(x))
        return self.relu(self.branch(x) + self.shortcut(x))


class BasicBlock(ResidualBlock):
    """Two 3×3 convolutions; the first one strides."""

    def add_branch(self, plan: BlockPlan, spec: ResNetSpec) -> None:
        self.conv1 = conv(plan.in_channels, plan.width, 3, spec, stride=plan.stride)
        self.bn1 = norm(plan.width, spec)
        self.conv2 = conv(plan.width, plan.out_channels, 3, spec)
        self.bn2 = norm(plan.out_channels, spec)

    def branch(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(out))


class Bottleneck(ResidualBlock):
    """1×1 to narrow, 3×3, 1×1 to widen ×4. v1 strides the first 1×1, v1.5 (torchvision) the 3×3."""

    def add_branch(self, plan: BlockPlan, spec: ResNetSpec) -> None:
        first, middle = _strides(plan, spec)
        self.conv1 = conv(plan.in_channels, plan.width, 1, spec, stride=first)
        self.bn1 = norm(plan.width, spec)
        self.conv2 = conv(plan.width, plan.width, 3, spec, stride=middle, groups=spec.groups)
        self.bn2 = norm(plan.width, spec)
        self.conv3 = conv(plan.width, plan.out_channels, 1, spec)
        self.bn3 = norm(plan.out_channels, spec)

    def branch(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        return self.bn3(self.conv3(out))


class PreActBlock(ResidualBlock):
    """y = F(a) + s(x) with a = σ(norm(x)) (He et al. 2016, Eq. 4).

    A projection reads a instead of x, as in the paper's released code; the other shortcuts read x.
    """

    bn1: nn.Module

    def __init__(self, plan: BlockPlan, spec: ResNetSpec) -> None:
        super().__init__(plan, spec)
        self.shared = plan.shortcut_kind.projects

    def forward(self, x: Tensor) -> Tensor:
        a = self.relu(self.bn1(x))
        if self.plain:
            return self.branch(a)
        return self.branch(a) + self.shortcut(a if self.shared else x)


class PreActBasicBlock(PreActBlock):
    def add_branch(self, plan: BlockPlan, spec: ResNetSpec) -> None:
        self.bn1 = norm(plan.in_channels, spec)
        self.conv1 = conv(plan.in_channels, plan.width, 3, spec, stride=plan.stride)
        self.bn2 = norm(plan.width, spec)
        self.conv2 = conv(plan.width, plan.out_channels, 3, spec)

    def branch(self, x: Tensor) -> Tensor:
        return self.conv2(self.relu(self.bn2(self.conv1(x))))


class PreActBottleneck(PreActBlock):
    def add_branch(self, plan: BlockPlan, spec: ResNetSpec) -> None:
        first, middle = _strides(plan, spec)
        self.bn1 = norm(plan.in_channels, spec)
        self.conv1 = conv(plan.in_channels, plan.width, 1, spec, stride=first)
        self.bn2 = norm(plan.width, spec)
        self.conv2 = conv(plan.width, plan.width, 3, spec, stride=middle, groups=spec.groups)
        self.bn3 = norm(plan.width, spec)
        self.conv3 = conv(plan.width, plan.out_channels, 1, spec)

    def branch(self, x: Tensor) -> Tensor:
        out = self.conv1(x)
        out = self.conv2(self.relu(self.bn2(out)))
        return self.conv3(self.relu(self.bn3(out)))


def _strides(plan: BlockPlan, spec: ResNetSpec) -> tuple[int, int]:
    """Strides of the first 1×1 and of the 3×3."""
    return (plan.stride, 1) if spec.stride_on is StrideOn.V1 else (1, plan.stride)


BLOCKS: dict[Block, type[ResidualBlock]] = {
    Block.BASIC: BasicBlock,
    Block.BOTTLENECK: Bottleneck,
    Block.PREACT_BASIC: PreActBasicBlock,
    Block.PREACT_BOTTLENECK: PreActBottleneck,
}
