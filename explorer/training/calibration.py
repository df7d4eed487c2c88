"""How far a trained network's confidence can be believed: a temperature, and a score for what it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

import torch
from torch import Tensor
from torch.nn import functional as F

from ..datasets import ImageSet
from .loop import Run, normalise

BINS = 15
IN_DISTRIBUTION = 0.9
_HIGHEST, _LOWEST = 10.0, 0.1


@dataclass(frozen=True)
class Calibration:
    """What was fitted on images that were left out of training, and what it does on the test split.

    Attributes:
        temperature: the logits are divided by this before the softmax (Guo et al. 2017 §4.2).
        error_before, error_after: expected calibration error on the test split, 0 … 1, in ``BINS`` bins.
        familiar: the log-sum-exp of the logits (negative free energy, Liu et al. 2020) that all but a tenth
            (1 − ``IN_DISTRIBUTION``) of the left-out images exceed; photos below it probably show none of the classes.
        images: how many were left out.
    """

    temperature: float
    error_before: float
    error_after: float
    familiar: float
    images: int


def calibrate(run: Run, held_out: ImageSet) -> Calibration:
    """Fit on ``held_out``, which the run has not trained on; measure on ``run.test``."""
    logits, test = logits_of(run, held_out), logits_of(run, run.test)
    temperature = fit_temperature(logits, held_out.labels)
    return Calibration(
        temperature=temperature,
        error_before=calibration_error(test, run.test.labels),
        error_after=calibration_error(test / temperature, run.test.labels),
        familiar=torch.quantile(in_distribution_scores(logits), 1 - IN_DISTRIBUTION).item(),
        images=len(held_out),
    )


@torch.inference_mode()
def logits_of(run: Run, images: ImageSet) -> Tensor:
    """(N, classes) float32 on the CPU, in evaluation mode, without augmentation."""
    mode = run.model.training
    run.model.eval()
    try:
        batches = (normalise(batch, run.mean, run.std, run.device) for batch in images.images.split(250))
        return torch.cat([run.model(batch).cpu() for batch in batches])
    finally:
        run.model.train(mode)


def accuracy(logits: Tensor, labels: Tensor, top: int) -> float:
    """Share of images whose label is among the ``top`` greatest logits, 0 … 1."""
    best = logits.topk(min(top, logits.shape[1])).indices
    return (best == labels[:, None]).any(1).float().mean().item()


def in_distribution_scores(logits: Tensor) -> Tensor:
    """(N, classes) -> (N,) log Σ exp: high where some class fits well, whatever the others do."""
    return logits.logsumexp(1)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The divisor of the logits under which the labels are the most probable, 0.1 … 10."""
    from scipy.optimize import minimize_scalar

    precise = logits.double()

    def loss(logarithm: float) -> float:
        return F.cross_entropy(precise / exp(logarithm), labels).item()

    found = minimize_scalar(loss, bounds=(log(_LOWEST), log(_HIGHEST)), method="bounded")
    return round(exp(found.x), 4)


def calibration_error(logits: Tensor, labels: Tensor) -> float:
    """Expected calibration error, 0 … 1: the gap between confidence and accuracy, averaged over the images.

    Images are sorted into ``BINS`` equal intervals of their confidence (Guo et al. 2017, eq. 3).
    """
    confidence, predicted = logits.double().softmax(1).max(1)
    gap = (predicted == labels).double() - confidence
    interval = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    sums = torch.zeros(BINS, dtype=torch.float64).index_add(0, interval, gap)
    return sums.abs().sum().item() / len(labels)
