"""How even the gradient is along depth, in deeper and deeper networks of one family."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import TYPE_CHECKING

from ..csv_text import lines
from ..errors import ExplorerError
from ..spec import DEPTHS, Norm, ResNetSpec, Shortcut, block_of_depth
from .budget import Setting
from .cases import usual_shortcut
from .options import Options, PassCounter, ProbeOptions, Progress
from .passes import mean
from .probe import probe_at
from .results import GradientProbe
from .signal import Signal, Trend, evenness, gradient_signal, signal_trend

if TYPE_CHECKING:
    from typing_extensions import Unpack

CSV_HEAD = ("depth", "plain", "norm", "first", "last", "ratio", "low", "high", "first_block", "last_block", "evenness")
# Blocks in each stage of He et al.'s CIFAR nets: 20, 32, 44, 56 and 110 layers.
_REPEATS = (3, 5, 7, 9, 18)


@dataclass(frozen=True)
class Span:
    """A number, with the least and the greatest of the runs (batches, or seeds if there are several)."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class SweepPoint:
    """One network of a sweep.

    Attributes:
        first, last: ‖∂L/∂W‖₂ of its first and of its last layer (the classifier), L in nats; means over the runs.
        ratio: ``first`` ÷ ``last``; infinite or NaN if the gradient overflows or ``last`` is 0.
        low, high: least and greatest such ratio of the runs; NaN if some run has none.
        notes: reductions, then remarks on the numbers, as sentences.
        signal: ‖∂L/∂y‖₂ of the block outputs y on its way from the last block to the first; means over the runs.
        trend: what becomes of that signal (see ``signal_trend``).
        block: the same norm of the first block alone.
        blocks: weakest block ÷ strongest (see ``evenness``).
    """

    spec: ResNetSpec
    setting: Setting
    first: float
    last: float
    ratio: float
    low: float
    high: float
    notes: tuple[str, ...]
    signal: Signal
    trend: Trend
    block: Span
    blocks: Span

    @property
    def first_block(self) -> float:
        return self.signal.end

    @property
    def last_block(self) -> float:
        return self.signal.start

    @property
    def evenness(self) -> float:
        return self.blocks.mean

    @property
    def depth(self) -> int:
        """Weighted layers."""
        return self.spec.weighted_layers

    @property
    def plain(self) -> bool:
        return self.spec.is_plain

    @property
    def normalised(self) -> bool:
        return self.spec.norm is not Norm.NONE

    @property
    def norm(self) -> str:
        return str(self.spec.norm)

    @property
    def name(self) -> str:
        """The curve this point is on, in words."""
        return f"{'plain' if self.plain else 'residual'}, {'with' if self.normalised else 'without'} normalisation"


def sweep_depths(spec: ResNetSpec) -> tuple[int, ...]:
    """Named depths of the family ``spec`` belongs to: 18 … 152, or those of the CIFAR nets, 20 … 110.

    A family with other stages or blocks has equal stages of as many blocks as the CIFAR nets.
    """
    return tuple(DEPTHS) if _is_imagenet(spec) else tuple(_layers(spec)(n) for n in _REPEATS)


def sweep_specs(spec: ResNetSpec, depths: Sequence[int] | None = None) -> tuple[ResNetSpec, ...]:
    """Four networks of each depth, ascending: with and without shortcuts, each with and without normalisation.

    Otherwise they are as ``spec``, with two exceptions: they have no ``shortcut_overrides``, and ImageNet networks have
    basic blocks below 50 layers and bottlenecks from there on. If ``spec`` is plain, or has no norm, the residual
    networks get the family's usual shortcut, and those with a norm get batch norm.

    Args:
        depths: layers, as in the network's name; ``sweep_depths(spec)`` if None.

    Raises:
        ExplorerError: the family has no network of such a depth, or one would be too large.
    """
    shortcut = usual_shortcut(spec) if spec.shortcut is Shortcut.NONE else spec.shortcut
    norm = Norm.BATCH if spec.norm is Norm.NONE else spec.norm
    chosen = sorted(set(sweep_depths(spec) if depths is None else depths))
    if not chosen:
        raise ExplorerError("depths: none was given")
    return tuple(
        _of_depth(spec, depth).with_(shortcut=s, norm=n)
        for depth in chosen
        for n in (norm, Norm.NONE)
        for s in (shortcut, Shortcut.NONE)
    )


