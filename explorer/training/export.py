"""A trained network as the files the Classify panel reads: the weights and a JSON that says what they are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save

from ..spec import to_dict
from .loop import Run

LICENCE = "Trained by this project on CIFAR-10 (Krizhevsky 2009); for research and teaching."


def export(run: Run, folder: Path, name: str, title: str, data: str) -> Path:
    """Write ``name.safetensors`` and ``name.json``; returns the path of the first.

    The JSON holds spec, classes, transform, recipe, curves, accuracy (last epoch, test split) and the
    weights' SHA-256.

    Args:
        run: with at least one finished epoch.
        title: of the network, for people.
        data: what it was trained and tested on, as "CIFAR-10".
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({key: tensor.cpu().contiguous() for key, tensor in run.model.state_dict().items()})
    path = folder / f"{name}.safetensors"
    path.write_bytes(weights)
    path.with_suffix(".json").write_text(json.dumps(_card(run, title, data, weights), indent=2) + "\n")
    return path


def _card(run: Run, title: str, data: str, weights: bytes) -> dict[str, Any]:
    side = run.spec.image_size
    return {
        "title": title,
        "spec": to_dict(run.spec),
        "classes": list(run.train.classes),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "accuracy": {
            "top1": round(100 * run.history[-1].test_accuracy, 2),
            "split": f"{data}, test split",
            "images": len(run.test),
        },
        "transform": {
            "resize": side,
            "crop": side,
            "mean": run.mean,
            "std": run.std,
            "interpolation": "bilinear",
            "antialias": True,
        },
        "recipe": run.recipe.to_dict(),
        "curves": [asdict(epoch) for epoch in run.history],
        "licence": LICENCE,
    }
