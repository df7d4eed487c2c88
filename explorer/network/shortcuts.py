"""The shortcut's side of y = F(x) + x, where x has to be made to fit (He et al. 2015 §3.3)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ..spec import BlockPlan, ResNetSpec, Shortcut, ZeroPlacement
from .layers import conv, norm


class ZeroPad(nn.Module):
    """Option A: every ``stride``-th pixel, and zeros for the new channels. No parameters.

    (N, C, H, W) -> (N, C + added, ⌈H/stride⌉, ⌈W/stride⌉). Channels are never removed: where the block
    has fewer outputs than inputs, the shapes mismatch, which the checks report.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, placement: ZeroPlacement) -> None:
        super().__init__()
        self.stride = stride
        added = max(0, out_channels - in_channels)
        before = added // 2 if placement is ZeroPlacement.SPLIT else 0
        self.before, self.after = before, added - before

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))

    def extra_repr(self) -> str:
        return f"stride={self.stride}, before={self.before}, after={self.after}"


def projection(plan: BlockPlan, spec: ResNetSpec) -> nn.Sequential:
    """Options B and C: 1×1 convolution and norm, named as torchvision's ``downsample``.

    Pre-activation blocks project without a norm (He et al. 2016, released code).
    """
    conv1x1 = conv(plan.in_channels, plan.out_channels, 1, spec, stride=plan.stride)
    if spec.block.is_preact:
        return nn.Sequential(conv1x1)
    return nn.Sequential(conv1x1, norm(plan.out_channels, spec))


def shortcut(plan: BlockPlan, spec: ResNetSpec) -> nn.Module | None:
    """The module on the shortcut, or None where x goes unchanged (or, in a plain block, nowhere)."""
    if plan.shortcut_kind is Shortcut.PROJECTION:
        return projection(plan, spec)
    if plan.shortcut_kind is Shortcut.ZERO_PAD:
        return ZeroPad(plan.in_channels, plan.out_channels, plan.stride, spec.zero_pad)
    return None
