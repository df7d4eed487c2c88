"""A residual network as 2ⁿ paths, and the gradient that paths of each length carry.

Veit, Wilber & Belongie 2016, "Residual Networks Behave Like Ensembles of Relatively Shallow Networks": each of n
residual blocks passes the gradient through its branch F or through its shortcut. A path of length k goes
through k branches; there are C(n, k) such paths.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from math import comb, exp, inf, isfinite, log, nan, sqrt
from statistics import linear_regression
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..csv_text import lines
from ..errors import ExplorerError
from ..network import ResNet, build
from ..spec import ResNetSpec, Shortcut
from ..spec.fields import integer
from .budget import Setting
from .options import Options, PassCounter, ProbeOptions, Progress
from .passes import explained, mean
from .stats import l2_norm

if TYPE_CHECKING:
    from typing_extensions import Unpack

CSV_HEAD = ("length", "paths", "share_of_paths", "gradient", "low", "high", "share_of_gradient")
_SAMPLES = 4


@dataclass(frozen=True)
class PathLength:
    """The paths that pass k of the n branches.

    Attributes:
        length: k.
        paths: C(n, k), exactly.
        share_of_paths: C(n, k) ÷ 2ⁿ.
        norms: ‖∂L/∂x‖₂ at the network's input x along each sampled path; L in nats.
        share_of_gradient: ``paths`` × ``gradient`` ÷ the sum of these over all measured lengths; NaN if that is 0
            or not finite.
    """

    length: int
    paths: int
    share_of_paths: float
    norms: tuple[float, ...]
    share_of_gradient: float

    @property
    def gradient(self) -> float:
        """Mean of ``norms``: of one path."""
        return mean(self.norms)

    @property
    def low(self) -> float:
        return min(self.norms)

    @property
    def high(self) -> float:
        return max(self.norms)


@dataclass(frozen=True)
class PathLengths:
    """What the paths of one network carry, in training mode, at its initial weights.

    Attributes:
        blocks: n, the residual blocks. Blocks without a shortcut are on every path and are not counted.
        lengths: the measured ones, ascending.
        device, dtype: where and how it was computed, as ``"cpu"`` and ``"float32"``.
        notes: reductions, then what the numbers need said, as sentences.
    """

    spec: ResNetSpec
    setting: Setting
    blocks: int
    lengths: tuple[PathLength, ...]
    device: str
    dtype: str
    notes: tuple[str, ...]

    @property
    def samples(self) -> int:
        """The most paths drawn of one length."""
        return max(len(length.norms) for length in self.lengths)

    @property
    def mean_length(self) -> float:
        """Mean over all 2ⁿ paths: n ÷ 2."""
        return self.blocks / 2

    @cached_property
    def effective_length(self) -> float:
        """Mean length, weighted by the share of the gradient."""
        return sum(one.length * one.share_of_gradient for one in self.lengths)

    @property
    def shift(self) -> float:
        """How much longer the paths are that carry the gradient than all paths are: difference of the mean lengths, in
        standard deviations of the 2ⁿ paths' lengths, √n ÷ 2. Negative: shorter paths carry it. NaN without shares."""
        return (self.effective_length - self.mean_length) / (sqrt(self.blocks) / 2)

    @property
    def per_branch(self) -> float:
        """Factor by which a path's gradient changes with every branch more, by least squares of its logarithm.

        NaN if fewer than two lengths carry a finite gradient above 0.
        """
        known = [(one.length, log(one.gradient)) for one in self.lengths if one.gradient > 0 and isfinite(one.gradient)]
        if len(known) < 2:
            return nan
        return exp(linear_regression(*zip(*known, strict=True)).slope)

    def carried(self, share: float = 0.95) -> tuple[int, int] | None:
        """Least and greatest length of the shortest run that carries at least ``share`` of the gradient, if any."""
        sums = [0.0]
        for one in self.lengths:
            sums.append(sums[-1] + one.share_of_gradient)
        runs = ((j - i, i, j) for i, j in combinations(range(len(sums)), 2) if sums[j] - sums[i] >= share - 1e-12)
        _, start, end = min(runs, default=(0, 0, 0))
        return (self.lengths[start].length, self.lengths[end - 1].length) if end else None


def path_lengths(
    spec: ResNetSpec,
    *,
    lengths: Sequence[int] | None = None,
    samples: int = _SAMPLES,
    on_progress: Progress | None = None,
    **options: Unpack[ProbeOptions],
) -> PathLengths:
    """Sample paths of every length and measure the gradient each brings to the network's input (Veit et al. 2016 §4).

    The forward pass is whole. In the backward pass a block on the path lets the gradient through F only, as in
    y = F(x) + s(x).detach(), any other through s only, as in y = F(x).detach() + s(x). What follows an addition (an
    activation), and a projection's convolution, are part of the paths through them.

    Args:
        lengths: which k to measure, 0 … n; all of them if None.
        samples: paths of each length and batch, 1 … 1000, no path twice; all of them if there are no more.
        on_progress: called with the number of backward passes done and their total, after each.
        options: see ``Options``.

    Raises:
        ExplorerError: the network has no shortcuts, or as ``probe_gradients``.
        ProbeCancelled: ``cancelled()`` was true.
    """
    blocks = [plan.path for plan in spec.blocks if plan.shortcut_kind is not Shortcut.NONE]
    if not blocks:
        raise ExplorerError(
            "A plain network has one path, through all its layers, so there are no path lengths to compare. "
            "Choose a shortcut."
        )
    whole = integer(0, len(blocks))
    wanted = sorted({whole("lengths", k) for k in (range(len(blocks) + 1) if lengths is None else lengths)})
    if not wanted:
        raise ExplorerError(f"lengths: none was given; 0 to {len(blocks)} are allowed")
    asked = Options(**options)
    setting = asked.settle([spec])
    dice = random.Random(setting.seed)
    drawn = [tuple(_draw(blocks, k, integer(1, 1000)("samples", samples), dice)) for k in wanted]
    steps = PassCounter(
        setting.seeds * setting.batches * sum(map(len, drawn)), on_progress, asked.cancelled, "backward passes"
    )
    norms = _measure(spec, asked, setting, drawn, steps)
    measured = tuple(_with_shares(len(blocks), wanted, norms))
    return PathLengths(
        spec=spec,
        setting=setting,
        blocks=len(blocks),
        lengths=measured,
        device=str(torch.device(asked.device)),
        dtype=str(asked.dtype).removeprefix("torch."),
        notes=(*setting.notes, *_remarks(len(blocks), measured)),
    )