def depth_sweep(
    spec: ResNetSpec,
    depths: Sequence[int] | None = None,
    *,
    on_progress: Progress | None = None,
    **options: Unpack[ProbeOptions],
) -> Iterator[SweepPoint]:
    """Measure every network of ``sweep_specs``, and yield each point as soon as it is measured.

    All see the same images and labels, in one setting that fits the largest. Options are checked at the call, not at
    the first point.

    Args:
        on_progress: called with the number of networks done and their total, after each.
        options: see ``Options``. ``cancelled`` is called before each batch.

    Raises:
        ExplorerError: as ``sweep_specs`` and ``probe_gradients``.
        ProbeCancelled: ``cancelled()`` was true.
    """
    asked = Options(**options)
    specs = sweep_specs(spec, depths)
    return _points(specs, asked, asked.settle(specs), on_progress)


def sweep_csv(points: Iterable[SweepPoint]) -> str:
    """A header and one row for each point, all digits."""
    rows = ([int(v) if isinstance(v := getattr(p, name), bool) else v for name in CSV_HEAD] for p in points)
    return lines([CSV_HEAD, *rows], end="\n")


def _points(
    specs: Sequence[ResNetSpec], asked: Options, setting: Setting, report: Progress | None
) -> Iterator[SweepPoint]:
    steps = PassCounter(len(specs) * setting.seeds * setting.batches, None, asked.cancelled)
    for done, spec in enumerate(specs, start=1):
        point = _point(probe_at(spec, asked, setting, steps))
        if report is not None:
            report(done, len(specs))
        yield point


def _point(probe: GradientProbe) -> SweepPoint:
    first, last = probe.main_path[0], probe.main_path[-1]
    ratios = [_ratio(a, b) for a, b in zip(first.norms, last.norms, strict=True)]
    known = all(ratio == ratio for ratio in ratios)
    return SweepPoint(
        spec=probe.spec,
        setting=probe.setting,
        first=first.norm,
        last=last.norm,
        ratio=_ratio(first.norm, last.norm),
        low=min(ratios) if known else nan,
        high=max(ratios) if known else nan,
        notes=probe.notes,
        signal=gradient_signal(probe),
        trend=signal_trend(probe),
        block=_span(probe.blocks[0].norms),
        blocks=_span([evenness(run) for run in zip(*(block.norms for block in probe.blocks), strict=True)]),
    )


def _span(runs: Sequence[float]) -> Span:
    known = all(value == value for value in runs)
    return Span(mean(runs), min(runs), max(runs)) if known else Span(nan, nan, nan)


def _ratio(first: float, last: float) -> float:
    return first / last if last else inf if first > 0 else nan


def _is_imagenet(spec: ResNetSpec) -> bool:
    return not spec.is_cifar and len(spec.depths) == 4


def _layers(spec: ResNetSpec) -> Callable[[int], int]:
    """Weighted layers of such a network with n blocks in every stage, as a function of n."""
    stem_and_classifier = spec.stem.convolutions + 1
    return lambda n: stem_and_classifier + spec.block.convolutions * len(spec.depths) * n


def _of_depth(spec: ResNetSpec, depth: int) -> ResNetSpec:
    if _is_imagenet(spec):
        return _imagenet(spec, depth)
    layers = _layers(spec)
    step, least = layers(1) - layers(0), layers(0)
    repeats, rest = divmod(depth - least, step)
    if rest or repeats < 1:
        raise ExplorerError(
            f"depths: got {depth}; with n blocks in each stage this family has {step}n + {least} layers, "
            f"as {layers(1)}, {layers(2)} or {layers(3)}"
        )
    return spec.with_(depths=(repeats,) * len(spec.depths), shortcut_overrides=())


def _imagenet(spec: ResNetSpec, depth: int) -> ResNetSpec:
    if depth not in DEPTHS:
        raise ExplorerError(f"depths: got {depth}; allowed: {', '.join(map(str, DEPTHS))}")
    block = block_of_depth(depth, spec.block.is_preact)
    inner = {} if block.is_grouped else {"groups": 1, "width_per_group": 64}
    return spec.with_(depths=DEPTHS[depth], block=block, shortcut_overrides=(), **inner)
