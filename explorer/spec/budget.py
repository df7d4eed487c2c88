"""Parameters and multiply-adds of a spec in closed form, so that limits hold before anything is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .options import Norm, Shortcut, Stem, StrideOn

if TYPE_CHECKING:
    from .model import BlockPlan, ResNetSpec


@dataclass(frozen=True)
class _Conv:
    """A convolution with its normalisation: enough to count both."""

    inputs: int
    outputs: int
    kernel: int
    pixels: int
    groups: int = 1

    @property
    def weights(self) -> int:
        return self.inputs // self.groups * self.outputs * self.kernel**2


def halved(side: int, stride: int) -> int:
    """Side of the map after a same-padded convolution or pooling, px: ⌈side ÷ stride⌉."""
    return -(-side // stride)


def estimate(spec: ResNetSpec) -> tuple[int, int]:
    """Parameters, and MACs of one image.

    MACs count one per multiply-add of convolutions and the linear layer; normalisation, activation, pooling and
    additions count 0 (the convention of torchvision's ``weights.meta["_ops"]``). Exact for every spec whose
    shortcuts all fit.
    """
    convs = [*_stem(spec), *(c for plan in _sized(spec) for c in _block(spec, *plan))]
    # Without normalisation each convolution has a bias; with it, the norm's scale and shift take its place.
    biases = sum(c.outputs for c in convs) if spec.norm is Norm.NONE else 2 * sum(_norm_channels(spec, convs))
    features = spec.out_channels
    params = sum(c.weights for c in convs) + biases + (features + 1) * spec.num_classes
    macs = sum(c.weights * c.pixels for c in convs) + features * spec.num_classes
    return params, macs


def _norm_channels(spec: ResNetSpec, convs: list[_Conv]) -> Iterator[int]:
    """Channels of every normalisation: after each convolution, or before it in the pre-activation form."""
    if not spec.block.is_preact:
        yield from (c.outputs for c in convs)
        return
    if spec.stem is Stem.DEEP:
        yield from (c.outputs for c in list(_stem(spec))[:2])
    for plan in spec.blocks:
        yield plan.in_channels
        yield from [plan.width] * (spec.block.convolutions - 1)
    yield spec.out_channels


def _stem(spec: ResNetSpec) -> Iterator[_Conv]:
    width, side = spec.widths[0], spec.image_size
    if spec.stem is Stem.CIFAR:
        yield _Conv(spec.in_channels, width, 3, side**2)
        return
    pixels = halved(side, 2) ** 2
    if spec.stem is Stem.IMAGENET:
        yield _Conv(spec.in_channels, width, 7, pixels)
        return
    half = max(1, width // 2)
    yield _Conv(spec.in_channels, half, 3, pixels)
    yield _Conv(half, half, 3, pixels)
    yield _Conv(half, width, 3, pixels)


def _sized(spec: ResNetSpec) -> Iterator[tuple[BlockPlan, int, int]]:
    """Each block with the side of its input and of its output, px."""
    side = spec.image_size if spec.stem is Stem.CIFAR else halved(halved(spec.image_size, 2), 2)
    for plan in spec.blocks:
        out = halved(side, plan.stride)
        yield plan, side, out
        side = out


def _block(spec: ResNetSpec, plan: BlockPlan, side: int, out: int) -> Iterator[_Conv]:
    if spec.block.is_bottleneck:
        first = out if spec.stride_on is StrideOn.V1 else side
        yield _Conv(plan.in_channels, plan.width, 1, first**2)
        yield _Conv(plan.width, plan.width, 3, out**2, spec.groups)
        yield _Conv(plan.width, plan.out_channels, 1, out**2)
    else:
        yield _Conv(plan.in_channels, plan.width, 3, out**2)
        yield _Conv(plan.width, plan.out_channels, 3, out**2)
    if plan.shortcut_kind is Shortcut.PROJECTION:
        yield _Conv(plan.in_channels, plan.out_channels, 1, out**2)
