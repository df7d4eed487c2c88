"""Hooks on a classifier's network during one explanation; they are always removed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import torch
from torch import Tensor, nn

from ...network.blocks import ResidualBlock
from ..classifier import Classifier
from ..transform import PreprocessedInput

Rest = ParamSpec("Rest")
Result = TypeVar("Result")


@dataclass(frozen=True)
class BorrowedNetwork:
    """A network in evaluation mode that no other thread uses.

    Attributes:
        batch: the preprocessed photo, float32 (1, 3, crop, crop), on the network's device.
    """

    model: nn.Module
    batch: Tensor
    _hooks: ExitStack

    def after(self, module: nn.Module, see: Callable[[Tensor], Tensor | None]) -> None:
        """Call ``see`` with every output of ``module``; a tensor that it returns replaces the output."""

        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor | None:
            return see(output)

        self._hooks.callback(module.register_forward_hook(hook).remove)

    def before(self, module: nn.Module, see: Callable[[Tensor], Tensor | None]) -> None:
        """Call ``see`` with every input of ``module``; a tensor that it returns replaces the input."""

        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor | None:
            return see(inputs[0])

        self._hooks.callback(module.register_forward_pre_hook(hook).remove)

    def block(self, path: str) -> ResidualBlock:
        block = self.model.get_submodule(path)
        assert isinstance(block, ResidualBlock)
        return block


@contextmanager
def borrow_network(classifier: Classifier, model_input: PreprocessedInput) -> Iterator[BorrowedNetwork]:
    """Borrow the network of ``classifier`` and its input; predictions for other photos wait."""
    with classifier.engine.borrow() as model, ExitStack() as hooks:
        device = next(model.parameters()).device
        batch = model_input.tensor.unsqueeze(0).to(device, memory_format=torch.channels_last)
        yield BorrowedNetwork(model, batch, hooks)


def retry_on_cpu(
    explain: Callable[Concatenate[Classifier, Rest], Result],
) -> Callable[Concatenate[Classifier, Rest], Result]:
    """Decorate an explanation: if the GPU runs out of memory, it is computed on the CPU, as predictions are."""

    def explain_or_retry(classifier: Classifier, /, *args: Rest.args, **kwargs: Rest.kwargs) -> Result:
        return classifier.engine.spare(lambda: explain(classifier, *args, **kwargs))

    return cast(Callable[Concatenate[Classifier, Rest], Result], wraps(explain)(explain_or_retry))


def branch_end(block: ResidualBlock) -> nn.Module:
    """The layer whose output is F(x): the last that belongs to neither the shortcut nor the activation."""
    inside = [module for name, module in block.named_children() if name not in ("relu", "downsample")]
    return inside[-1]
