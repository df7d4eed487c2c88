"""The training loop: a generator of events, so that its caller can pause or stop it after any of them."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..datasets import ImageSet
from ..errors import DataError
from ..network import build
from ..spec import ResNetSpec, to_dict
from .recipe import Recipe

_CPU = torch.device("cpu")
# torch reports a damaged file by whatever its reader stumbles over.
_DAMAGED = (RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError, UnpicklingError)


@dataclass(frozen=True)
class TrainingStep:
    """One optimiser step.

    Attributes:
        loss: the batch's mean cross-entropy, nats.
        norms: ‖∂L/∂W‖₂ of each of ``Run.parts``, nats per unit of weight, over all parameters of the part, weight
            decay not included; empty where the step was not to be recorded.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    learning_rate: float
    images_per_second: float
    norms: tuple[float, ...] = ()


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set. Loss in nats; accuracies 0 … 1, in training over augmented images."""

    epoch: int
    loss: float
    train_accuracy: float
    test_accuracy: float
    seconds: float


@dataclass
class Run:
    """A training run that can be stopped after any step and continued after any epoch.

    Attributes:
        held_out: images that were left out of ``train``, for ``calibration``.
        mean, std: of the input channels, in 0 … 1, measured on the training set.
        history: finished epochs.
        before: recipes and curves of the runs whose weights this one began with, as in a side file.
        record_every: gradient norms are measured after so many steps, and after the last of an epoch; 0: never.
        parts: "stem", the blocks ("layer2.0") and "head", input to output.
    """

    spec: ResNetSpec
    recipe: Recipe
    train: ImageSet
    test: ImageSet
    device: torch.device = _CPU
    held_out: ImageSet | None = None
    history: list[Epoch] = field(default_factory=list)
    record_every: int = 0
    before: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        self.mean, self.std = self.train.mean_std()
        self.model = build(self.spec, device=self.device, seed=self.recipe.seed)
        # Channels-last is the layout oneDNN and cuDNN convolve fastest in.
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.SGD(
            self.model.parameters(),
            lr=self.recipe.learning_rate,
            momentum=self.recipe.momentum,
            weight_decay=self.recipe.weight_decay,
            nesterov=self.recipe.nesterov,
        )
        places = [part_of(name) for name, _ in self.model.named_parameters()]
        self.parts = tuple(dict.fromkeys(places))
        self._places = torch.tensor([self.parts.index(place) for place in places])

    @property
    def finished(self) -> bool:
        return len(self.history) >= self.recipe.epochs

    def events(self) -> Iterator[TrainingStep | Epoch]:
        """Train to the end of the recipe, yielding after every step and every epoch."""
        while not self.finished:
            yield from self._epoch(len(self.history))

    def _epoch(self, epoch: int) -> Iterator[TrainingStep | Epoch]:
        recipe, count = self.recipe, len(self.train)
        generator = torch.Generator().manual_seed((recipe.seed * 1_000_003 + epoch) % 2**32)
        # A lone last image could not be batch-normalised where the map is 1×1.
        order = torch.randperm(count, generator=generator)
        batches = [batch for batch in order.split(recipe.batch_size) if len(batch) > 1]
        self.model.train()
        started, seen, correct, total_loss = time.perf_counter(), 0, 0, 0.0
        for index, batch in enumerate(batches):
            rate = recipe.rate((epoch + index / len(batches)) / recipe.epochs)
            images = augment(self.train.images[batch], recipe, generator)
            if recipe.sharpness:
                images = sharpen(images, 1 + recipe.sharpness * torch.rand(len(batch), generator=generator))
            images = normalise(images, self.mean, self.std, self.device)
            if epoch < recipe.small_epochs:
                images = shrink(images, recipe.small_side)
            recorded = self.record_every and ((index + 1) % self.record_every == 0 or index + 1 == len(batches))
            loss, right, norms = self._step(images, self.train.labels[batch], rate, bool(recorded))
            seen, correct, total_loss = seen + len(batch), correct + right, total_loss + loss * len(batch)
            speed = seen / (time.perf_counter() - started)
            yield TrainingStep(epoch, index + 1, len(batches), loss, rate, speed, norms)
        accuracy = evaluate(self.model, self.test, self.mean, self.std)
        seconds = time.perf_counter() - started
        self.history.append(Epoch(epoch, total_loss / seen, correct / seen, accuracy, seconds))
        yield self.history[-1]

    def _step(
        self, images: Tensor, labels: Tensor, rate: float, recorded: bool
    ) -> tuple[float, int, tuple[float, ...]]:
        """Loss, images that were right, and the gradient norms of ``parts`` where they are wanted."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        labels = labels.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.bfloat16):
            logits = self.model(images)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=self.recipe.label_smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norms = self._norms() if recorded else ()  # before the optimiser, which may write into the gradients
        self.optimiser.step()
        return loss.item(), int((logits.argmax(1) == labels).sum()), norms

    def _norms(self) -> tuple[float, ...]:
        gradients = [weight.grad for weight in self.model.parameters() if weight.grad is not None]
        # One transfer; in float64 the square of a vanishing norm is still above 0.
        squares = torch.stack(torch._foreach_norm(gradients)).cpu().double().square()
        sums = torch.zeros(len(self.parts), dtype=squares.dtype)
        return tuple(sums.index_add_(0, self._places, squares).sqrt().tolist())

    def save(self, path: Path) -> None:
        """Write the state after the last finished epoch, atomically."""
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            **self._identity,
            "history": [asdict(epoch) for epoch in self.history],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def resume(self, path: Path) -> bool:
        """Continue from ``save``'s file if it is there and of an equal run; tells whether it did.

        Raises:
            DataError: the file is damaged.
        """
        if not path.is_file():
            return False
        try:
            # From memory: a damaged file makes torch seek before its start, which looks like a failing disk.
            state = torch.load(io.BytesIO(path.read_bytes()), weights_only=True, map_location=self.device)
            # What an older file doesn't hold cannot differ.
            state["recipe"] = {**Recipe().to_dict(), **state.get("recipe", self.recipe.to_dict())}
            if any(state.get(key, value) != value for key, value in self._identity.items()):
                return False
            self._restore(state)
        except _DAMAGED as error:
            raise DataError(f"{path.name} is damaged; delete it to train from the start") from error
        return True

    @property
    def _identity(self) -> dict[str, Any]:
        """What a saved run must have had to be continued as this one."""
        data = (len(self.train), len(self.test), *self.mean, *self.std)
        return {"spec": to_dict(self.spec), "recipe": self.recipe.to_dict(), "data": data}

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.history = [Epoch(**epoch) for epoch in state["history"]]


