"""How large a gradient measurement is, and the largest one within a budget, before anything is built."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

from ..errors import ExplorerError
from ..spec import ResNetSpec
from ..spec.anatomy import Sized, branch_convs, output_pixels, sizes, stem_convs
from ..spec.budget import estimate

GIGA = 10**9
GIB = 2**30


@dataclass(frozen=True)
class Budget:
    """What one network's measurement may take.

    The defaults keep ResNet-50 to seconds on an idle CPU.

    Attributes:
        macs: of all forward passes. The backward passes, about twice as many again, are not counted.
        activation_bytes: saved for backward pass of one batch.
        weight_bytes: of the parameters and their gradients.
    """

    macs: int = 12 * GIGA
    activation_bytes: int = GIB
    weight_bytes: int = 2 * GIB


@dataclass(frozen=True)
class Setting:
    """What was, or will be, measured.

    Attributes:
        batch_size: images in a batch.
        batches: batches, each with images (or at least labels) of its own.
        height, width: of the images, px.
        seed: of weights, images and labels.
        seeds: initial weights measured on these images: those of ``seed``, ``seed`` + 1, ….
        notes: what was reduced to stay within the budget, and why, as sentences.
    """

    batch_size: int
    batches: int
    height: int
    width: int
    seed: int
    notes: tuple[str, ...] = ()
    seeds: int = 1

    @property
    def side(self) -> int:
        """The longer side, px. Costs are those of a square this wide: an upper bound for other images."""
        return max(self.height, self.width)


@dataclass(frozen=True)
class Cost:
    """Cost of one measurement; an upper bound (see ``Setting.side`` and ``activations``).

    Attributes:
        macs: of all forward passes.
        activation_bytes: of one batch.
    """

    macs: int
    activation_bytes: int

    def share(self, budget: Budget) -> float:
        """How much of the budget is used, as the larger of its two shares; 1 is all of it."""
        return max(self.macs / budget.macs, self.activation_bytes / budget.activation_bytes)

    def __str__(self) -> str:
        return _amounts(self.macs, self.activation_bytes)


def cost(spec: ResNetSpec, setting: Setting, value_bytes: int) -> Cost:
    """Cost of a measurement whose activations take ``value_bytes`` each."""
    macs = estimate(spec.with_(image_size=setting.side))[1] * setting.batch_size * setting.batches * setting.seeds
    return Cost(macs, activations(spec, setting.side) * setting.batch_size * value_bytes)


def fit(spec: ResNetSpec, wanted: Setting, value_bytes: int, budget: Budget) -> Setting:
    """``wanted``, or as much of it as the budget allows: smaller images first, then fewer in a batch.

    Images shrink by whole steps of the network's total stride and keep two pixels in the last map, below
    which 3×3 convolutions see little but padding. Batches keep two images, without which batch normalisation
    may fail.

    Args:
        value_bytes: size of one activation or weight, B.

    Raises:
        ExplorerError: even the smallest measurement exceeds the budget.
    """
    weights = 2 * value_bytes * estimate(spec)[0]
    if weights > budget.weight_bytes:
        raise ExplorerError(
            f"weights and their gradients would take {_gib(weights)}; at most {_gib(budget.weight_bytes)} "
            "are allowed. Lower widths or depths."
        )
    sides = _sides(spec, wanted.side)
    fitting = bisect_right(sides, 1.0, key=lambda s: cost(spec, _resized(wanted, s), value_bytes).share(budget))
    smaller = _resized(wanted, sides[max(0, fitting - 1)])
    share = cost(spec, smaller, value_bytes).share(budget)
    fewest = min(2, wanted.batch_size)
    fitted = replace(smaller, batch_size=max(fewest, int(wanted.batch_size / max(1.0, share))))
    least = cost(spec, fitted, value_bytes)
    if least.share(budget) > 1:
        raise ExplorerError(
            f"{_times(fitted)} × {fitted.batch_size} images of {fitted.side} px, the least to be measured, "
            f"take {least}; {_limit(budget)}. Lower widths, depths or the number of batches"
            f"{' or seeds' if fitted.seeds > 1 else ''}."
        )
    notes = _notes(spec, (wanted, smaller, fitted), value_bytes, budget)
    return replace(fitted, notes=(*wanted.notes, *notes))


def activations(spec: ResNetSpec, side: int) -> int:
    """Values that one square image of ``side`` px leaves for the backward pass; an upper estimate.

    Three maps for every convolution: its output, its norm's and its activation's. PyTorch frees the norm's
    behind a ReLU; gradients on their way back then take its place. Pooling and the classifier are not counted.
    """
    stem = sum(conv.outputs * pixels for conv, pixels in output_pixels(stem_convs(spec), (side, side)))
    firsts = sizes(spec, side, side, (run[0] for run in spec.runs))
    blocks = sum(len(run) * _block_values(spec, sized) for run, sized in zip(spec.runs, firsts, strict=True))
    return 3 * (stem + blocks)


def _block_values(spec: ResNetSpec, sized: Sized) -> int:
    """Outputs of the convolutions of the branch and of the shortcut (also of an identity: this is a bound)."""
    plan, before, after = sized
    branch = sum(conv.outputs * pixels for conv, pixels in output_pixels(branch_convs(spec, plan), before))
    return branch + plan.out_channels * after[0] * after[1]


def _sides(spec: ResNetSpec, side: int) -> list[int]:
    """Image sides to choose from, ascending, px; the last is the wanted one."""
    stride = spec.stem_stride * 2 ** (len(spec.depths) - 1)
    return [*range(2 * stride, side, stride), side]


def _resized(wanted: Setting, side: int) -> Setting:
    """The same proportions with a longer side of ``side`` px."""
    height, width = (max(1, round(n * side / wanted.side)) for n in (wanted.height, wanted.width))
    return replace(wanted, height=height, width=width)


def _notes(
    spec: ResNetSpec, steps: tuple[Setting, Setting, Setting], value_bytes: int, budget: Budget
) -> Iterator[str]:
    wanted, smaller, fitted = steps
    if smaller.side < wanted.side:
        yield (
            f"{wanted.side} → {smaller.side} px: at {wanted.side} px the measurement takes "
            f"{cost(spec, wanted, value_bytes)}; {_limit(budget)}."
        )
    if fitted.batch_size < smaller.batch_size:
        yield (
            f"{smaller.batch_size} → {fitted.batch_size} images in a batch: {smaller.batch_size} take "
            f"{cost(spec, smaller, value_bytes)}; {_limit(budget)}."
        )


def _times(setting: Setting) -> str:
    return f"{setting.seeds} × {setting.batches}" if setting.seeds > 1 else str(setting.batches)


def _limit(budget: Budget) -> str:
    return f"{_amounts(budget.macs, budget.activation_bytes)} are allowed"


def _amounts(macs: int, activation_bytes: int) -> str:
    return f"{_tenths(macs / GIGA)} GMACs and {_gib(activation_bytes)}"


def _gib(size: int) -> str:
    return f"{_tenths(size / GIB)} GiB"


def _tenths(value: float) -> str:
    """Rounded up, so that what exceeds a limit never reads as equal to it."""
    return f"{ceil(value * 10 - 1e-9) / 10:,.1f}"
