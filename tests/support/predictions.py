"""Predictions, photos and a head to show, without any network's forward pass."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from explorer.inference import Prediction, Timings, find
from explorer.inference.transfer import Features, LinearProbe, fit_linear_probe

EVIL = '<img src=x onerror=alert(1)>"'


def prediction(*top: tuple[str, float], variant: str = "cifar10_resnet20", **changes: Any) -> Prediction:
    one = Prediction(
        top=top,
        timings=Timings(0.0, 1.0, 2.0, 3.5),
        device="cpu",
        variant=find(variant),
        transform="Nothing is done.",
        crop=Image.new("RGB", (32, 32)),
        notes=(),
    )
    return replace(one, **changes)


def png(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(buffer, "PNG")
    return buffer.getvalue()


def noise() -> tuple[Features, list[str]]:
    """Features of twenty photos of two classes."""
    dice = np.random.default_rng(0)
    rows = dice.normal(0, 1, (20, 64)).astype(np.float32)
    rows[10:] += 2
    return rows, ["<b>a</b>"] * 10 + ["b"] * 10


@lru_cache(maxsize=1)
def linear_probe() -> LinearProbe:
    """A head fitted to ``noise``."""
    return fit_linear_probe(*noise(), find("cifar10_resnet20"))