def part_of(name: str) -> str:
    """The part of the network that a parameter belongs to: "layer2.0.conv1.weight" -> "layer2.0"."""
    block = re.match(r"layer\d+\.\d+", name)
    return block[0] if block else "head" if name.startswith(("fc.", "post.")) else "stem"


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """(N, C, H, W) uint8 -> the same, each image padded, cropped and maybe mirrored on its own."""
    n, _, height, width = images.shape
    padded = F.pad(images, (recipe.pad,) * 4)
    top, left = torch.randint(2 * recipe.pad + 1, (2, n, 1), generator=generator)
    rows, columns = top + torch.arange(height), left + torch.arange(width)
    if recipe.flip:
        mirrored = torch.rand(n, 1, generator=generator) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    image = torch.arange(n)[:, None, None]
    return padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def sharpen(images: Tensor, factors: Tensor) -> Tensor:
    """(N, C, H, W) of 0 … 255 and N factors -> float32: each image moved away from its smoothed self.

    A factor of 1 leaves an image as it is; as torchvision's ``adjust_sharpness``, but for the edges, which are smoothed
    as well.
    """
    sharp, channels = images.float(), images.shape[1]
    kernel = torch.ones(channels, 1, 3, 3)
    kernel[:, :, 1, 1] = 5
    smooth = F.conv2d(F.pad(sharp, (1,) * 4, mode="replicate"), kernel / 13, groups=channels)
    return torch.lerp(smooth, sharp, factors.view(-1, 1, 1, 1)).clamp(0, 255)


def normalise(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> Tensor:
    """(N, C, H, W) uint8 -> float32 (x/255 − mean) / std, on ``device``, channels-last."""
    scale = 1 / (255 * torch.tensor(std, device=device)).view(-1, 1, 1)
    shift = (torch.tensor(mean, device=device) / torch.tensor(std, device=device)).view(-1, 1, 1)
    return (images.to(device, torch.float32) * scale - shift).contiguous(memory_format=torch.channels_last)


def shrink(images: Tensor, side: int) -> Tensor:
    """(N, C, H, W) float -> (N, C, side, side), channels-last; each pixel averages what it covers."""
    smaller = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
    return smaller.contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def evaluate(model: nn.Module, images: ImageSet, mean: tuple[float, ...], std: tuple[float, ...]) -> float:
    """Share of ``images`` whose top prediction is right, 0 … 1. The model's mode is restored."""
    device, mode = next(model.parameters()).device, model.training
    model.eval()
    try:
        right = sum(
            int((model(normalise(x, mean, std, device)).argmax(1).cpu() == y).sum())
            for x, y in zip(images.images.split(250), images.labels.split(250), strict=True)
        )
    finally:
        model.train(mode)
    return right / len(images)
