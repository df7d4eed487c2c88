"""Save a run after every epoch, and resume it from there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from pathlib import Path

import torch

from ..datasets import CIFAR10, DataSet
from ..errors import ExplorerError
from ..spec import ResNetSpec
from .loop import Epoch, Run, TrainingStep
from .recipe import Recipe

RUNS = Path(__file__).resolve().parents[2] / "runs"


def checkpoint_path(name: str, runs: Path = RUNS) -> Path:
    """``runs/<name>/last.pt``.

    Raises:
        ExplorerError: ``name`` is not fit for a file.
    """
    if not re.fullmatch(r"\w[\w.-]{0,63}", name, re.ASCII):
        raise ExplorerError(
            f"name: got {name[:40]!a}; 1 to 64 letters, digits, dots, hyphens and underscores are allowed"
        )
    return runs / name / "last.pt"


def prepare(
    spec: ResNetSpec,
    recipe: Recipe,
    source: Path,
    checkpoint: Path,
    *,
    device: torch.device,
    fresh: bool = False,
    data: DataSet = CIFAR10,
) -> Run:
    """A run of ``data.fit(spec)``, continued from ``checkpoint`` if that exists.

    Every fiftieth training image is held out, for calibration, if ``data`` says so.

    Args:
        source: as ``data.load`` takes it.
        fresh: start from the first epoch; ``checkpoint`` is then overwritten after it.

    Raises:
        DataError: the data or the checkpoint is unusable.
        ExplorerError: the checkpoint is of another network, recipe or data.
    """
    images, test = data.load(source)
    train, held_out = images.without_held_out() if data.held_out else (images, None)
    run = Run(data.fit(spec), recipe, train, test, device=device, held_out=held_out)
    if not fresh and not run.resume(checkpoint) and checkpoint.exists():
        raise ExplorerError(
            f"{checkpoint.parent.name}: a run of this name, of another network, recipe or data, has been "
            "trained; give this one another name, or start again (fresh)"
        )
    return run


def polish(run: Run, recipe: Recipe, checkpoint: Path) -> Run:
    """A run by ``recipe`` that begins with the weights of ``run``, continued from ``checkpoint`` if that exists."""
    finished = {"recipe": run.recipe.to_dict(), "curves": [asdict(epoch) for epoch in run.history]}
    after = Run(run.spec, recipe, run.train, run.test, run.device, run.held_out, before=(*run.before, finished))
    if not after.resume(checkpoint):
        after.model.load_state_dict(run.model.state_dict())
    return after


def train(run: Run, checkpoint: Path) -> Iterator[TrainingStep | Epoch]:
    """``run.events()``, saved to ``checkpoint`` after every epoch.

    Raises:
        ExplorerError: the loss is no longer finite, or the memory doesn't suffice.
    """
    try:
        for event in run.events():
            if not isfinite(event.loss):
                raise ExplorerError(f"epoch {event.epoch + 1}: the loss is no longer finite; lower the learning rate")
            if isinstance(event, Epoch):
                run.save(checkpoint)
            yield event
    except torch.OutOfMemoryError as error:
        raise ExplorerError(f"{run.device}: the memory is full; lower the batch size") from error
