"""Random networks for properties: every enum, overrides, widths, groups; all valid, by construction."""

from __future__ import annotations

from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from explorer.errors import SpecError
from explorer.spec import Activation, Block, Init, Norm, ResNetSpec, Shortcut, Stem, StrideOn, ZeroPlacement


def described(**fields: Any) -> ResNetSpec:
    """A spec of words, lists and mappings, as files and forms spell them."""
    return ResNetSpec(**fields)


@st.composite
def specs(
    draw: st.DrawFn,
    *,
    stages: int = 8,
    blocks: int = 24,
    width: int = 256,
    groups: int = 32,
    side: int = 512,
    channels: int = 256,
    classes: int = 100_000,
) -> ResNetSpec:
    """Valid specs up to these bounds. Only a refusal for cost is thrown away: any other one is a bug."""
    count = draw(st.integers(1, stages))
    depths = draw(st.lists(st.integers(1, max(1, blocks // count)), min_size=count, max_size=count))
    widths = draw(st.lists(st.integers(1, width), min_size=count, max_size=count))
    block = draw(st.sampled_from(Block))
    grouped: dict[str, Any] = {}
    if block.is_grouped:
        least = -(-64 // min(widths))  # below it, a block would have no channels
        grouped = {
            "groups": draw(st.integers(1, groups)),
            "width_per_group": draw(st.integers(least, max(least, 128))),
        }
    paths = [f"layer{stage}.{i}" for stage, depth in enumerate(depths, start=1) for i in range(depth)]
    try:
        return described(
            depths=tuple(depths),
            block=block,
            shortcut=draw(st.sampled_from(Shortcut)),
            stem=draw(st.sampled_from(Stem)),
            widths=tuple(widths),
            stride_on=draw(st.sampled_from(StrideOn)),
            norm=draw(st.sampled_from(Norm)),
            activation=draw(st.sampled_from(Activation)),
            init=draw(st.sampled_from(Init)),
            zero_init_residual=draw(st.booleans()),
            zero_pad=draw(st.sampled_from(ZeroPlacement)),
            num_classes=draw(st.integers(1, classes)),
            in_channels=draw(st.integers(1, channels)),
            image_size=draw(st.integers(1, side)),
            shortcut_overrides=draw(st.dictionaries(st.sampled_from(paths), st.sampled_from(Shortcut), max_size=4)),
            **grouped,
        )
    except SpecError as error:
        if "are allowed: lower " not in str(error):
            raise
        return reject()


def small_specs() -> st.SearchStrategy[ResNetSpec]:
    """Specs that run on a processor in milliseconds.."""
    return specs(stages=3, blocks=5, width=12, groups=3, side=33, channels=4, classes=12)


Shape = tuple[int, int, int]


def merges(spec: ResNetSpec) -> dict[str, tuple[Shape, Shape]]:
    """What meets in each block's sum, from the definitions alone: shapes C×H×W of F(x) and of the shortcut.

    Plain blocks have no sum. A sum that PyTorch repeats one side of goes on with the shape that results, one that
    doesn't fit with that of F(x).
    """
    side = -(-spec.image_size // spec.stem_stride)
    found: dict[str, tuple[Shape, Shape]] = {}
    for plan in spec.blocks:
        out = -(-side // plan.stride)
        branch = (plan.out_channels, out, out)
        shortcut = {
            Shortcut.PROJECTION: branch,
            Shortcut.ZERO_PAD: (max(plan.in_channels, plan.out_channels), out, out),
            Shortcut.IDENTITY: (plan.in_channels, side, side),
            Shortcut.NONE: branch,
        }[plan.shortcut_kind]
        if plan.shortcut_kind is not Shortcut.NONE:
            found[plan.path] = branch, shortcut
        side = max(out, shortcut[1]) if repeats(branch, shortcut) else out
    return found


def repeats(a: Shape, b: Shape) -> bool:
    """Whether PyTorch adds the two without an error, though they differ."""
    return a != b and all(x == y or 1 in (x, y) for x, y in zip(a, b, strict=True))


def fits(spec: ResNetSpec) -> bool:
    """Whether both sides of every sum have one shape."""
    return all(branch == shortcut for branch, shortcut in merges(spec).values())


def derails(spec: ResNetSpec) -> bool:
    """Whether a branch of one channel meets a shortcut of several, so that the sum is no input for the next layer."""
    return any(repeats(*sides) and sides[0][0] < sides[1][0] for sides in merges(spec).values())


def normalisable(spec: ResNetSpec) -> bool:
    """Whether no group norm meets a 1×1 map: there PyTorch refuses one image with one channel a group."""
    smallest = -(-spec.image_size // (spec.stem_stride * 2 ** (len(spec.depths) - 1)))
    return spec.norm is not Norm.GROUP or smallest > 1
