"""Pretrained networks: the catalogue, their weights, and predictions for photos.

Names load on first use: torch takes seconds to import, which a command that only prints help need not
wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .classifier import Classifier, Prediction, Timings, load_classifier, load_variant
    from .images.decode import decode
    from .images.photo import Photo
    from .running.engine import Device, Engine, available_devices
    from .transform import PreprocessedInput, Transform
    from .weights.catalogue import Variant, find, is_cached, variants
    from .weights.download import Progress, fetch
    from .weights.read import load_into, load_state_dict

_HOME = {
    "Classifier": "classifier",
    "Device": "running.engine",
    "Engine": "running.engine",
    "Photo": "images.photo",
    "Prediction": "classifier",
    "Progress": "weights.download",
    "PreprocessedInput": "transform",
    "Timings": "classifier",
    "Transform": "transform",
    "Variant": "weights.catalogue",
    "available_devices": "running.engine",
    "decode": "images.decode",
    "fetch": "weights.download",
    "find": "weights.catalogue",
    "is_cached": "weights.catalogue",
    "load_classifier": "classifier",
    "load_into": "weights.read",
    "load_state_dict": "weights.read",
    "load_variant": "classifier",
    "variants": "weights.catalogue",
}

__all__ = [
    "Classifier",
    "Device",
    "Engine",
    "Photo",
    "Prediction",
    "PreprocessedInput",
    "Progress",
    "Timings",
    "Transform",
    "Variant",
    "available_devices",
    "decode",
    "fetch",
    "find",
    "is_cached",
    "load_classifier",
    "load_into",
    "load_state_dict",
    "load_variant",
    "variants",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
