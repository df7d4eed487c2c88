"""Training the network that comes with this program: where its data is, how it goes on, where it ends."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import torch

from ..errors import DataError, ExplorerError
from ..spec import ResNetSpec, title
from .datasets import load_cifar10
from .export import export
from .loop import Epoch, Run, Step
from .recipe import Recipe

DATA_VARIABLE = "RESNET_EXPLORER_DATA"
_ROOT = Path(__file__).resolve().parents[2]
RUNS = _ROOT / "runs"
_BESIDE = _ROOT.parent / "shared" / "data" / "cifar10-jpeg.tar.xz"


def find_data(given: Path | None, cache: Path) -> Path:
    """Where CIFAR-10 is: ``given``, ``$RESNET_EXPLORER_DATA``, a copy beside the project, or ``cache``.

    In ``cache`` torchvision looks for it, and downloads it if it isn't there.

    Raises:
        DataError: what was named does not exist.
    """
    named = given or (Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None)
    if named is None:
        return _BESIDE if _BESIDE.is_file() else cache
    if not named.expanduser().exists():
        raise DataError(f"data: nothing is at '{named}'; a folder or archive of CIFAR-10 is expected")
    return named.expanduser()


def for_cifar10(spec: ResNetSpec) -> ResNetSpec:
    """The network with CIFAR-10's input and classes: 3×32×32 and 10."""
    return spec.with_(in_channels=3, image_size=32, num_classes=10)


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
) -> Run:
    """A run of ``for_cifar10(spec)``, continued from ``checkpoint`` if that is there.

    Args:
        source: as ``load_cifar10`` takes it.
        fresh: start anew; ``checkpoint`` is then overwritten after the first epoch.

    Raises:
        DataError: the data or the checkpoint is unusable.
        ExplorerError: the checkpoint is of another network, recipe or data.
    """
    run = Run(for_cifar10(spec), recipe, *load_cifar10(source), device=device)
    if not fresh and not run.resume(checkpoint) and checkpoint.exists():
        raise ExplorerError(
            f"{checkpoint.parent.name}: a run of this name, of another network, recipe or data, has been "
            "trained; give this one another name, or start it anew (fresh)"
        )
    return run


def train(run: Run, checkpoint: Path) -> Iterator[Step | Epoch]:
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


def publish(run: Run, folder: Path, name: str, source: Path) -> Path:
    """Write a finished run's weights and side file into ``folder``; returns the path of the weights."""
    network = title(run.spec).removeprefix("CIFAR ")
    return export(run, folder, name, f"CIFAR-10 {network}", _data_title(source))


def _data_title(source: Path) -> str:
    """What the accuracy was measured on. Images from elsewhere may be altered, so their source is named."""
    images = source.is_file() or (source / "train").is_dir()
    return f"CIFAR-10 from {source.name}" if images else "CIFAR-10"
