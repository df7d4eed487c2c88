"""Runs that take a blink: a network of four convolutions on a few images of 8×8 px."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from explorer.spec import ResNetSpec, Stem
from explorer.training.datasets import ImageSet
from explorer.training.loop import Epoch, Run
from explorer.training.recipe import Recipe

TINY = ResNetSpec(depths=(1, 1), widths=(4, 8), stem=Stem.CIFAR, num_classes=3, image_size=8)
SHORT = Recipe(epochs=3, batch_size=8, learning_rate=0.05, pad=1)


def noise(count: int, seed: int = 0, classes: int = 3, side: int = 8) -> ImageSet:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (count, 3, side, side), dtype=torch.uint8, generator=generator)
    return ImageSet(images, torch.arange(count) % classes, tuple(f"class {i}" for i in range(classes)))


def separable(count: int, seed: int) -> ImageSet:
    """One bright channel for each class."""
    images = noise(count, seed)
    for i, label in enumerate(images.labels.tolist()):
        images.images[i] //= 4
        images.images[i, label] += 190
    return images


def tiny_run(recipe: Recipe = SHORT, spec: ResNetSpec = TINY, **changes: Any) -> Run:
    return Run(spec, recipe, changes.get("train", noise(20)), changes.get("test", noise(9, seed=1)))


def without_time(history: list[Epoch]) -> list[Epoch]:
    return [replace(epoch, seconds=0) for epoch in history]
