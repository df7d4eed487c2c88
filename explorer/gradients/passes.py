"""One forward and backward pass, with hooks on layers and blocks for as long as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ExplorerError
from ..network import ResNet
from ..spec.fields import quote
from .stats import l2_norm, std


@dataclass(frozen=True)
class Pass:
    """Numbers of one batch, or means of several.

    Attributes:
        loss: mean cross-entropy, nats.
        weights: ‖∂loss/∂W‖₂ of every weight layer, in the order of ``weight_layers``.
        layer_stds: population standard deviation of every weight layer's output.
        outputs: ‖∂loss/∂y‖₂ of every block's output y, input to output.
        stds: population standard deviation of every y.
    """

    loss: float
    weights: tuple[float, ...]
    layer_stds: tuple[float, ...]
    outputs: tuple[float, ...]
    stds: tuple[float, ...]

    @classmethod
    def mean(cls, passes: Sequence[Pass]) -> Pass:
        def means(name: str) -> tuple[float, ...]:
            return tuple(map(mean, zip(*(getattr(p, name) for p in passes), strict=True)))

        return cls(mean([p.loss for p in passes]), *map(means, ("weights", "layer_stds", "outputs", "stds")))


@dataclass
class _Watch:
    """Where a pass is, and what has come by, by module path.

    What either pass gives is kept until its end, and measured then all at once: between two convolutions, sums find
    neither themselves nor the interpreter in the processor's caches, and take several times as long. Little memory is
    lost: autograd keeps most outputs anyway, and their gradients come while it frees what it kept. Only
    values and gradients of the block outputs are kept, not the graph behind them.
    """

    where: str = "stem"
    layers: dict[str, Tensor] = field(default_factory=dict)
    blocks: dict[str, Tensor] = field(default_factory=dict)
    gradients: dict[str, Tensor] = field(default_factory=dict)

    def enter_block(self, path: str, *_: Any) -> None:
        self.where = path

    def leave_block(self, path: str, _module: nn.Module, _args: Any, output: Tensor) -> None:
        self.blocks[path] = output.detach()
        output.register_hook(partial(self.gradients.__setitem__, path))

    def leave_layer(self, path: str, _module: nn.Module, _args: Any, output: Tensor) -> None:
        self.layers[path] = output.detach()

    def take_stds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Standard deviation of what every layer and every block gave, which is kept no longer."""
        stds = tuple({path: std(kept.pop(path)) for path in list(kept)} for kept in (self.layers, self.blocks))
        return stds[0], stds[1]


def weight_layers(model: nn.Module) -> Iterator[tuple[str, nn.Conv2d | nn.Linear]]:
    """Module path and module of every convolution and linear layer, in the order of execution.

    A block's projection comes after its branch.
    """
    for path, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            yield path, module


def measure(model: ResNet, images: Tensor, labels: Tensor) -> Pass:
    """Forward and backward pass of cross-entropy.

    No ``.grad`` is written. In training mode the running statistics of batch norms move.

    Args:
        images: (N, in_channels, H, W), of the model's device and dtype.
        labels: (N,) class indices.

    Raises:
        ExplorerError: the pass failed; the message names the block.
    """
    layers = list(weight_layers(model))
    with _watched(model) as watch:
        loss = F.cross_entropy(model(images), labels)
        layer_stds, block_stds = watch.take_stds()
        watch.where = "backward pass"
        gradients = torch.autograd.grad(loss, [layer.weight for _, layer in layers])
    blocks = [plan.path for plan in model.spec.blocks]
    return Pass(
        loss=loss.item(),
        weights=tuple(map(l2_norm, gradients)),
        layer_stds=tuple(layer_stds[path] for path, _ in layers),
        outputs=tuple(l2_norm(watch.gradients[path]) for path in blocks),
        stds=tuple(block_stds[path] for path in blocks),
    )


def mean(values: Sequence[float]) -> float:
    # Not statistics.fmean, which refuses infinities of a network that overflows.
    return sum(values) / len(values)


@contextmanager
def explained(where: Callable[[], str]) -> Iterator[None]:
    """What torch raises, as a sentence that begins with the part of the network at work.

    Raises:
        ExplorerError: instead of a ``RuntimeError`` or ``ValueError``.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise ExplorerError(_explained(where(), error)) from error


@contextmanager
def _watched(model: ResNet) -> Iterator[_Watch]:
    """Hooks on every block and weight layer, which record where the pass is and what comes by."""
    watch = _Watch()
    handles = []
    try:
        for path in (plan.path for plan in model.spec.blocks):
            block = model.get_submodule(path)
            handles.append(block.register_forward_pre_hook(partial(watch.enter_block, path)))
            handles.append(block.register_forward_hook(partial(watch.leave_block, path)))
        for path, layer in weight_layers(model):
            handles.append(layer.register_forward_hook(partial(watch.leave_layer, path)))
        with explained(lambda: watch.where):
            yield watch
    finally:
        for handle in handles:
            handle.remove()


def _explained(where: str, error: Exception) -> str:
    text = str(error).partition("\n")[0]
    if "more than 1 value per channel" in text:
        return (
            f"{where}: one image leaves one value for each mean and variance, and normalisation needs two. "
            "Take more images in a batch, or larger ones."
        )
    if isinstance(error, torch.OutOfMemoryError) or "not enough memory" in text:
        return f"{where}: memory ran out. Take fewer or smaller images."
    return f"{where}: the measurement failed with {quote(text, 160)}"
