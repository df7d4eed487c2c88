"""A trained network as the files the Classify panel reads: the weights and a JSON that says what they are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save

from ..spec import to_dict
from .calibration import accuracy, calibrate, logits_of
from .loop import Run

LICENCE = "Trained by this project; what the images' own terms allow holds for the weights too."


def export(run: Run, folder: Path, name: str, title: str, data: str, licence: str = LICENCE) -> Path:
    """Write ``name.safetensors`` and ``name.json``; returns the path of the first.

    The JSON holds spec, classes, transform, recipe, curves, accuracy on the test split, calibration where the run
    has held images out, and the weights' SHA-256.

    Args:
        run: with at least one finished epoch.
        title: of the network, for people.
        data: what it was tested on, as "CIFAR-10, test split".
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({key: tensor.cpu().contiguous() for key, tensor in run.model.state_dict().items()})
    path = folder / f"{name}.safetensors"
    path.write_bytes(weights)
    path.with_suffix(".json").write_text(json.dumps(_card(run, title, data, licence, weights), indent=2) + "\n")
    return path


def _card(run: Run, title: str, data: str, licence: str, weights: bytes) -> dict[str, Any]:
    side = run.spec.image_size
    logits = logits_of(run, run.test)
    top1, top5 = (round(100 * accuracy(logits, run.test.labels, top), 2) for top in (1, 5))
    return {
        "title": title,
        "spec": to_dict(run.spec),
        "classes": list(run.train.classes),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "accuracy": {
            "top1": top1,
            "top5": top5,
            "split": data,
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
        "calibration": asdict(calibrate(run, run.held_out)) if run.held_out else None,
        "before": list(run.before),
        "recipe": run.recipe.to_dict(),
        "curves": [asdict(epoch) for epoch in run.history],
        "licence": licence,
    }
