"""Write a trained network as files for Classify: the weights, and a side file that describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from ..datasets import CIFAR10, DataSet
from ..network.card import Card
from ..spec import title, to_dict
from .builtin import NETS
from .calibration import Calibration, accuracy, calibrate, logits_of
from .loop import Run


@dataclass(frozen=True, eq=False)
class Publication:
    """All that is written of a finished run.

    Attributes:
        run: with at least one finished epoch.
        name: of the files, without ending.
        card: title, classes and normalisation, and the share of test images that are right.
        top1, top5: accuracy on the test images, %.
        calibration: None if the run has held no images out.
        licence: of the weights, in words.
        photos: how the network did on full-size photos, as counts; None if nobody measured it.
    """

    run: Run
    name: str
    card: Card
    top1: float
    top5: float
    calibration: Calibration | None
    licence: str
    photos: Mapping[str, int] | None = None

    @property
    def state(self) -> dict[str, Tensor]:
        """The weights, on the CPU."""
        return {key: tensor.cpu().contiguous() for key, tensor in self.run.model.state_dict().items()}

    @property
    def weights(self) -> bytes:
        """The weights as safetensors."""
        return save(self.state)

    def write(self, folder: Path) -> Path:
        """Write ``name.safetensors`` and ``name.json`` into ``folder``; returns the path of the first."""
        folder.mkdir(parents=True, exist_ok=True)
        path, weights = folder / f"{self.name}.safetensors", self.weights
        path.write_bytes(weights)
        side = json.dumps(self._side_file(weights), indent=2) + "\n"
        path.with_suffix(".json").write_text(side, encoding="utf-8")
        return path

    def _side_file(self, weights: bytes) -> dict[str, Any]:
        run, side = self.run, self.run.spec.image_size
        return {
            "title": self.card.title,
            "spec": to_dict(run.spec),
            "classes": self.card.classes,
            "sha256": sha256(weights).hexdigest(),
            "accuracy": {"top1": self.top1, "top5": self.top5, "split": self.card.data, "images": len(run.test)},
            "transform": {
                "resize": side,
                "crop": side,
                "mean": self.card.mean,
                "std": self.card.std,
                "interpolation": "bilinear",
                "antialias": True,
            },
            "calibration": asdict(self.calibration) if self.calibration else None,
            "before": run.before,
            "recipe": run.recipe.to_dict(),
            "curves": [asdict(epoch) for epoch in run.history],
            "licence": self.licence,
            **({"photos": self.photos} if self.photos else {}),
        }


def describe_run(run: Run, name: str, source: Path, data: DataSet = CIFAR10) -> Publication:
    """Measure a finished run on its test images, and its confidence on those it has held out.

    Args:
        name: of the files; a built-in network's name gives the title too, if the run is of that network.
        source: what the images were loaded from.
    """
    known = NETS.get(name)
    words = known.title if known and known.spec == run.spec else f"{data.name} {title(run.spec).removeprefix('CIFAR ')}"
    logits = logits_of(run, run.test)
    top1, top5 = (accuracy(logits, run.test.labels, top) for top in (1, 5))
    return Publication(
        run=run,
        name=name,
        card=Card(words, run.spec, run.train.classes, run.mean, run.std, _describe_split(source, data), top1),
        top1=round(100 * top1, 2),
        top5=round(100 * top5, 2),
        calibration=calibrate(run, run.held_out) if run.held_out else None,
        licence=data.licence,
    )


def _describe_split(source: Path, data: DataSet) -> str:
    """What accuracy was measured on. Images from elsewhere may be altered, so their source is named."""
    images = data.archive and (source.is_file() or (source / "train").is_dir())
    return f"{data.name}{f' from {source.name}' if images else ''}, {data.split}"
