"""A layer as the expression or the assignment that makes it, and the two shortcuts that need a definition."""

from __future__ import annotations

from ...spec import Activation, Norm, ResNetSpec, Shortcut, ZeroPad
from ..layers import activation as activation_module
from .layout import method, wrapped

GROUP_NORM = '''\
def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation: 32 groups, or as many as divide 32 and have two channels or more."""
    groups = next((g for g in (32, 16, 8, 4, 2) if channels % g == 0 and channels >= 2 * g), 1)
    return nn.GroupNorm(groups, channels)'''
_ZERO_PAD = '''\
class ZeroPad(nn.Module):
    """Shortcut option A: every stride-th pixel, and zeros for the new channels."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        {added}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, {zeros}))'''


def conv(spec: ResNetSpec, inputs: object, outputs: object, kernel: int, *, stride: object = 1, groups: int = 1) -> str:
    """A same-padded convolution; it has a bias only where no norm follows."""
    options = {
        f"stride={stride}": stride != 1,
        f"padding={kernel // 2}": kernel > 1,
        f"groups={groups}": groups > 1,
        "bias=False": spec.norm is not Norm.NONE,
    }
    words = [str(inputs), str(outputs), str(kernel), *(word for word, used in options.items() if used)]
    return f"nn.Conv2d({', '.join(words)})"


def norm(spec: ResNetSpec, channels: object) -> str:
    return f"norm({channels})" if spec.norm is Norm.GROUP else f"nn.BatchNorm2d({channels})"


def normed(spec: ResNetSpec, name: str, value: str) -> str:
    return value if spec.norm is Norm.NONE else f"self.{name}({value})"


def assign_norm(spec: ResNetSpec, name: str, channels: object) -> list[str]:
    return [] if spec.norm is Norm.NONE else [f"self.{name} = {norm(spec, channels)}"]


def activation(spec: ResNetSpec) -> str:
    return f"nn.{type(activation_module(spec)).__name__}()"


def assign_activation(spec: ResNetSpec) -> str:
    note = "" if spec.activation is Activation.RELU else "  # called relu whatever it is, as in torchvision"
    return f"self.relu = {activation(spec)}{note}"


def projection(spec: ResNetSpec) -> str:
    convolution = conv(spec, "in_channels", "out_channels", 1, stride="stride")
    has_norm = spec.norm is not Norm.NONE and not spec.block.is_preact
    layers = wrapped(
        "return nn.Sequential", [convolution, norm(spec, "out_channels")] if has_norm else [convolution], margin=4
    )
    doc = f'"""Shortcut option B or C: a 1x1 convolution{" and a norm" if has_norm else ""}."""'
    head = "def projection(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Sequential:"
    return method(head, [doc, layers])


def zero_pad(spec: ResNetSpec) -> str:
    padded = [plan for plan in spec.blocks if plan.shortcut_kind is Shortcut.ZERO_PAD]
    added = "out_channels - in_channels"
    if any(plan.out_channels < plan.in_channels for plan in padded):
        added = f"max(0, {added})"
    if spec.zero_pad is ZeroPad.APPEND:
        return _ZERO_PAD.format(added=f"self.added = {added}", zeros="0, self.added")
    halves = f"added = {added}\n        self.before, self.after = added // 2, added - added // 2"
    return _ZERO_PAD.format(added=halves, zeros="self.before, self.after")