def path_csv(result: PathLengths) -> str:
    """A header and one row for each length, all digits."""
    rows = ([getattr(one, name) for name in CSV_HEAD] for one in result.lengths)
    return lines([CSV_HEAD, *rows], end="\n")


class _Gate(torch.autograd.Function):
    """The identity, whose gradient passes only while ``name`` is in ``open_gates``.

    A gradient that does not pass is absent, not zero: autograd then computes nothing behind it.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, name: str, open_gates: set[str], closes: bool) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.passes = lambda: (name in open_gates) is not closes
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, None, None]:
        return (gradients[0] if ctx.passes() else None), None, None, None


def _gate(f: Callable[[Tensor], Tensor], path: str, open_gates: set[str], closes: bool, x: Tensor) -> Tensor:
    gated: Tensor = _Gate.apply(f(x), path, open_gates, closes)  # type: ignore[no-untyped-call]
    return gated


@contextmanager
def gated(model: ResNet) -> Iterator[set[str]]:
    """A set of block paths, to be changed before every backward pass: these pass the gradient through F only.

    All other residual blocks pass it through their shortcut only.
    """
    chosen: set[str] = set()
    blocks: list[Any] = [model.get_submodule(plan.path) for plan in model.spec.blocks]
    residual = [(plan.path, block) for plan, block in zip(model.spec.blocks, blocks, strict=True) if not block.plain]
    for path, block in residual:
        block.branch = partial(_gate, block.branch, path, chosen, False)
        block.shortcut = partial(_gate, block.shortcut, path, chosen, True)
    try:
        yield chosen
    finally:
        for _, block in residual:
            del block.branch, block.shortcut  # the methods of its class are seen again


def _draw(blocks: Sequence[str], length: int, samples: int, dice: random.Random) -> Iterator[frozenset[str]]:
    """Different paths of this length; all of them if there are no more than ``samples``."""
    if comb(len(blocks), length) <= samples:
        yield from map(frozenset, combinations(blocks, length))
        return
    seen: set[frozenset[str]] = set()
    while len(seen) < samples:
        path = frozenset(dice.sample(blocks, length))
        if path not in seen:
            seen.add(path)
            yield path


def _measure(
    spec: ResNetSpec, asked: Options, setting: Setting, drawn: Sequence[Sequence[frozenset[str]]], steps: PassCounter
) -> list[list[float]]:
    """‖∂L/∂x‖₂ of every path, by length."""
    norms: list[list[float]] = [[] for _ in drawn]
    # The caller may be inside torch.no_grad or torch.inference_mode.
    with torch.inference_mode(False), torch.enable_grad(), explained(lambda: "paths"):
        for seed in range(setting.seed, setting.seed + setting.seeds):
            # The weights' gradients are not needed.
            model = build(spec, seed=seed).to(asked.device, asked.dtype).requires_grad_(False)
            for images, labels in asked.draw(spec, setting):
                with gated(model) as chosen:
                    loss = F.cross_entropy(model(images.requires_grad_()), labels)
                    for paths, found in zip(drawn, norms, strict=True):
                        for path in paths:
                            steps.check()
                            chosen.clear()
                            chosen.update(path)
                            (gradient,) = torch.autograd.grad(loss, images, retain_graph=True)
                            found.append(l2_norm(gradient))
                            steps.advance()
    return norms


def _with_shares(blocks: int, lengths: Sequence[int], norms: Sequence[Sequence[float]]) -> Iterator[PathLength]:
    # Through logarithms: C(1024, 512) × a gradient is beyond a double.
    totals = [log(comb(blocks, k)) + _log(mean(found)) for k, found in zip(lengths, norms, strict=True)]
    greatest = max(totals)
    weights = [exp(total - greatest) if isfinite(greatest) else nan for total in totals]
    for k, found, weight in zip(lengths, norms, weights, strict=True):
        yield PathLength(k, comb(blocks, k), comb(blocks, k) / 2**blocks, tuple(found), weight / sum(weights))


def _log(value: float) -> float:
    return log(value) if value > 0 else nan if value != value else -inf


def _remarks(blocks: int, lengths: Sequence[PathLength]) -> Iterator[str]:
    if len(lengths) < blocks + 1:
        yield f"{len(lengths)} of {blocks + 1} lengths were measured; shares of the gradient are of these."
    if any(not isfinite(norm) for one in lengths for norm in one.norms):
        yield "Some gradients overflow, so that no share of them can be given."
    zeros = [one.length for one in lengths if not any(one.norms)]
    if len(zeros) == len(lengths):
        yield "No path carries a gradient."
    elif zeros:
        yield f"{len(zeros)} of {len(lengths)} lengths carry a gradient of exactly 0."
