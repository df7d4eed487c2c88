"""The choices the literature names, each an enum whose value is its spelling in JSON and URLs.

A member contains its labels, and for blocks, stems and shortcuts what they consist of.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from . import forms
from .forms import BlockForm, ShortcutForm, StemForm

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Label:
    """The words for an option, by where they are read.

    Attributes:
        name: in a form or a caption.
        short: in a chart, where a letter or a word must do.
        in_block: as the choice of a single block.
        in_paper: what He et al. 2015 call it, after "option".
        built: what it puts into a block, as a clause.
    """

    name: str
    short: str = ""
    in_block: str = ""
    in_paper: str = ""
    built: str = ""


class Option(str, Enum):
    """A named choice; compares equal to, and prints as, its spelling."""

    _value_: str
    words: Label

    def __new__(cls, value: str, words: str | Label, *rest: Any) -> Option:
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = words if isinstance(words, Label) else Label(words)
        return member

    @classmethod
    def from_spelling(cls, value: object) -> Self:
        """The member with this spelling; ``ValueError`` if there is none."""
        return cast("Any", cls)(value)

    def __str__(self) -> str:
        return self.value

    @property
    def label(self) -> str:
        """Words for a form or a caption."""
        return self.words.name


class Block(Option):
    """Residual block: He et al. 2015 (Fig. 5) and the pre-activation forms of He et al. 2016 (Fig. 4e)."""

    form: BlockForm

    BASIC = "basic", "Basic", BlockForm(forms.BASIC)
    BOTTLENECK = "bottleneck", "Bottleneck", BlockForm(forms.BOTTLENECK, expansion=4)
    PREACT_BASIC = "preact_basic", "Pre-act basic", BlockForm(forms.BASIC, preact=True)
    PREACT_BOTTLENECK = (
        "preact_bottleneck",
        "Pre-act bottleneck",
        BlockForm(forms.BOTTLENECK, expansion=4, preact=True),
    )

    def __init__(self, value: str, words: str, form: BlockForm) -> None:
        self.form = form

    @property
    def is_bottleneck(self) -> bool:
        """Whether it starts with a 1×1 convolution, as the blocks of ResNet-50 and deeper do."""
        return self.form.convs[0].kernel == 1

    @property
    def is_preact(self) -> bool:
        return self.form.preact

    @property
    def is_grouped(self) -> bool:
        """Whether a convolution takes ``groups``, and its width is scaled by ``width_per_group``."""
        return any(conv.grouped for conv in self.form.convs)

    @property
    def has_inner_width(self) -> bool:
        """Whether the channels between its convolutions may differ from those of its output."""
        return self.is_grouped or self.expansion > 1

    @property
    def expansion(self) -> int:
        """Output channels of the block over the stage width."""
        return self.form.expansion

    @property
    def convolutions(self) -> int:
        """Convolutions on the main branch, F(x)."""
        return len(self.form.convs)

    def with_order(self, preact: bool) -> Block | None:
        """The block of the same convolutions with norm and activation before (``preact``) or after them, if any."""
        alike = (b for b in Block if (b.form.convs, b.expansion) == (self.form.convs, self.expansion))
        return next((block for block in alike if block.is_preact == preact), None)


class Shortcut(Option):
    """How x reaches the addition (He et al. 2015 §3.3). A, B, C are the paper's options."""

    form: ShortcutForm | None

    ZERO_PAD = (
        "zero_pad",
        Label("A · zero-pad", "A", "A · zero-pad", "A, zero-padding", "zeros are appended (option A)"),
        ShortcutForm("max"),
    )
    PROJECTION = (  # only where the shape changes
        "projection",
        Label(
            "B · project on change",
            "B",
            "B · 1×1 projection",
            "B, a projection where the shape changes",
            "a projection (option B)",
        ),
        forms.PROJECTION,
    )
    PROJECTION_ALL = (  # in every block
        "projection_all",
        Label("C · project everywhere", "C", "C · 1×1 projection", built="a projection (option C)"),
        forms.PROJECTION,
    )
    IDENTITY = (  # never adapts: the forgotten projection
        "identity",
        Label("Identity only", "Identity", "Identity, x as it is", built="x passes unchanged"),
        ShortcutForm("in", strides=False),
    )
    NONE = (  # no addition at all: a plain network
        "none",
        Label("None (plain)", "None", "None, a plain block", built="there is no shortcut"),
        None,
    )

    def __init__(self, value: str, words: Label, form: ShortcutForm | None) -> None:
        self.form = form

    @property
    def adapts(self) -> bool:
        """Whether a module changes the shape of x."""
        return self.form is not None and self.form.channels != "in"

    @property
    def projects(self) -> bool:
        """Whether it has a convolution. In a pre-activation block such a shortcut reads a = σ(norm(x)), not x."""
        return self.form is not None and self.form.conv is not None

    def kind(self, changes_shape: bool) -> Shortcut:
        """What it builds in a block that changes the shape of x, or in one that does not; never ``PROJECTION_ALL``."""
        if self is Shortcut.PROJECTION_ALL:
            return Shortcut.PROJECTION
        return self if changes_shape or self is Shortcut.NONE else Shortcut.IDENTITY


