"""What a network consists of, in numbers: said once, for all that counts, writes, draws, checks or recognises it.

Paths are those of the modules of ``build(spec)``. Sizes are (height, width) in px, for any size of the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .options import Norm

if TYPE_CHECKING:
    from .model import BlockPlan, ResNetSpec

Size = tuple[int, int]
Shape = tuple[int, int, int]  # C×H×W


class Conv(NamedTuple):
    """A same-padded convolution: (inputs, h, w) -> (outputs, ⌈h/stride⌉, ⌈w/stride⌉).

    Attributes:
        path: of its module: in the network for the stem, in the block for all others.
    """

    path: str
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    groups: int = 1

    @property
    def weights(self) -> int:
        """Numbers in its weight; a bias is not counted."""
        return self.inputs // self.groups * self.outputs * self.kernel**2


class NormLayer(NamedTuple):
    """A normalisation, if the spec has any; ``path`` as in ``Conv``."""

    path: str
    channels: int


# ---- layers ----------------------------------------------------------------------------------------------------------


def stem_convs(spec: ResNetSpec) -> tuple[Conv, ...]:
    """The convolutions before the first stage: ``conv1``, or every third module in it."""
    form, width = spec.stem.form, spec.widths[0]
    count = spec.stem.convolutions
    channels = (spec.in_channels, *[max(1, width // 2)] * (count - 1), width)
    paths = [f"conv1.{3 * i}" for i in range(count)] if count > 1 else ["conv1"]
    return tuple(
        Conv(path, channels[i], channels[i + 1], kernel, 1 if i else form.stride)
        for i, (path, kernel) in enumerate(zip(paths, form.kernels, strict=True))
    )


def stem_norms(spec: ResNetSpec) -> tuple[NormLayer, ...]:
    """One after each convolution of the stem; a pre-activation network has none after the last."""
    convs = stem_convs(spec)
    between = [NormLayer(f"conv1.{3 * i + 1}", conv.outputs) for i, conv in enumerate(convs[:-1])]
    return tuple(between) if spec.block.is_preact else (*between, NormLayer("bn1", convs[-1].outputs))


def branch_convs(spec: ResNetSpec, plan: BlockPlan) -> tuple[Conv, ...]:
    """The convolutions of F in order: ``conv1``, ``conv2``, …"""
    return tuple(
        Conv(
            f"conv{number}",
            getattr(plan, conv.inputs),
            getattr(plan, conv.outputs),
            conv.kernel,
            plan.stride if conv.has_stride(spec.stride_on) else 1,
            spec.groups if conv.grouped else 1,
        )
        for number, conv in enumerate(spec.block.form.convs, start=1)
    )


def shortcut_conv(plan: BlockPlan) -> Conv | None:
    """The 1×1 convolution of the shortcut, if it has one."""
    form = plan.shortcut_kind.form
    if form is None or form.conv is None:
        return None
    stride = plan.stride if form.conv_strides else 1
    return Conv(f"downsample.{form.conv}", plan.in_channels, plan.out_channels, 1, stride)


def block_convs(spec: ResNetSpec, plan: BlockPlan) -> tuple[Conv, ...]:
    """The convolutions of the branch, then that of the shortcut."""
    shortcut = shortcut_conv(plan)
    return (*branch_convs(spec, plan), *([shortcut] if shortcut else []))


def block_norms(spec: ResNetSpec, plan: BlockPlan) -> tuple[NormLayer, ...]:
    """``bn1``, ``bn2``, … after each convolution of the branch, and one after that of the shortcut.

    In a pre-activation block they come before the convolutions of the branch, and the shortcut has none.
    """
    form, shortcut = spec.block.form, plan.shortcut_kind.form
    branch = [
        NormLayer(f"bn{number}", getattr(plan, conv.inputs if form.preact else conv.outputs))
        for number, conv in enumerate(form.convs, start=1)
    ]
    if form.preact or shortcut is None or shortcut.conv is None:
        return tuple(branch)
    return (*branch, NormLayer(f"downsample.{shortcut.conv + 1}", plan.out_channels))


def end_norms(spec: ResNetSpec) -> tuple[NormLayer, ...]:
    """The norm after the last block, which only a pre-activation network has."""
    return (NormLayer("post.0", spec.out_channels),) if spec.block.is_preact else ()


def convolutions(spec: ResNetSpec) -> tuple[Conv, ...]:
    """Every convolution of the network, by its path in it."""
    blocks = ((plan.path, conv) for plan in spec.blocks for conv in block_convs(spec, plan))
    return (*stem_convs(spec), *(conv._replace(path=f"{block}.{conv.path}") for block, conv in blocks))


def norms(spec: ResNetSpec) -> tuple[NormLayer, ...]:
    """Every normalisation of the network, by its path in it; none if the spec has none."""
    if spec.norm is Norm.NONE:
        return ()
    blocks = ((plan.path, norm) for plan in spec.blocks for norm in block_norms(spec, plan))
    return (*stem_norms(spec), *(NormLayer(f"{b}.{norm.path}", norm.channels) for b, norm in blocks), *end_norms(spec))


def last_of_branch(spec: ResNetSpec) -> str:
    """The layer whose weight F applies last: its last norm if F ends in one, else its last convolution."""
    ends_in_norm = spec.norm is not Norm.NONE and not spec.block.is_preact
    return f"{'bn' if ends_in_norm else 'conv'}{spec.block.convolutions}"


# ---- sizes -----------------------------------------------------------------------------------------------------------


class Sized(NamedTuple):
    """A block with the size of x and the size of F(x)."""

    plan: BlockPlan
    before: Size
    after: Size


def size_after_stride(size: Size, stride: int) -> Size:
    """Size of the map after a same-padded convolution or pooling: ⌈side ÷ stride⌉."""
    return -(-size[0] // stride), -(-size[1] // stride)


def sizes(spec: ResNetSpec, height: int, width: int, plans: Iterable[BlockPlan] | None = None) -> Iterator[Sized]:
    """Every block with its sizes, for an image of ``height`` × ``width`` px, along the branches.

    Args:
        plans: the blocks, in order; blocks of stride 1 may be left out. Default: all.
    """
    size = size_after_stride((height, width), spec.stem_stride)
    for plan in spec.blocks if plans is None else plans:
        after = size_after_stride(size, plan.stride)
        yield Sized(plan, size, after)
        size = after


def output_pixels(convs: Iterable[Conv], size: Size) -> Iterator[tuple[Conv, int]]:
    """Each convolution of a chain, and the pixels of its output; ``size``: of the input of the first."""
    for conv in convs:
        size = size_after_stride(size, conv.stride)
        yield conv, size[0] * size[1]


# ---- additions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mismatch:
    """A block that adds two shapes, those of F(x) and of the shortcut."""

    plan: BlockPlan
    branch: Shape
    shortcut: Shape

    @property
    def broadcasts(self) -> bool:
        """Whether PyTorch would add the two anyway, by repeating the sides that are 1."""
        return all(a == b or 1 in (a, b) for a, b in zip(self.branch, self.shortcut, strict=True))


def branch_shape(plan: BlockPlan, size: Size) -> Shape:
    """Shape of F(x) for an x of ``size``."""
    return (plan.out_channels, *size_after_stride(size, plan.stride))


def shortcut_shape(plan: BlockPlan, size: Size) -> Shape | None:
    """Shape of the shortcut's output for an x of ``size``; None in a plain block."""
    form = plan.shortcut_kind.form
    if form is None:
        return None
    inputs, outputs = plan.in_channels, plan.out_channels
    channels = {"in": inputs, "out": outputs, "max": max(inputs, outputs)}[form.channels]
    return (channels, *size_after_stride(size, plan.stride if form.strides else 1))


def mismatches(spec: ResNetSpec, height: int, width: int) -> Iterator[Mismatch]:
    """The blocks that cannot add, from the input on, for an image of ``height`` × ``width`` px.

    After a mismatch the pass continues with F(x), or with the sum if PyTorch gives one.
    """
    size = size_after_stride((height, width), spec.stem_stride)
    for plan in spec.blocks:
        branch, shortcut = branch_shape(plan, size), shortcut_shape(plan, size)
        size = branch[1:]
        if shortcut is not None and shortcut != branch:
            found = Mismatch(plan, branch, shortcut)
            yield found
            if found.broadcasts:
                size = max(branch[1], shortcut[1]), max(branch[2], shortcut[2])
