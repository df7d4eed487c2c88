"""What each block adds to the logit of a class, by real forward passes without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..classifier import Classifier
from ..transform import PreprocessedInput
from .gradcam import check_class
from .hooks import BorrowedNetwork, borrow_network, branch_end, retry_on_cpu
from .switch_off import switchable


@dataclass(frozen=True)
class Contribution:
    """The contribution of one block.

    Attributes:
        logit: the class's logit of the whole network less that with this block's branch switched off
            (``predict_without``): above 0, the block speaks for the class. The blocks work on each other's results, so
            the contributions do not add up to the logit.
    """

    block: str
    logit: float


@retry_on_cpu
def contributions(
    classifier: Classifier,
    model_input: PreprocessedInput,
    class_index: int,
    on_block: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[Contribution, ...]:
    """Measure every block of ``switchable``, input to output; empty for a plain network.

    The photo grows into a batch on its way: from each block on, one copy more goes along that had no branch there. So
    a network of N blocks takes the time of about N/2 forward passes, and equal to N separate ones but for rounding.

    Args:
        on_block: hears how many blocks are done, of how many; what it raises ends the computation.

    Raises:
        ExplorerError: there is no such class.
    """
    check_class(classifier, class_index)
    blocks = switchable(classifier.variant.spec)
    with borrow_network(classifier, model_input) as network, torch.no_grad():
        for done, path in enumerate(blocks, start=1):
            _branch_off(network, path)
            network.after(network.block(path), lambda _, done=done: on_block(done, len(blocks)))  # type: ignore[misc]
        logits = network.model(network.batch)[:, class_index].double().cpu()
    changes = (logits[0] - logits[1:]).tolist()
    return tuple(Contribution(block, change) for block, change in zip(blocks, changes, strict=True))


def _branch_off(network: BorrowedNetwork, path: str) -> None:
    """From this block on, one copy more of the photo, whose F(x) is 0 here."""
    block = network.block(path)
    network.before(block, lambda x: torch.cat([x, x[:1]]))
    network.after(branch_end(block), _without_last)


def _without_last(branch: Tensor) -> Tensor:
    return torch.cat([branch[:-1], torch.zeros_like(branch[-1:])])
