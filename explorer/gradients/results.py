"""What a gradient measurement found: values only, so that views need no torch.

A *run* is one batch, or, if several initial weights were measured, one of these (the mean of its batches).
"""

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
        norm: ‖∂L/∂W‖₂, L in nats; mean over the runs.
        low, high: least and greatest of the runs.
        weight_norm: ‖W‖₂; mean over the initial weights.
        output_std: standard deviation of the layer's own output, before norm and activation, over all its values
            (population form); mean over the runs.
        norms, output_stds: of each run.
    """

    path: str
    depth: int
    is_projection: bool
    norm: float
    low: float
    high: float
    weight_norm: float
    output_std: float = nan
    norms: tuple[float, ...] = ()
    output_stds: tuple[float, ...] = ()

    @property
    def relative(self) -> float:
        """‖∂L/∂W‖₂ ÷ ‖W‖₂; NaN if all weights are 0."""
        return self.norm / self.weight_norm if self.weight_norm else nan


@dataclass(frozen=True)
class BlockGradient:
    """What passes one block's output y, (N, C, H, W); means over the runs.

    Attributes:
        path, stage: of the block.
        depth: of the block's last convolution, as in ``LayerGradient``.
        norm: ‖∂L/∂y‖₂ over all of y. L is the mean over the N images, so it falls about as 1/√N.
        activation_std: standard deviation of y over all its values (population form).
        norms, stds: both, of each run.
    """

    path: str
    stage: int
    depth: int
    norm: float
    activation_std: float
    norms: tuple[float, ...] = ()
    stds: tuple[float, ...] = ()

    @property
    def low(self) -> float:
        """Least ``norm`` of the runs."""
        return min(self.norms, default=self.norm)

    @property
    def high(self) -> float:
        return max(self.norms, default=self.norm)

    @property
    def std_low(self) -> float:
        """Least ``activation_std`` of the runs."""
        return min(self.stds, default=self.activation_std)

    @property
    def std_high(self) -> float:
        return max(self.stds, default=self.activation_std)


@dataclass(frozen=True)
class GradientProbe:
    """One network's measurement, in training mode, at its initial weights.

    Attributes:
        layers: every convolution and linear layer in the order of execution; a projection follows its
            block's branch.
        blocks: every block, input to output.
        loss: mean cross-entropy, nats. A network that favours no class has ln(num_classes).
        device, dtype: where and how it was computed, as ``"cpu"`` and ``"float32"``.
        notes: reductions (``setting.notes``), then remarks on the numbers, as sentences.
        images: ``"noise"`` or ``"given"``.
        labels: ``"random"`` or ``"true"``, those given with the images.
    """

    spec: ResNetSpec
    setting: Setting
    layers: tuple[LayerGradient, ...]
    blocks: tuple[BlockGradient, ...]
    loss: float
    device: str
    dtype: str
    notes: tuple[str, ...]
    images: str = "noise"
    labels: str = "random"

    @property
    def seeds(self) -> int:
        """How many initial weights were measured."""
        return self.setting.seeds

    @property
    def spread(self) -> str:
        """What least and greatest are of: ``"batches"`` of one network, or ``"seeds"``."""
        return "seeds" if self.seeds > 1 else "batches"

    @property
    def main_path(self) -> tuple[LayerGradient, ...]:
        """The layers without projections; ``depth`` counts them from 1."""
        return tuple(layer for layer in self.layers if not layer.is_projection)
