"""The norms of branch and shortcut in each block's residual addition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..classifier import Classifier
from ..transform import PreprocessedInput
from .hooks import BorrowedNetwork, borrow_network, branch_end, retry_on_cpu


class Summands(NamedTuple):
    """The operands of a residual addition, (1, C, H, W) each: F(x) and s(x); s is None in a plain block."""

    branch: Tensor
    shortcut: Tensor | None


@dataclass(frozen=True)
class BranchStrength:
    """The norms in one block, for one photo.

    Attributes:
        branch: ‖F(x)‖₂ over all channels and places.
        shortcut: ‖s(x)‖₂, of what the shortcut brings to the sum: x itself, or x projected or padded. None in a plain
            block.
    """

    block: str
    branch: float
    shortcut: float | None

    @property
    def ratio(self) -> float | None:
        """‖F(x)‖ ÷ ‖s(x)‖; None where there is no shortcut, or it brings nothing."""
        return self.branch / self.shortcut if self.shortcut else None


def branch_strengths(classifier: Classifier, model_input: PreprocessedInput) -> tuple[BranchStrength, ...]:
    """Measure every block, input to output, before the activation after the residual addition."""
    found = summands(classifier, model_input)
    return tuple(
        BranchStrength(block, _norm(parts.branch), None if parts.shortcut is None else _norm(parts.shortcut))
        for block, parts in found.items()
    )


@retry_on_cpu
def summands(classifier: Classifier, model_input: PreprocessedInput) -> dict[str, Summands]:
    """F(x) and s(x) of every block, as the forward pass has them."""
    branches: dict[str, Tensor] = {}
    shortcuts: dict[str, Tensor] = {}
    paths = [plan.path for plan in classifier.variant.spec.blocks]
    with borrow_network(classifier, model_input) as network, torch.no_grad():
        for path in paths:
            _watch(network, path, branches, shortcuts)
        network.model(network.batch)
    return {path: Summands(branches[path], shortcuts.get(path)) for path in paths}


def _watch(network: BorrowedNetwork, path: str, branches: dict[str, Tensor], shortcuts: dict[str, Tensor]) -> None:
    block = network.block(path)
    network.after(branch_end(block), lambda output: branches.update({path: output}))
    if block.downsample is not None:
        network.after(block.downsample, lambda output: shortcuts.update({path: output}))
    elif not block.plain:
        network.before(block, lambda x: shortcuts.update({path: x}))


def _norm(values: Tensor) -> float:
    return float(torch.linalg.vector_norm(values.cpu().double()))
