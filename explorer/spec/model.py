"""The one value everything else is computed from: a frozen description of a residual network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import groupby
from typing import Any

from ..errors import SpecError
from .budget import estimate
from .fields import FieldLabel, boolean, choice, integer, integers, overrides, quote, spec_field
from .options import Activation, Block, Init, Norm, Shortcut, Stem, StrideOn, ZeroPlacement

MAX_BLOCKS = 1024
MAX_PARAMS = 2_000_000_000
MAX_MACS = 20_000_000_000_000


@dataclass(frozen=True)
class BlockPlan:
    """Geometry of one block, derived from the spec.

    Attributes:
        path: module path, ``layer{stage}.{index}``; stages count from 1, blocks from 0.
        in_channels, out_channels: channels of x and of the sum.
        width: channels between the block's convolutions.
        stride: 1 or 2, of the block as a whole.
        shortcut: the mode in force for this block, overrides applied.
    """

    path: str
    stage: int
    index: int
    in_channels: int
    width: int
    out_channels: int
    stride: int
    shortcut: Shortcut

    @property
    def changes_shape(self) -> bool:
        """Whether the shapes of x and F(x) differ."""
        return self.stride != 1 or self.in_channels != self.out_channels

    @property
    def geometry(self) -> tuple[int, int, int, int, int, Shortcut]:
        """What is built, and in which stage: equal for blocks that differ in nothing but their index."""
        return self.stage, self.in_channels, self.width, self.out_channels, self.stride, self.shortcut_kind

    @property
    def shortcut_kind(self) -> Shortcut:
        """What is built: ``ZERO_PAD``, ``PROJECTION``, ``IDENTITY`` or ``NONE`` (options A, B adapt only on change)."""
        return self.shortcut.kind(self.changes_shape)


@dataclass(frozen=True)
class ResNetSpec:
    """A residual network, whole (He et al. 2015, "Deep Residual Learning", and 2016, "Identity Mappings").

    The defaults are torchvision's ``resnet18``. Construction validates; the error names the field.

    Attributes:
        depths: blocks in each stage, input to output; every stage after the first halves the map.
        widths: base channels of each stage, before a bottleneck's ×4; the stem has ``widths[0]``.
        groups, width_per_group: of a bottleneck's 3×3, as in ResNeXt and Wide ResNet; basic blocks take 1 and 64.
        shortcut_overrides: shortcut mode of single blocks, as ``{"layer2.0": "identity"}``.
        zero_pad: where option A puts its zeros.
        zero_init_residual: the last layer of every F starts at 0, so that each block starts as the identity.
        image_size: height and width of the square input, px.

    Raises:
        SpecError: a value is out of bounds, or two fields contradict each other.
    """

    depths: tuple[int, ...] = spec_field((2, 2, 2, 2), integers(1, 512, 8), "Blocks in each stage")
    block: Block = spec_field(Block.BASIC, choice(Block), "Block type")
    shortcut: Shortcut = spec_field(
        Shortcut.PROJECTION, choice(Shortcut), "Shortcut mode", short="Shortcut", change="Shortcuts"
    )
    stem: Stem = spec_field(Stem.IMAGENET, choice(Stem), "Stem")
    widths: tuple[int, ...] = spec_field(
        (64, 128, 256, 512), integers(1, 8192, 8), "Width of each stage", change="Widths"
    )
    groups: int = spec_field(1, integer(1, 1024), "Groups of the 3×3")
    width_per_group: int = spec_field(64, integer(1, 4096), "Width per group")
    stride_on: StrideOn = spec_field(StrideOn.V1_5, choice(StrideOn), "Bottleneck strides in")
    norm: Norm = spec_field(Norm.BATCH, choice(Norm), "Normalisation")
    activation: Activation = spec_field(Activation.RELU, choice(Activation), "Activation")
    init: Init = spec_field(Init.HE, choice(Init), "Initial weights")
    zero_init_residual: bool = spec_field(
        False, boolean, "Last layer of every branch starts at 0", short="Last layer of a branch"
    )
    zero_pad: ZeroPlacement = spec_field(ZeroPlacement.APPEND, choice(ZeroPlacement), "Option A puts zeros")
    num_classes: int = spec_field(1000, integer(1, 100_000), "Classes")
    in_channels: int = spec_field(3, integer(1, 256), "Input channels")
    image_size: int = spec_field(224, integer(1, 2048), "Input side, px")
    shortcut_overrides: tuple[tuple[str, Shortcut], ...] = spec_field((), overrides, "Shortcuts of single blocks")

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, f.metadata["parse"](f.name, getattr(self, f.name)))
        _check_consistent(self)
        _check_budget(self)

    @cached_property
    def blocks(self) -> tuple[BlockPlan, ...]:
        """Every block from input to output."""
        return tuple(_plan(self))

    @cached_property
    def runs(self) -> tuple[tuple[BlockPlan, ...], ...]:
        """The blocks, in groups of neighbours that differ in nothing but their place."""
        return tuple(tuple(run) for _, run in groupby(self.blocks, key=lambda plan: plan.geometry))

    @property
    def stem_stride(self) -> int:
        return self.stem.form.stride * (2 if self.stem.form.pools else 1)

    @property
    def is_cifar(self) -> bool:
        """Whether it belongs to the CIFAR networks, whose stem keeps the size of the image."""
        return self.stem is Stem.CIFAR

    @property
    def out_channels(self) -> int:
        """Channels that reach the classifier."""
        return self.widths[-1] * self.block.expansion

    @property
    def weighted_layers(self) -> int:
        """Layers with weights on the main path: the number in "ResNet-50". Projections and norms are not counted."""
        return self.stem.convolutions + self.block.convolutions * sum(self.depths) + 1

    @property
    def is_plain(self) -> bool:
        return all(b.shortcut_kind is Shortcut.NONE for b in self.blocks)

    def plain(self) -> ResNetSpec:
        """The same network without its shortcuts (He et al. 2015 §3.3, "plain network")."""
        return replace(self, shortcut=Shortcut.NONE, shortcut_overrides=())

    def with_(self, **changes: Any) -> ResNetSpec:
        """A validated copy with some fields changed."""
        return replace(self, **changes)


# Words for each field of the spec.
FIELD_LABELS: dict[str, FieldLabel] = {f.name: f.metadata["label"] for f in fields(ResNetSpec)}


def _plan(spec: ResNetSpec) -> Iterator[BlockPlan]:
    overridden = dict(spec.shortcut_overrides)
    channels = spec.widths[0]
    for stage, (depth, base) in enumerate(zip(spec.depths, spec.widths, strict=True), start=1):
        # torchvision.models.resnet: basic blocks ignore width_per_group, bottlenecks scale by it.
        width = base * spec.width_per_group // 64 * spec.groups if spec.block.is_grouped else base
        for index in range(depth):
            path = f"layer{stage}.{index}"
            stride = 2 if stage > 1 and index == 0 else 1
            out = base * spec.block.expansion
            mode = overridden.get(path, spec.shortcut)
            yield BlockPlan(path, stage, index, channels, width, out, stride, mode)
            channels = out


def _check_consistent(spec: ResNetSpec) -> None:
    if len(spec.widths) != len(spec.depths):
        raise SpecError(
            "widths", f"got {len(spec.widths)} widths for {len(spec.depths)} stages; give one width for each stage"
        )
    if sum(spec.depths) > MAX_BLOCKS:
        raise SpecError("depths", f"got {sum(spec.depths)} blocks in total; at most {MAX_BLOCKS} are allowed")
    if not spec.block.is_grouped:
        for name, usual in (("groups", 1), ("width_per_group", 64)):
            if getattr(spec, name) != usual:
                raise SpecError(
                    name,
                    f"got {getattr(spec, name)} with block={spec.block}; basic blocks take {usual} only: "
                    f"set {name}={usual} or choose a bottleneck block",
                )
    for plan in spec.blocks:
        if plan.width < 1:
            raise SpecError(
                "width_per_group",
                f"got {spec.width_per_group}, which leaves {plan.path} no channels; "
                f"width × width_per_group ÷ 64 must be at least 1",
            )
        if plan.width > 65_536:
            raise SpecError(
                "groups", f"{plan.path} would have {plan.width:,} channels inside; at most 65,536 are allowed"
            )
    unknown = dict(spec.shortcut_overrides).keys() - {b.path for b in spec.blocks}
    if unknown:
        raise SpecError(
            "shortcut_overrides",
            f"no block is named {quote(min(unknown))}; blocks run from layer1.0 to {spec.blocks[-1].path}",
        )


def _check_budget(spec: ResNetSpec) -> None:
    """Reject networks that are too large for a workstation, before anything is built."""
    params, macs = estimate(spec)
    if params > MAX_PARAMS:
        raise SpecError(
            "widths",
            f"about {params:,} parameters; at most {MAX_PARAMS:,} are allowed: lower widths, groups or depths",
        )
    if macs > MAX_MACS:
        raise SpecError(
            "image_size", f"about {macs:,} MACs; at most {MAX_MACS:,} are allowed: lower image_size, widths or depths"
        )
