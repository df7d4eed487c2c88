"""Textbook cases of the gradient's way back, built from a reader's own network; and the counterpart of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import count, pairwise

from ..spec import Activation, Init, Norm, ResNetSpec, Shortcut


@dataclass(frozen=True)
class Depth:
    """Layers with weights between the first block and the last.

    Attributes:
        enough: a network with as many keeps its depth.
        aim: what a shallower one gets at least.
    """

    enough: int
    aim: int


# A layer of a plain network multiplies the gradient's norm by about 0.4 with PyTorch's default weights, and by 1.16 (if
# it is narrow) to 1.19 with batch norm: 0.4¹⁰ = 10⁻⁴, 1.19⁴⁵ = 2500, 1.16⁵² = 2250.
_TO_VANISH, _TO_EXPLODE = Depth(10, 10), Depth(45, 52)


class Case(str, Enum):
    """What happens to the gradient in a textbook case."""

    VANISHING = "vanishing"
    EXPLODING = "exploding"
    SHORTCUTS = "shortcuts"


def apply_case(spec: ResNetSpec, case: Case) -> ResNetSpec:
    """The network with what makes its gradient vanish or explode, or with its shortcuts put back.

    Widths, block type, stem and images stay. A network that is too shallow for the effect gets more blocks.

    Raises:
        SpecError: such a network would be too large.
    """
    return _CASES[case](spec)


def usual_shortcut(spec: ResNetSpec) -> Shortcut:
    """The paper's choice for the family of ``spec``: option A for CIFAR, torchvision's option B for ImageNet.

    Option A only ever adds channels, so that a network that narrows gets B.
    """
    narrows = any(after < before for before, after in pairwise(spec.widths))
    return Shortcut.ZERO_PAD if spec.is_cifar and not narrows else Shortcut.PROJECTION


def with_shortcuts(spec: ResNetSpec) -> ResNetSpec:
    """The network with a matching shortcut around every block; of its own kind, if that matches."""
    kept = tuple((path, mode) for path, mode in spec.shortcut_overrides if mode.adapts)
    return spec.with_(shortcut=spec.shortcut if spec.shortcut.adapts else usual_shortcut(spec), shortcut_overrides=kept)


def counterpart(spec: ResNetSpec) -> ResNetSpec:
    """The network that differs in the shortcuts alone: without any, or with all if ``spec`` is plain."""
    return with_shortcuts(spec) if spec.is_plain else spec.plain()


def _vanishing(spec: ResNetSpec) -> ResNetSpec:
    """Nothing rescales the signal, and the weights are smaller than He et al.'s."""
    return _plain(_deepened(spec, _TO_VANISH)).with_(norm=Norm.NONE, init=Init.DEFAULT)


def _exploding(spec: ResNetSpec) -> ResNetSpec:
    """Batch norm at initial weights multiplies the gradient in every layer (Yang et al. 2019)."""
    return _plain(_deepened(spec, _TO_EXPLODE)).with_(norm=Norm.BATCH, init=Init.HE)


_CASES: dict[Case, Callable[[ResNetSpec], ResNetSpec]] = {
    Case.VANISHING: _vanishing,
    Case.EXPLODING: _exploding,
    Case.SHORTCUTS: with_shortcuts,
}


def _plain(spec: ResNetSpec) -> ResNetSpec:
    return spec.plain().with_(activation=Activation.RELU, zero_init_residual=False)


def _deepened(spec: ResNetSpec, depth: Depth) -> ResNetSpec:
    """The network, or if it is too shallow, one whose stages all have at least as many blocks as ``depth`` needs."""
    stages, per_block = len(spec.depths), spec.block.convolutions
    if (sum(spec.depths) - 1) * per_block >= depth.enough:
        return spec
    repeats = next(n for n in count(1) if (n * stages - 1) * per_block >= depth.aim)
    return spec.with_(depths=tuple(max(repeats, blocks) for blocks in spec.depths), shortcut_overrides=())