def modes_of_block(changes_shape: bool) -> tuple[Shortcut, ...]:
    """A mode for each kind of shortcut that such a block can have, the one that says it most plainly."""
    kinds = dict.fromkeys(mode.kind(changes_shape) for mode in Shortcut)
    return tuple(mode_that_builds(kind, changes_shape) for kind in kinds)


def mode_that_builds(kind: Shortcut, changes_shape: bool) -> Shortcut:
    """``kind`` itself, if it builds itself in such a block; else the first mode that builds it."""
    return next(mode for mode in (kind, *Shortcut) if mode.kind(changes_shape) is kind)


class ZeroPlacement(Option):
    """Where option A puts the new zero channels; no weight file records it.

    The paper's code appends them. The CIFAR ResNets by Yerlan Idelbayev (github.com/akamaster/pytorch_resnet_cifar10)
    have half on each side.
    """

    APPEND = "append", "After the channels"
    SPLIT = "split", "Half on each side"


class Stem(Option):
    """What comes before the first stage; deep: ResNet-C (He T. et al. 2019 §4), the 7×7 as three 3×3."""

    form: StemForm

    IMAGENET = "imagenet", "7×7, stride 2 + pool", StemForm((7,), stride=2, pools=True)
    CIFAR = "cifar", "3×3", StemForm((3,))
    DEEP = "deep", "Deep 3×3×3 + pool", StemForm((3, 3, 3), stride=2, pools=True)

    def __init__(self, value: str, words: str, form: StemForm) -> None:
        self.form = form

    @property
    def convolutions(self) -> int:
        return len(self.form.kernels)


class StrideOn(Option):
    """Which convolution of a bottleneck halves the map: v1 the first 1×1, v1.5 the 3×3 (torchvision)."""

    V1 = "v1", "v1 · first 1×1"
    V1_5 = "v1.5", "v1.5 · the 3×3"


class Norm(Option):
    BATCH = "batch", "Batch"
    GROUP = "group", "Group"
    NONE = "none", "None"


class Activation(Option):
    RELU = "relu", "ReLU"
    LEAKY_RELU = "leaky_relu", "Leaky ReLU"
    GELU = "gelu", "GELU"
    SILU = "silu", "SiLU"


class Init(Option):
    """Weights of convolutions. He: normal, fan-out (torchvision's). Default: what ``torch.nn`` does."""

    HE = "he", "He (fan-out)"
    XAVIER = "xavier", "Xavier"
    ORTHOGONAL = "orthogonal", "Orthogonal"
    DEFAULT = "default", "PyTorch default"
