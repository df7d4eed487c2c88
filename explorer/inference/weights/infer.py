"""A network's spec from the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count, takewhile

from ...spec import Block, BlockPlan, Norm, ResNetSpec, Shortcut, Stem

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

_BLOCK = re.compile(r"layer(\d{1,4})\.(\d{1,4})\.")


class Unlike(Exception):
    """A tensor that every residual network has is not there, or not of its rank."""


def infer(shapes: Shapes) -> ResNetSpec:
    """The only spec that could have tensors of these names and shapes; the caller compares whether it has them.

    Raises:
        Unlike: see there.
        SpecError: the spec would be out of bounds.
    """
    depths = _depths(shapes)
    norm = _norm(shapes)
    # Pre-activation networks normalise inside their blocks, not in the stem.
    block = _block(shapes, preact=norm is not Norm.NONE and "bn1.weight" not in shapes)
    last = f"conv{block.convolutions}.weight"
    outs = [_shape_of(shapes, f"layer{stage}.0.{last}")[0] for stage in range(1, len(depths) + 1)]
    widths = [out // block.expansion for out in outs]
    stem, in_channels = _stem(shapes)
    groups, width_per_group = _grouped(shapes, block, widths) if block.is_grouped else (1, 64)
    spec = ResNetSpec(
        depths=tuple(depths),
        block=block,
        shortcut=Shortcut.NONE,
        stem=stem,
        widths=tuple(widths),
        groups=groups,
        width_per_group=width_per_group,
        norm=norm,
        num_classes=_shape_of(shapes, "fc.weight", rank=2)[0],
        in_channels=in_channels,
        image_size=32 if stem is Stem.CIFAR else 224,
    )
    return _with_shortcuts(spec, {plan.path: _projection(shapes, plan.path) for plan in spec.blocks})


def _shape_of(shapes: Shapes, name: str, rank: int = 4) -> Shape:
    shape = shapes.get(name, ())
    if len(shape) != rank:
        raise Unlike(name)
    return shape


def _depths(shapes: Shapes) -> list[int]:
    """Blocks in each stage, as far as both count on without a gap."""
    blocks = {(int(match[1]), int(match[2])) for name in shapes if (match := _BLOCK.match(name))}
    stages: list[int] = []
    while (len(stages) + 1, 0) in blocks:
        stage, depth = len(stages) + 1, 1
        while (stage, depth) in blocks:
            depth += 1
        stages.append(depth)
    return stages


def _norm(shapes: Shapes) -> Norm:
    if any(name.endswith(".running_mean") for name in shapes):
        return Norm.BATCH
    return Norm.GROUP if "layer1.0.bn1.weight" in shapes else Norm.NONE


def _block(shapes: Shapes, preact: bool) -> Block:
    """The block with as many convolutions as the first one in the file, or nearly; then the one with their kernels."""
    names = (f"layer1.0.conv{number}.weight" for number in count(1))
    kernels = [shapes[name][2:] for name in takewhile(shapes.__contains__, names)]

    def distance(block: Block) -> tuple[int, int]:
        pairs = zip(block.form.convs, kernels, strict=False)
        return abs(block.convolutions - len(kernels)), sum(found != (conv.kernel,) * 2 for conv, found in pairs)

    return min((block for block in Block if block.is_preact == preact), key=distance)


def _stem(shapes: Shapes) -> tuple[Stem, int]:
    """The stem with the convolutions in the file, and the channels it reads."""
    first = "conv1.0.weight" if "conv1.0.weight" in shapes else "conv1.weight"
    _, channels, kernel, _ = _shape_of(shapes, first)
    several = [stem for stem in Stem if (stem.convolutions > 1) == (first == "conv1.0.weight")]
    return next((stem for stem in several if stem.form.kernels[0] == kernel), several[0]), channels


def _projection(shapes: Shapes, block: str) -> Shortcut | None:
    """The kind of shortcut whose convolution the file has in this block."""
    convs = {f"{block}.downsample.{kind.form.conv}.weight": kind for kind in Shortcut if kind.form and kind.projects}
    return next((kind.kind(changes_shape=True) for name, kind in convs.items() if name in shapes), None)


def _grouped(shapes: Shapes, block: Block, widths: list[int]) -> tuple[int, int]:
    """Groups, and a width per group that gives every stage's 3×3 its width (``_width_range``)."""
    number = next(n for n, conv in enumerate(block.form.convs, start=1) if conv.grouped)
    inner = [_shape_of(shapes, f"layer{stage}.0.conv{number}.weight") for stage in range(1, len(widths) + 1)]
    if not widths or not all([*widths, *(shape[1] for shape in inner)]):
        raise Unlike(f"conv{number}")
    groups = max(1, inner[0][0] // inner[0][1])
    low, high = _width_range([shape[0] // groups for shape in inner], widths)
    return groups, 64 if low <= 64 <= high else low


def _width_range(per_group: list[int], widths: list[int]) -> tuple[int, int]:
    """Every w with ⌊width × w ÷ 64⌋ = channels per group in all stages; empty where low > high."""
    pairs = list(zip(per_group, widths, strict=True))
    return max(-(-64 * c // w) for c, w in pairs), min(-(-64 * (c + 1) // w) - 1 for c, w in pairs)


def _with_shortcuts(spec: ResNetSpec, projected: Mapping[str, Shortcut | None]) -> ResNetSpec:
    """``spec`` with projections of these kinds by block: the option that needs fewest blocks set singly."""

    def overrides(mode: Shortcut) -> dict[str, Shortcut]:
        usual = spec.with_(shortcut=mode).blocks
        return {
            plan.path: _single(plan, projected[plan.path])
            for plan in usual
            if (plan.shortcut_kind if plan.shortcut_kind.projects else None) is not projected[plan.path]
            # Zeros can be added to a shortcut, channels can't be taken away.
            or (_pads(plan.shortcut_kind) and plan.out_channels < plan.in_channels)
        }

    modes = sorted((mode for mode in Shortcut if mode.adapts), key=lambda mode: mode is not Shortcut.PROJECTION)
    mode, single = min(((mode, overrides(mode)) for mode in modes), key=lambda pair: len(pair[1]))
    return spec.with_(shortcut=mode, shortcut_overrides=tuple(single.items()))


def _pads(kind: Shortcut) -> bool:
    return kind.adapts and not kind.projects


def _single(plan: BlockPlan, projected: Shortcut | None) -> Shortcut:
    """The mode of one block that is not as the others."""
    if projected:
        everywhere = (mode for mode in Shortcut if mode.kind(False) is mode.kind(True) is projected)
        return next(everywhere, projected)
    if not plan.changes_shape:
        return Shortcut.IDENTITY
    return Shortcut.ZERO_PAD if plan.out_channels >= plan.in_channels else Shortcut.NONE
