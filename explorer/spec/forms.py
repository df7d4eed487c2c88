"""What a block, a stem and a shortcut consist of, in symbols; ``anatomy`` puts the numbers of a network in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channels = Literal["in_channels", "width", "out_channels"]


@dataclass(frozen=True)
class ConvForm:
    """One convolution of a branch.

    Attributes:
        kernel: height and width of its window, px; odd.
        inputs, outputs: the field of ``BlockPlan`` with its number of channels.
        strides: when it has the stride of its block: never, always, or with one value of ``StrideOn``.
        grouped: whether it has the groups of the spec.
    """

    kernel: int
    inputs: Channels
    outputs: Channels
    strides: Literal["never", "always", "v1", "v1.5"] = "never"
    grouped: bool = False

    def has_stride(self, stride_on: str) -> bool:
        """Whether it has the stride of its block, with this value of ``StrideOn``."""
        return self.strides in ("always", stride_on)


@dataclass(frozen=True)
class BlockForm:
    """The branch of a block: a chain of convolutions, each with a normalisation and, between two, an activation.

    Attributes:
        convs: from x to F(x).
        expansion: output channels of the block over the width of its stage.
        preact: whether norm and activation come before each convolution (He et al. 2016), not after it.
    """

    convs: tuple[ConvForm, ...]
    expansion: int = 1
    preact: bool = False


@dataclass(frozen=True)
class StemForm:
    """What comes before the first stage.

    Attributes:
        kernels: of its convolutions, px. All but the last have half the width of the stem.
        stride: of the first convolution.
        pools: whether a 3×3 max-pool with stride 2 follows.
    """

    kernels: tuple[int, ...]
    stride: int = 1
    pools: bool = False


@dataclass(frozen=True)
class ShortcutForm:
    """What a shortcut does to x.

    Attributes:
        channels: of its output: those of x ("in"), those of F(x) ("out"), or the larger number of both ("max").
        strides: whether it makes the map smaller by the stride of the block.
        conv: place of its 1×1 convolution in ``downsample``, a sequence of modules; None if it has no weights.
        conv_strides: whether that convolution has the stride.
    """

    channels: Literal["in", "out", "max"]
    strides: bool = True
    conv: int | None = None
    conv_strides: bool = True


BASIC = (ConvForm(3, "in_channels", "width", strides="always"), ConvForm(3, "width", "out_channels"))
BOTTLENECK = (
    ConvForm(1, "in_channels", "width", strides="v1"),
    ConvForm(3, "width", "width", strides="v1.5", grouped=True),
    ConvForm(1, "width", "out_channels"),
)
PROJECTION = ShortcutForm("out", conv=0)
