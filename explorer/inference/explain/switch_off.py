"""Predictions of a network with some branches switched off."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch

from ...errors import ExplorerError, WeightsError
from ...spec import ResNetSpec, Shortcut
from ..classifier import Classifier
from ..transform import PreprocessedInput
from .hooks import borrow_network, branch_end, retry_on_cpu


@dataclass(frozen=True)
class Score:
    """One class of an answer.

    Attributes:
        index: of the class, from 0.
        logit: before the softmax.
        probability: softmax of the logits over the variant's temperature, 0 … 1; not an accuracy.
    """

    index: int
    name: str
    logit: float
    probability: float


def switchable(spec: ResNetSpec) -> tuple[str, ...]:
    """Paths of the blocks whose branch can be switched off: those with a shortcut, of whatever kind."""
    return tuple(plan.path for plan in spec.blocks if plan.shortcut_kind is not Shortcut.NONE)


@retry_on_cpu
def predict_without(
    classifier: Classifier, model_input: PreprocessedInput, blocks: Collection[str], top: int = 5
) -> tuple[Score, ...]:
    """The most probable classes with the branches of ``blocks`` switched off, computed in float32.

    There F(x) is 0, so that y = σ(s(x)), in pre-activation blocks y = s(x): an identity lets x through; a projection
    or zero-padding stays, as without it shapes would not fit. Nothing else changes, and the network is as before
    afterwards (Veit et al. 2016, "Residual Networks Behave Like Ensembles", §4.1).

    Args:
        blocks: of ``switchable``; none is the network as it is.
        top: how many classes, from 1 to all there are.

    Raises:
        ExplorerError: a block is not there, or has no shortcut.
        WeightsError: the answer is NaN or infinity.
    """
    _check(classifier.variant.spec, blocks)
    with borrow_network(classifier, model_input) as network, torch.no_grad():
        for path in blocks:
            network.after(branch_end(network.block(path)), torch.zeros_like)
        logits = network.model(network.batch)[0].float().cpu()
    if not bool(torch.isfinite(logits).all()):
        raise WeightsError("without these blocks the network returns NaN or infinity instead of a prediction")
    names = classifier.variant.classes
    probabilities, order = torch.softmax(logits / classifier.variant.temperature, 0).topk(min(max(top, 1), len(names)))
    return tuple(
        Score(index, names[index], float(logits[index]), probability)
        for index, probability in zip(order.tolist(), probabilities.tolist(), strict=True)
    )


def _check(spec: ResNetSpec, blocks: Collection[str]) -> None:
    known = switchable(spec)
    for path in sorted(set(blocks) - set(known)):
        if any(plan.path == path for plan in spec.blocks):
            raise ExplorerError(
                f"{path} cannot be switched off: it has no shortcut, so nothing would remain without its branch"
            )
        raise ExplorerError(f"no block is named {path[:60]!a}; blocks run from layer1.0 to {spec.blocks[-1].path}")
