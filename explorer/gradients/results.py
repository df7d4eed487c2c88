"""What a gradient measurement found: values only, so that views need no torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from ..spec import ResNetSpec
from .budget import Setting


@dataclass(frozen=True)
class LayerGradient:
    """Gradient of the loss L with respect to one layer's weight tensor W. Biases and norms are not measured.

    Attributes:
        path: module path of the convolution or linear layer.
        depth: 1 … ``spec.weighted_layers`` along the main path; a projection has that of its block's last
            convolution, beside which it joins.
        is_projection: whether the layer is on a shortcut.
        norm: ‖∂L/∂W‖₂, L in nats; mean over the batches.
        low, high: least and greatest of the batches.
        weight_norm: ‖W‖₂.
    """

    path: str
    depth: int
    is_projection: bool
    norm: float
    low: float
    high: float
    weight_norm: float

    @property
    def relative(self) -> float:
        """‖∂L/∂W‖₂ ÷ ‖W‖₂; NaN where all weights are 0."""
        return self.norm / self.weight_norm if self.weight_norm else nan


@dataclass(frozen=True)
class BlockGradient:
    """What passes one block's output y, (N, C, H, W); means over the batches.

    Attributes:
        path, stage: of the block.
        depth: of the block's last convolution, as in ``LayerGradient``.
        norm: ‖∂L/∂y‖₂ over all of y. L is the mean over the N images, so it falls about as 1/√N.
        activation_std: standard deviation of y over all its values (population form).
    """

    path: str
    stage: int
    depth: int
    norm: float
    activation_std: float


@dataclass(frozen=True)
class GradientProbe:
    """One network's measurement, in training mode, at its initial weights.

    Attributes:
        layers: every convolution and linear layer in the order of execution; a projection follows its
            block's branch.
        blocks: every block, input to output.
        loss: mean cross-entropy, nats. Labels are random: a network that favours no class has
            ln(num_classes).
        device, dtype: where and how it was computed, as ``"cpu"`` and ``"float32"``.
        notes: reductions (``setting.notes``), then what the numbers need said, as sentences.
    """

    spec: ResNetSpec
    setting: Setting
    layers: tuple[LayerGradient, ...]
    blocks: tuple[BlockGradient, ...]
    loss: float
    device: str
    dtype: str
    notes: tuple[str, ...]

    @property
    def main_path(self) -> tuple[LayerGradient, ...]:
        """The layers without projections; ``depth`` counts them from 1."""
        return tuple(layer for layer in self.layers if not layer.is_projection)
