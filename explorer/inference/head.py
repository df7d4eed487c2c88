"""A linear head for the features of a pretrained network: how it takes the last layer's place, and its file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from io import BytesIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ..errors import WeightsError
from ..network import build
from .classifier import Classifier
from .running.engine import Engine
from .weights.containers import read_metadata

MAX_CLASSES = 100
MAX_HEAD_BYTES = 4 * 2**20
_KEY = "resnet_explorer_head"  # of the file's metadata


@dataclass(frozen=True, eq=False)
class Head:
    """A last layer that was trained on the features of a pretrained network.

    Attributes:
        classes: names, in the order of the logits.
        weight, bias: float32 (classes, features) and (classes,): logits = weight · features + bias.
        backbone, backbone_sha256: name and weights of the network whose features it reads.
        photos: how many it was trained on.
        accuracy: cross-validated, 0 … 1.
    """

    classes: tuple[str, ...]
    weight: Tensor = field(repr=False)
    bias: Tensor = field(repr=False)
    backbone: str
    backbone_sha256: str = field(repr=False)
    photos: int
    accuracy: float


def with_head(classifier: Classifier, head: Head) -> Classifier:
    """The classifier's network with ``head`` for its last layer; shares the memory of all other weights.

    Raises:
        WeightsError: the head reads the features of another network.
    """
    base = classifier.variant
    wanted = (len(head.classes), base.spec.out_channels)
    if head.backbone_sha256 != base.file.sha256 or tuple(head.weight.shape) != wanted:
        raise WeightsError(f"this head was trained on {head.backbone[:60]!a}; {base.title} has other features")
    spec = base.spec.with_(num_classes=len(head.classes))
    model = build(spec, device="meta")
    with classifier.engine.borrow() as own:
        state = own.state_dict() | {"fc.weight": head.weight, "fc.bias": head.bias}
        model.load_state_dict(state, assign=True)
    names = ", ".join(head.classes)
    variant = replace(
        base,
        name=f"head on {base.name}",
        title=f"{base.title}, head for {names if len(names) <= 60 else f'{len(head.classes)} classes'}",
        spec=spec,
        top1=None,
        top5=None,
        dataset="",
        temperature=1.0,
        min_in_distribution_score=None,
        params=base.params + (wanted[0] - base.spec.num_classes) * (wanted[1] + 1),
        classes=head.classes,
        recipe=f"Logistic regression on the features of {base.title}, from {head.photos} photos.",
        note=f"This head was trained on {head.photos} photos. It always predicts one of its classes, even if a photo "
        "shows something else.",
    )
    return Classifier(variant, Engine(model, classifier.engine.device, exact=classifier.engine.exact))


def to_bytes(head: Head) -> bytes:
    """A safetensors file: ``fc.weight``, ``fc.bias``, and all else as JSON in its metadata. It can run no code."""
    about = {
        "classes": list(head.classes),
        "backbone": head.backbone,
        "backbone_sha256": head.backbone_sha256,
        "photos": head.photos,
        "accuracy": head.accuracy,
    }
    tensors = {"fc.weight": head.weight.contiguous(), "fc.bias": head.bias.contiguous()}
    return save(tensors, metadata={_KEY: json.dumps(about)})


def from_bytes(data: bytes) -> Head:
    """The head of a file that ``to_bytes`` made; nothing in it is trusted.

    Raises:
        WeightsError: the file is damaged, too large or of another kind.
    """
    if len(data) > MAX_HEAD_BYTES:
        raise WeightsError(f"the file is too large for a head: at most {MAX_HEAD_BYTES // 2**20} MiB are read")
    try:
        about = json.loads(read_metadata(BytesIO(data))[_KEY])
        tensors = load(data)
        head = Head(
            classes=tuple(about["classes"]),
            weight=tensors["fc.weight"],
            bias=tensors["fc.bias"],
            backbone=about["backbone"],
            backbone_sha256=about["backbone_sha256"],
            photos=about["photos"],
            accuracy=about["accuracy"],
        )
        _check(head)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            "this file is damaged or is not a head trained here. Choose a file that you downloaded after training"
        ) from error
    return head


def _check(head: Head) -> None:
    """ValueError unless every part is what it says."""
    strings = (head.backbone, head.backbone_sha256, *head.classes)
    sound = (
        2 <= len(head.classes) == len(set(head.classes)) <= MAX_CLASSES
        and all(isinstance(word, str) and 0 < len(word) <= 100 for word in strings)
        and head.weight.dtype == head.bias.dtype == torch.float32
        and head.weight.ndim == 2
        and len(head.weight) == len(head.classes)
        and head.bias.shape == (len(head.classes),)
        and bool(torch.isfinite(head.weight).all() and torch.isfinite(head.bias).all())
        and type(head.photos) is int
        and head.photos > 0
        and isinstance(head.accuracy, (int, float))
        and 0 <= head.accuracy <= 1
    )
    if not sound:
        raise ValueError("a part is not what it says")
