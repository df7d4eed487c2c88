"""Convolution, normalisation and activation as a spec asks for them."""

from __future__ import annotations

from torch import nn

from ..spec import Activation, Norm, ResNetSpec

_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.RELU: nn.ReLU,
    Activation.LEAKY_RELU: nn.LeakyReLU,
    Activation.GELU: nn.GELU,
    Activation.SILU: nn.SiLU,
}


def conv(inputs: int, outputs: int, kernel: int, spec: ResNetSpec, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Same-padded convolution: (N, inputs, H, W) -> (N, outputs, ⌈H/stride⌉, ⌈W/stride⌉).

    Has a bias only where no normalisation follows to provide one.
    """
    bias = spec.norm is Norm.NONE
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=bias)


def norm(channels: int, spec: ResNetSpec) -> nn.Module:
    """Batch or group normalisation, or the identity.

    Groups: 32, the default of Wu & He 2018, or the largest divisor of 32 that gives each at least two channels (a
    group of one value cannot be normalised).
    """
    if spec.norm is Norm.BATCH:
        return nn.BatchNorm2d(channels)
    if spec.norm is Norm.NONE:
        return nn.Identity()
    groups = next((g for g in (32, 16, 8, 4, 2) if channels % g == 0 and channels >= 2 * g), 1)
    return nn.GroupNorm(groups, channels)


def activation(spec: ResNetSpec) -> nn.Module:
    """The non-linearity, never in place: hooks and explanations need its input."""
    return _ACTIVATIONS[spec.activation]()
