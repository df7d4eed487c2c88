"""A photo in, the most probable classes out, with all that a reader needs to judge them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from time import perf_counter

import torch
from PIL import Image
from torch import nn

from ..errors import WeightsError
from ..network import build
from .catalog import BUILTIN, Variant, find
from .engine import Engine, choose_device
from .images import Photo, decode
from .weights import Progress, fetch, load_into, load_state_dict, not_finite

DEFAULT = "cifar10_resnet20"
_KEPT = 3  # loaded networks


@dataclass(frozen=True)
class Timings:
    """Milliseconds. ``decode`` is 0 for an image that came decoded; ``total`` exceeds the sum a little."""

    decode: float
    transform: float
    forward: float
    total: float


@dataclass(frozen=True)
class Prediction:
    """What a network answers to one photo.

    Attributes:
        top: class name and softmax probability (0 … 1; not an accuracy), the most probable first.
        device: where the network ran, as torch names it.
        transform: what was done to the photo before, in words.
        seen: the square RGB crop the network saw, before normalisation.
        notes: what to keep in mind: of the photo, the network and the device.
        familiar: whether the photo looks like one of the classes at all: log Σ exp of the logits reaches
            ``variant.familiar`` (Liu et al. 2020). None where that was never measured.
    """

    top: tuple[tuple[str, float], ...]
    timings: Timings
    device: str
    variant: Variant = field(repr=False)
    transform: str
    seen: Image.Image
    notes: tuple[str, ...]
    familiar: bool | None = None


@dataclass(frozen=True)
class Classifier:
    """A pretrained network, loaded. Safe to share between threads; photos take turns."""

    variant: Variant
    engine: Engine

    def classify(self, photo: Image.Image | Photo, top: int = 5) -> Prediction:
        """Name what a photo shows.

        Args:
            photo: an RGB image of any size, or a decoded photo.
            top: how many classes to return, from 1 to all there are.

        Raises:
            ImageError: the image is not RGB.
            WeightsError: the network answers with NaN or infinity.
        """
        image, photo_notes = (photo, ()) if isinstance(photo, Image.Image) else (photo.image, photo.notes)
        started = perf_counter()
        seen = self.variant.transform(image)
        transformed = perf_counter()
        output = self.engine.forward(seen.tensor.unsqueeze(0))
        logits = output.logits[0]
        if not bool(torch.isfinite(logits).all()):
            raise WeightsError(f"{self.variant.title} answered with NaN or infinity, which names no class")
        values, indices = torch.softmax(logits / self.variant.temperature, 0).topk(min(max(top, 1), len(self.variant.classes)))
        names = (self.variant.classes[index] for index in indices.tolist())
        return Prediction(
            top=tuple(zip(names, values.tolist(), strict=True)),
            timings=Timings(0.0, _ms(started, transformed), output.ms, _ms(started, perf_counter())),
            device=output.device,
            variant=self.variant,
            transform=self.variant.transform.sentence,
            seen=seen.image,
            notes=(*photo_notes, *output.notes, *filter(None, [self.variant.note])),
            familiar=None if self.variant.familiar is None else bool(logits.logsumexp(0) >= self.variant.familiar),
        )

    def classify_bytes(self, data: bytes, top: int = 5) -> Prediction:
        """Name what the photo in a file's bytes shows; see ``images.decode`` and ``classify``.

        Raises:
            ImageError: the bytes are no photo this program accepts.
        """
        started = perf_counter()
        photo = decode(data)
        decoding = _ms(started, perf_counter())
        prediction = self.classify(photo, top)
        timings = replace(prediction.timings, decode=decoding, total=_ms(started, perf_counter()))
        return replace(prediction, timings=timings)


def load_classifier(
    name: str = DEFAULT,
    device: str = "auto",
    *,
    folder: Path = BUILTIN,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Classifier:
    """The classifier of a catalogue name, downloaded, verified and loaded where it isn't yet.

    The three used last stay loaded, and are shared by all callers.

    Args:
        name: as in ``catalog.find``.
        device: as in ``engine.choose_device``.
        folder: where the built-in nets are.
        on_progress, cancelled: as in ``weights.fetch``.

    Raises:
        WeightsError: no such name, or its weights can't be had or used.
        ExplorerError: this machine has no such device.
    """
    return load_variant(find(name, folder), device, on_progress=on_progress, cancelled=cancelled)


def load_variant(
    variant: Variant,
    device: str = "auto",
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Classifier:
    """``load_classifier`` for a variant that need not be in the catalogue."""
    place = choose_device(device)
    key = (variant, str(place))
    loaded = _LOADED.get(key)
    if loaded is None:
        # Before the lock: who waits for a download can see its progress and cancel.
        path = fetch(variant, on_progress=on_progress, cancelled=cancelled)
        with _LOADING:
            loaded = _LOADED.get(key)  # another thread may have loaded it meanwhile
            if loaded is None:
                loaded = Classifier(variant, Engine(_load(variant, path), place))
                _LOADED.put(key, loaded)
    return loaded


def _load(variant: Variant, path: Path) -> nn.Module:
    state = load_state_dict(path, verified=True)
    broken = not_finite(state)
    if broken:
        raise WeightsError(
            f"{variant.title} can't classify: its weights hold NaN or infinity, as in {broken[0][:80]!a}"
        )
    model = build(variant.spec, device="meta").to_empty(device="cpu")
    load_into(model, state)
    return model


class _Recent:
    """The classifiers used last; whoever holds one that is dropped can go on with it."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._classifiers: OrderedDict[tuple[Variant, str], Classifier] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[Variant, str]) -> Classifier | None:
        with self._lock:
            if key in self._classifiers:
                self._classifiers.move_to_end(key)
            return self._classifiers.get(key)

    def put(self, key: tuple[Variant, str], classifier: Classifier) -> None:
        with self._lock:
            self._classifiers[key] = classifier
            while len(self._classifiers) > self._kept:
                self._classifiers.popitem(last=False)


_LOADED = _Recent(_KEPT)
_LOADING = Lock()  # one at a time: a network on its way into memory takes twice its size


def _ms(started: float, ended: float) -> float:
    return (ended - started) * 1000
