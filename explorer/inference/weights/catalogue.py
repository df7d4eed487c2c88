"""Every pretrained network on offer: torchvision's ResNet family, read from torchvision's own metadata, and
the nets that come with this program, read from the side files beside their weights."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ...errors import ExplorerError, WeightsError
from ...folders import ASSETS
from ...spec import PRESETS, ResNetSpec, from_dict, title
from ...spec.budget import estimate
from ..transform import Transform
from .cache import WeightFile, cached_path
from .measurements import ConfidenceGap, PhotoScore

BUILTIN = ASSETS / "weights"
_MIB = 2**20
_LICENCE = (
    "Published by torchvision (BSD-3-Clause). Trained on ImageNet, whose terms allow non-commercial research "
    "and education; whether they bind the weights is for you to judge."
)


@dataclass(frozen=True)
class Variant:
    """One set of pretrained weights, with all that is known of it before it is opened.

    Attributes:
        name: unique, as ``resnet50.IMAGENET1K_V2`` or ``cifar10_resnet20``.
        title: for people, as "ResNet-50 (V2)".
        file: where the weights are published.
        top1, top5: accuracy on ``dataset``, %; None where nobody measured it.
        params, gmacs: of the network; 10⁹ MACs of one image, by torchvision's convention.
        classes: names, in the order of the logits.
        recipe: how it was trained: a URL, or words.
        note: a limit that readers of a prediction should know; may be empty.
        temperature: what the logits are divided by before the softmax, so that confidence agrees with accuracy.
        min_in_distribution_score: log Σ exp of the logits below which a photo probably shows none of the classes; None
            if nobody measured it.
        confidence_gap: how far confidence is off accuracy; None if nobody measured it.
        photos: how it does on full-size photos; None if nobody measured it.
    """

    name: str
    title: str
    spec: ResNetSpec
    file: WeightFile
    top1: float | None
    top5: float | None
    dataset: str
    params: int
    gmacs: float
    transform: Transform
    classes: tuple[str, ...] = field(repr=False)
    licence: str
    recipe: str
    note: str = ""
    temperature: float = 1.0
    min_in_distribution_score: float | None = None
    confidence_gap: ConfidenceGap | None = None
    photos: PhotoScore | None = None


# Weights that a third party publishes, each with a URL as its file's source; see docs/add-a-weight-set.md.
THIRD_PARTY: tuple[Variant, ...] = ()

# Starts of the SHA-256 of the CIFAR ResNets by Yerlan Idelbayev (github.com/akamaster/pytorch_resnet_cifar10; 20, 32,
# 44, 56, 110, 1202 layers), as the names of the files give them. The catalogue does not offer these networks, but
# users open the files, which have torch's format of before 2020.
_CIFAR_RESNETS = ("12fca82f", "d509ac18", "014dd654", "4bfd9763", "1d1ed7c2", "f3b1deed")


def is_cached(variant: Variant) -> bool:
    """Whether the weights are on this machine already (``fetch`` checks whether intact)."""
    return cached_path(variant.file) is not None


def find(name: str, folder: Path = BUILTIN) -> Variant:
    """The variant of that name. A torchvision network's name alone, as ``resnet50``, is its best weights.

    Raises:
        WeightsError: there is none.
    """
    known = {variant.name: variant for variant in (*_builtin(folder), *THIRD_PARTY)}
    if name in known:  # without torchvision, which takes seconds to import
        return known[name]
    known |= {variant.name: variant for variant in _torchvision()}
    known |= {variant.name.partition(".")[0]: variant for variant in _torchvision()}
    if name not in known:
        close = get_close_matches(name[:80], known, n=3) or [variant.name for variant in _builtin(folder)] or PRESETS
        raise WeightsError(f"no pretrained network is named {name[:40]!a}; near it: {', '.join(close)}")
    return known[name]


@lru_cache(maxsize=8)
def variants(folder: Path = BUILTIN) -> tuple[Variant, ...]:
    """The built-in nets of ``folder``, torchvision's in the order of ``PRESETS``, then ``THIRD_PARTY``.

    Raises:
        WeightsError: a side file is incomplete.
    """
    return (*_builtin(folder), *_torchvision(), *THIRD_PARTY)


@lru_cache(maxsize=8)
def _builtin(folder: Path) -> tuple[Variant, ...]:
    return tuple(_from_side_file(path) for path in sorted(folder.glob("*.json")))


def _from_side_file(path: Path) -> Variant:
    weights = path.with_suffix(".safetensors")
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        spec = from_dict(data["spec"])
        classes = tuple(map(str, data["classes"]))
        if len(classes) != spec.num_classes:
            raise ValueError(f"{len(classes)} class names for {spec.num_classes} classes")
        params, macs = estimate(spec)
        accuracy, calibration = data["accuracy"], data.get("calibration") or {}
        return Variant(
            name=path.stem,
            title=data["title"],
            spec=spec,
            file=WeightFile(weights, data["sha256"], weights.stat().st_size if weights.is_file() else 0),
            top1=accuracy["top1"],
            top5=accuracy.get("top5"),
            dataset=accuracy["split"],
            params=params,
            gmacs=macs / 1e9,
            transform=_transform(data["transform"]),
            classes=classes,
            licence=data["licence"],
            recipe=json.dumps(data["recipe"]),
            note=_limits(spec),
            temperature=calibration.get("temperature", 1.0),
            min_in_distribution_score=calibration.get("familiar"),
            confidence_gap=_confidence_gap(calibration) if calibration else None,
            photos=PhotoScore(**data["photos"]) if data.get("photos") else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ExplorerError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        reason = "it cannot be read" if isinstance(error, OSError) else what
        raise WeightsError(f"{path.name}, which describes built-in weights, is unusable: {reason}") from error


def _transform(data: dict[str, Any]) -> Transform:
    """From the JSON form of the side files."""
    return Transform(**{**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})


def _confidence_gap(calibration: dict[str, Any]) -> ConfidenceGap:
    """From the JSON form of the side files."""
    return ConfidenceGap(calibration["error_before"], calibration["error_after"], calibration["images"])


def _limits(spec: ResNetSpec) -> str:
    return (
        f"This network sees {spec.image_size}×{spec.image_size} pixels and knows {spec.num_classes} classes: "
        "whatever the photo shows, it names one of them."
    )


@lru_cache(maxsize=1)
def _torchvision() -> tuple[Variant, ...]:
    """All weights torchvision publishes for the presets it shares with this program."""
    from ...compat import torchvision  # seconds; only where it is needed

    models = torchvision.models
    shared = [name for name in PRESETS if name in models.list_models(module=models)]
    return tuple(_from_torchvision(name, weights) for name in shared for weights in models.get_model_weights(name))


def _from_torchvision(preset: str, weights: Any) -> Variant:
    meta, preprocessing = weights.meta, weights.transforms()
    ((dataset, accuracy),) = meta["_metrics"].items()
    # The name carries the start of the SHA-256, as in resnet50-11ad3fa6.pth.
    _, digits = PurePosixPath(urlsplit(weights.url).path).stem.rsplit("-", 1)
    return Variant(
        name=f"{preset}.{weights.name}",
        title=f"{title(PRESETS[preset])} ({weights.name.rsplit('_', 1)[-1]})",
        spec=PRESETS[preset],
        file=WeightFile(weights.url, digits, round(meta["_file_size"] * _MIB)),
        top1=accuracy["acc@1"],
        top5=accuracy["acc@5"],
        dataset=dataset,
        params=meta["num_params"],
        gmacs=meta["_ops"],
        transform=Transform(
            resize=preprocessing.resize_size[0],
            crop=preprocessing.crop_size[0],
            mean=tuple(preprocessing.mean),
            std=tuple(preprocessing.std),
            interpolation=preprocessing.interpolation.value,
            antialias=preprocessing.antialias,
        ),
        classes=tuple(meta["categories"]),
        licence=_LICENCE,
        recipe=meta["recipe"],
    )
