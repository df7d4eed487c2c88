"""Pretrained networks: the catalogue, their weights, and predictions for photos.

Names load on first use: torch takes seconds to import, which a command that only prints help need not
wait for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalog import Variant, find, is_cached, variants
    from .classifier import Classifier, Prediction, Timings, load_classifier, load_variant
    from .engine import Device, Engine, available_devices
    from .images import Photo, decode
    from .transform import Seen, Transform
    from .weights import Progress, fetch, load_into, load_state_dict

_HOME = {
    "Classifier": "classifier",
    "Device": "engine",
    "Engine": "engine",
    "Photo": "images",
    "Prediction": "classifier",
    "Progress": "weights",
    "Seen": "transform",
    "Timings": "classifier",
    "Transform": "transform",
    "Variant": "catalog",
    "available_devices": "engine",
    "decode": "images",
    "fetch": "weights",
    "find": "catalog",
    "is_cached": "catalog",
    "load_classifier": "classifier",
    "load_into": "weights",
    "load_state_dict": "weights",
    "load_variant": "classifier",
    "variants": "catalog",
}

__all__ = [
    "Classifier",
    "Device",
    "Engine",
    "Photo",
    "Prediction",
    "Progress",
    "Seen",
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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
