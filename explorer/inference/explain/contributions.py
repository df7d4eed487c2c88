"""What each block adds to a class, and what the answer is without it, measured by forward passes without the block."""

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
    """One block's, measured with its branch switched off (``predict_without``).

    Attributes:
        logit: the class's logit of the whole network less that without this block: above 0, the block speaks for the
            class. Blocks build on each other's results, so that contributions do not sum to the logit.
        probability: of the class without this block, 0 … 1.
        answer: the most probable class without this block.
    """

    block: str
    logit: float
    probability: float
    answer: str


@dataclass(frozen=True)
class Contributions:
    """All blocks' contributions to one class.

    Attributes:
        name: of the class.
        probability: of the class, with all blocks on.
        answer: the most probable class, with all blocks on.
        blocks: from input to output; empty for a plain network.
    """

    name: str
    probability: float
    answer: str
    blocks: tuple[Contribution, ...]


@retry_on_cpu
def contributions(
    classifier: Classifier,
    model_input: PreprocessedInput,
    class_index: int,
    on_block: Callable[[int, int], None] = lambda done, of: None,
) -> Contributions:
    """Switch off every block of ``switchable``, one at a time.

    The photo grows into a batch on its way: each block appends one copy that had no branch there. So N blocks take the
    time of about N/2 forward passes, and give the results of N separate ones up to rounding.

    Args:
        on_block: called with the number of blocks that are done, and of all blocks; what it raises ends the
            computation.

    Raises:
        ExplorerError: there is no such class.
    """
    check_class(classifier, class_index)
    blocks = switchable(classifier.variant.spec)
    with borrow_network(classifier, model_input) as network, torch.no_grad():
        for done, path in enumerate(blocks, start=1):
            _branch_off(network, path)
            network.after(network.block(path), lambda _, done=done: on_block(done, len(blocks)))  # type: ignore[misc]
        logits = network.model(network.batch).float().cpu()
    shares = torch.softmax(logits / classifier.variant.temperature, 1)[:, class_index].tolist()
    answers = [classifier.variant.classes[index] for index in logits.argmax(1).tolist()]
    changes = (logits[0, class_index].double() - logits[1:, class_index].double()).tolist()
    found = zip(blocks, changes, shares[1:], answers[1:], strict=True)
    return Contributions(
        classifier.variant.classes[class_index], shares[0], answers[0], tuple(Contribution(*each) for each in found)
    )


def _branch_off(network: BorrowedNetwork, path: str) -> None:
    """Append a copy of the photo whose F(x) is 0 in this block."""
    block = network.block(path)
    network.before(block, lambda x: torch.cat([x, x[:1]]))
    network.after(branch_end(block), _without_last)


def _without_last(branch: Tensor) -> Tensor:
    return torch.cat([branch[:-1], torch.zeros_like(branch[-1:])])
