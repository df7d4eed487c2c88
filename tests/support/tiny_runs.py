"""Runs that take a blink: a network of four convolutions on a few images of 8×8 px, or two of them on digits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from explorer.datasets import DIGITS, ImageSet
from explorer.spec import PRESETS, ResNetSpec, Stem
from explorer.training import Epoch, Plan, Recipe, Run, Schedule, Training

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


# Side by side on digits

DIGITS_NET = DIGITS.fit(PRESETS["cifar_resnet20"].with_(depths=(1, 1), widths=(4, 8)))
DIGITS_RECIPE = Recipe(epochs=2, batch_size=128, learning_rate=0.05, pad=1, flip=False, schedule=Schedule.COSINE)
BOTH = (
    Plan("residual", DIGITS_NET, DIGITS_RECIPE, "digits"),
    Plan("plain", DIGITS_NET.plain(), DIGITS_RECIPE, "digits"),
)


def trained(*plans: Plan, until: int | None = None) -> Training:
    """Trained to the end, or until so many steps are done."""
    training = Training(plans, Path())
    for count, _ in enumerate(training.steps(), start=1):
        if count == until:
            break
    return training
