"""Options of a measurement, and the images and labels that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ExplorerError
from ..spec import ResNetSpec
from ..spec.fields import integer
from .budget import Budget, Setting, fit
from .sums import check_sums

Progress = Callable[[int, int], None]


class ProbeCancelled(ExplorerError):
    """The measurement was stopped between two passes; there is no result."""


class ProbeOptions(TypedDict, total=False):
    """Keyword arguments of every measurement: the fields of ``Options``."""

    batch_size: int
    batches: int
    image_size: int | None
    seed: int
    seeds: int
    device: torch.device | str
    dtype: torch.dtype
    inputs: Tensor | None
    labels: Tensor | None
    budget: Budget
    cancelled: Callable[[], bool] | None


@dataclass(frozen=True, eq=False)
class Options:
    """How to measure.

    Images are standard normal noise and labels random, unless they are given. They and the weights depend on ``seed``
    alone, and two networks see the same images and labels.

    Attributes:
        batch_size: images in a batch, 1 … 1024.
        batches: 1 … 64, each with noise, or at least labels, of its own.
        image_size: side of the noise images, px; ``spec.image_size`` if None.
        seed: of weights, noise and random labels, 0 … 2³¹−1.
        seeds: how many initial weights to measure: those of ``seed``, ``seed`` + 1, …, 1 … 64. Images and labels are
            those of ``seed`` for all.
        inputs: (N, in_channels, H, W) of any finite range, shown instead of noise. Without ``labels`` all of them in
            every batch, with new random labels each time: N then replaces ``batch_size``.
        labels: (N,) class indices of ``inputs``. Batches are then consecutive images, after the last the first again.
        budget: what one network's measurement may take. Beyond it, images shrink (``inputs`` by area), then batches.
        cancelled: called before each pass; True stops.
    """

    batch_size: int = 8
    batches: int = 3
    image_size: int | None = None
    seed: int = 0
    seeds: int = 1
    device: torch.device | str = "cpu"
    dtype: torch.dtype = torch.float32
    inputs: Tensor | None = None
    labels: Tensor | None = None
    budget: Budget = Budget()  # noqa: RUF009  (frozen)
    cancelled: Callable[[], bool] | None = None

    def settle(self, specs: Sequence[ResNetSpec]) -> Setting:
        """One setting that fits every one of these networks; they have the same number of channels and classes.

        Raises:
            ExplorerError: a shortcut does not match, an option is out of bounds, or a network is over budget.
        """
        setting = self._wanted(specs[0])
        for spec in specs:
            check_sums(spec, setting.height, setting.width)
        for spec in specs:
            setting = fit(spec, setting, self.dtype.itemsize, self.budget)
        return setting

    def draw(self, spec: ResNetSpec, setting: Setting) -> Iterator[tuple[Tensor, Tensor]]:
        """Every batch: images (N, in_channels, H, W) and labels (N,), on ``device``.

        Drawn on the CPU and in single precision from one stream of dice, so that every device and dtype sees the same.
        """
        dice = torch.Generator().manual_seed(setting.seed)
        shape = (setting.batch_size, spec.in_channels, setting.height, setting.width)
        places = torch.arange(setting.batch_size)
        for _ in range(setting.batches):
            if self.inputs is None:
                images = torch.randn(shape, generator=dice)
            else:
                images = shrunk(self.inputs[places % len(self.inputs)], setting)
            if self.labels is None:
                labels = torch.randint(spec.num_classes, shape[:1], generator=dice)
            else:
                labels = self.labels[places % len(self.labels)].detach().clone().long()
                places += setting.batch_size
            yield images.to(self.device, self.dtype), labels.to(self.device)

    def _wanted(self, spec: ResNetSpec) -> Setting:
        side = spec.image_size if self.image_size is None else self.image_size
        size = (self.batch_size, side, side) if self.inputs is None else _image_size(self.inputs, spec)
        if self.labels is not None:
            _check_labels(self.labels, self.inputs, spec)
            size = (min(self.batch_size, size[0]), *size[1:])
        return Setting(
            batch_size=integer(1, 1024)("batch_size", size[0]),
            batches=integer(1, 64)("batches", self.batches),
            height=integer(1, 2048)("image_size", size[1]),
            width=integer(1, 2048)("image_size", size[2]),
            seed=integer(0, 2**31 - 1)("seed", self.seed),
            seeds=integer(1, 64)("seeds", self.seeds),
        )


@dataclass
class PassCounter:
    """Counts passes, reports them, and stops if the measurement was cancelled."""

    total: int
    report: Progress | None
    cancelled: Callable[[], bool] | None
    name: str = "batches"
    done: int = 0

    def check(self) -> None:
        """
        Raises:
            ProbeCancelled: ``cancelled()`` was true.
        """
        if self.cancelled is not None and self.cancelled():
            raise ProbeCancelled(f"Stopped after {self.done} of {self.total} {self.name}.")

    def begin(self) -> None:
        """Report 0, once, when the first network is built: its first pass may take half a minute."""
        if self.done == 0 and self.report is not None:
            self.report(0, self.total)

    def advance(self) -> None:
        self.done += 1
        if self.report is not None:
            self.report(self.done, self.total)


def shrunk(images: Tensor, setting: Setting) -> Tensor:
    """Images averaged down to the setting's size.

    A copy, since what comes from ``torch.inference_mode`` cannot enter autograd's graph.
    """
    images = images.detach().clone()
    size = (setting.height, setting.width)
    return images if tuple(images.shape[2:]) == size else F.interpolate(images, size, mode="area")


def _image_size(inputs: Tensor, spec: ResNetSpec) -> tuple[int, int, int]:
    """N, H, W of given images."""
    shape = tuple(inputs.shape)
    if len(shape) != 4 or shape[1] != spec.in_channels or 0 in shape:
        raise ExplorerError(
            f"inputs: got shape {'×'.join(map(str, shape)) or 'of a single number'}, expected N×{spec.in_channels}×H×W"
        )
    if not torch.isfinite(inputs).all():
        raise ExplorerError("inputs: some values are infinite or not a number; finite ones are expected")
    return shape[0], shape[2], shape[3]


def _check_labels(labels: Tensor, inputs: Tensor | None, spec: ResNetSpec) -> None:
    if inputs is None:
        raise ExplorerError("labels: they belong to images; give inputs too")
    if tuple(labels.shape) != (len(inputs),) or labels.is_floating_point() or labels.dtype is torch.bool:
        raise ExplorerError(
            f"labels: got shape {'×'.join(map(str, labels.shape)) or 'of a single number'} of {labels.dtype}; "
            f"{len(inputs)} whole numbers are expected, one for each image"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= spec.num_classes:
        raise ExplorerError(
            f"labels: got {low if low < 0 else high}; the network has {spec.num_classes} classes, counted from 0. "
            "Raise num_classes, or leave labels out for random ones."
        )
