"""One forward and backward pass, with hooks on the blocks for as long as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ExplorerError
from ..network import ResNet
from ..spec.fields import shown


@dataclass(frozen=True)
class Pass:
    """Numbers of one batch.

    Attributes:
        loss: mean cross-entropy, nats.
        weights: ‖∂loss/∂W‖₂ of every weight layer, in the order of ``weight_layers``.
        outputs: ‖∂loss/∂y‖₂ of every block's output y, input to output.
        stds: population standard deviation of every y.
    """

    loss: float
    weights: tuple[float, ...]
    outputs: tuple[float, ...]
    stds: tuple[float, ...]


@dataclass
class _Watch:
    """Where a pass is, and the block outputs it has left behind, by module path."""

    where: str = "stem"
    outputs: dict[str, Tensor] = field(default_factory=dict)

    def enter(self, path: str, *_: Any) -> None:
        self.where = path

    def leave(self, path: str, _module: nn.Module, _args: Any, output: Tensor) -> None:
        self.outputs[path] = output


def weight_layers(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Module path and weight of every convolution and linear layer, in the order of execution.

    A block's projection comes after its branch.
    """
    for path, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            yield path, module.weight


def measure(model: ResNet, images: Tensor, labels: Tensor) -> Pass:
    """Forward and backward pass of cross-entropy.

    No ``.grad`` is written. In training mode the running statistics of batch norms move.

    Args:
        images: (N, in_channels, H, W), of the model's device and dtype.
        labels: (N,) class indices.

    Raises:
        ExplorerError: the pass failed; the message names the block.
    """
    weights = [weight for _, weight in weight_layers(model)]
    with _watched(model) as watch:
        loss = F.cross_entropy(model(images), labels)
        watch.where = "backward pass"
        outputs = list(watch.outputs.values())
        gradients = [l2_norm(g) for g in torch.autograd.grad(loss, [*weights, *outputs])]
    return Pass(
        loss=loss.item(),
        weights=tuple(gradients[: len(weights)]),
        outputs=tuple(gradients[len(weights) :]),
        stds=tuple(_std(output) for output in outputs),
    )


def l2_norm(values: Tensor) -> float:
    """√Σx² of a tensor of any shape, summed in double precision: float32 squares overflow above 1.8·10¹⁹."""
    return torch.linalg.vector_norm(_precise(values)).item()


def _std(values: Tensor) -> float:
    return _precise(values).std(correction=0).item()


def _precise(values: Tensor) -> Tensor:
    # Apple's GPUs have no doubles.
    return (values.detach().cpu() if values.device.type == "mps" else values.detach()).double()


@contextmanager
def _watched(model: ResNet) -> Iterator[_Watch]:
    """Hooks on every block that record where the pass is and what the block gives."""
    watch = _Watch()
    handles = []
    try:
        for path in (plan.path for plan in model.spec.blocks):
            block = model.get_submodule(path)
            handles.append(block.register_forward_pre_hook(partial(watch.enter, path)))
            handles.append(block.register_forward_hook(partial(watch.leave, path)))
        yield watch
    except (RuntimeError, ValueError) as error:
        raise ExplorerError(_explained(watch.where, error)) from error
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
    return f"{where}: the measurement failed with {shown(text, 160)}"
