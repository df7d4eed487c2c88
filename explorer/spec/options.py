"""The choices the literature names, each an enum whose value is its spelling in JSON and URLs."""

from __future__ import annotations

from enum import Enum


class Option(str, Enum):
    """A named choice; compares equal to, and prints as, its spelling."""

    def __str__(self) -> str:
        return self.value

    @property
    def label(self) -> str:
        """Words for a form or a caption."""
        return LABELS[type(self)][self]


class Block(Option):
    """Residual block: He et al. 2015 (Fig. 5) and the pre-activation forms of He et al. 2016 (Fig. 4e)."""

    BASIC = "basic"
    BOTTLENECK = "bottleneck"
    PREACT_BASIC = "preact_basic"
    PREACT_BOTTLENECK = "preact_bottleneck"

    @property
    def is_bottleneck(self) -> bool:
        return self in (Block.BOTTLENECK, Block.PREACT_BOTTLENECK)

    @property
    def is_preact(self) -> bool:
        return self in (Block.PREACT_BASIC, Block.PREACT_BOTTLENECK)

    @property
    def expansion(self) -> int:
        """Output channels of the block over the stage width."""
        return 4 if self.is_bottleneck else 1

    @property
    def convolutions(self) -> int:
        """Convolutions on the main branch, F(x)."""
        return 3 if self.is_bottleneck else 2


class Shortcut(Option):
    """How x reaches the addition (He et al. 2015 §3.3). A, B, C are the paper's options."""

    ZERO_PAD = "zero_pad"  # A
    PROJECTION = "projection"  # B: only where the shape changes
    PROJECTION_ALL = "projection_all"  # C: in every block
    IDENTITY = "identity"  # never adapts: the forgotten projection
    NONE = "none"  # no addition at all: a plain network


class ZeroPad(Option):
    """Where option A puts the new zero channels; no weight file records it (DESIGN: the paper's code
    appends, a widely used PyTorch port splits)."""

    APPEND = "append"
    SPLIT = "split"


class Stem(Option):
    IMAGENET = "imagenet"
    CIFAR = "cifar"
    DEEP = "deep"


class StrideOn(Option):
    """Which convolution of a bottleneck halves the map: v1 the first 1×1, v1.5 the 3×3 (torchvision)."""

    V1 = "v1"
    V1_5 = "v1.5"


class Norm(Option):
    BATCH = "batch"
    GROUP = "group"
    NONE = "none"


class Activation(Option):
    RELU = "relu"
    LEAKY_RELU = "leaky_relu"
    GELU = "gelu"
    SILU = "silu"


class Init(Option):
    """Weights of convolutions. He: normal, fan-out (torchvision's). Default: what ``torch.nn`` does."""

    HE = "he"
    XAVIER = "xavier"
    ORTHOGONAL = "orthogonal"
    DEFAULT = "default"


# By enum first: options of two enums that are spelled alike, as Shortcut.NONE and Norm.NONE, are equal keys.
LABELS: dict[type[Option], dict[Option, str]] = {
    Block: {
        Block.BASIC: "Basic",
        Block.BOTTLENECK: "Bottleneck",
        Block.PREACT_BASIC: "Pre-act basic",
        Block.PREACT_BOTTLENECK: "Pre-act bottleneck",
    },
    Shortcut: {
        Shortcut.ZERO_PAD: "A · zero-pad",
        Shortcut.PROJECTION: "B · project on change",
        Shortcut.PROJECTION_ALL: "C · project everywhere",
        Shortcut.IDENTITY: "Identity only",
        Shortcut.NONE: "None (plain)",
    },
    ZeroPad: {
        ZeroPad.APPEND: "After the channels",
        ZeroPad.SPLIT: "Half on each side",
    },
    Stem: {
        Stem.IMAGENET: "7×7, stride 2 + pool",
        Stem.CIFAR: "3×3",
        Stem.DEEP: "Deep 3×3×3 + pool",
    },
    StrideOn: {
        StrideOn.V1: "v1 · first 1×1",
        StrideOn.V1_5: "v1.5 · the 3×3",
    },
    Norm: {
        Norm.BATCH: "Batch",
        Norm.GROUP: "Group",
        Norm.NONE: "None",
    },
    Activation: {
        Activation.RELU: "ReLU",
        Activation.LEAKY_RELU: "Leaky ReLU",
        Activation.GELU: "GELU",
        Activation.SILU: "SiLU",
    },
    Init: {
        Init.HE: "He (fan-out)",
        Init.XAVIER: "Xavier",
        Init.ORTHOGONAL: "Orthogonal",
        Init.DEFAULT: "PyTorch default",
    },
}
