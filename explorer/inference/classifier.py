"""Classify a photo: the most probable classes, and the facts that a reader needs to judge them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import perf_counter

import torch
from PIL import Image
from torch import nn

from ..bounded_cache import BoundedCache
from ..errors import WeightsError
from ..network import build
from .images.decode import decode
from .images.photo import Photo
from .running.engine import Engine, choose_device, is_exact
from .transform import PreprocessedInput
from .weights.cache import cached_path, intact_path
from .weights.catalogue import BUILTIN, Variant, find
from .weights.download import Progress, fetch
from .weights.naming import read_names
from .weights.read import load_into, load_state_dict, not_finite, shapes_of

DEFAULT = "everyday200_resnet14"
KEPT_BYTES = 2**31  # of loaded networks (``Engine.size_bytes``): ResNet-18, -50 and -152 together have three quarters


class NotHere(WeightsError):
    """The weights must be downloaded first."""

    def __init__(self, variant: Variant) -> None:
        what = "is not downloaded yet" if cached_path(variant.file) is None else "is damaged on this machine"
        super().__init__(f"{variant.title} {what}. Download it first ({variant.file.size_bytes / 2**20:.1f} MiB).")


@dataclass(frozen=True)
class Timings:
    """Milliseconds. ``decode`` is 0 for an image that came decoded; ``forward`` is of the whole batch it ran in.

    ``total`` exceeds the sum by a little, and by the time the photo waited for other photos: to be prepared, and for
    the batch before its own.
    """

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
        crop: the square of the photo that the network was fed, RGB, before normalisation.
        notes: what to keep in mind: of the photo, the network and the device.
        in_distribution: whether the photo looks like one of the classes at all: its in-distribution score, log Σ exp
            of the logits (Liu et al. 2020), reaches ``variant.min_in_distribution_score``. None if that was never
            measured.
    """

    top: tuple[tuple[str, float], ...]
    timings: Timings
    device: str
    variant: Variant = field(repr=False)
    transform: str
    crop: Image.Image
    notes: tuple[str, ...]
    in_distribution: bool | None = None


@dataclass(frozen=True)
class Classifier:
    """A pretrained network, loaded. Safe to share between threads, whose photos are computed in batches."""

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
        started = perf_counter()
        with self.engine.preparing():
            model_input = self.variant.transform(photo)
        return self._answer(model_input, () if isinstance(photo, Image.Image) else photo.notes, top, started)

    def classify_bytes(self, data: bytes, top: int = 5) -> Prediction:
        """Name what the photo in a file's bytes shows; see ``images.decode`` and ``classify``.

        It is decoded no larger than ``Transform.at_least`` asks for.

        Raises:
            ImageError: the file is not an accepted photo.
        """
        started = perf_counter()
        with self.engine.preparing():
            photo = decode(data, self.variant.transform.at_least)
            decoding = _ms(started)
            model_input = self.variant.transform(photo)
        return self._answer(model_input, photo.notes, top, started, decoding)

    def _answer(
        self,
        model_input: PreprocessedInput,
        photo_notes: tuple[str, ...],
        top: int,
        started: float,
        decoding: float = 0.0,
    ) -> Prediction:
        """Classify a photo that was preprocessed just now."""
        transforming = _ms(started) - decoding
        output = self.engine.forward(model_input.tensor.unsqueeze(0))
        logits = output.logits[0]
        if not bool(torch.isfinite(logits).all()):
            raise WeightsError(f"{self.variant.title} returned NaN or infinity instead of a prediction")
        values, indices = torch.softmax(logits / self.variant.temperature, 0).topk(
            min(max(top, 1), len(self.variant.classes))
        )
        names = (self.variant.classes[index] for index in indices.tolist())
        least = self.variant.min_in_distribution_score
        return Prediction(
            top=tuple(zip(names, values.tolist(), strict=True)),
            timings=Timings(decoding, transforming, output.ms, _ms(started)),
            device=output.device,
            variant=self.variant,
            transform=self.variant.transform.sentence,
            crop=model_input.image,
            notes=(*photo_notes, *output.notes, *filter(None, [self.variant.note])),
            in_distribution=None if least is None else bool(logits.logsumexp(0) >= least),
        )


def load_classifier(
    name: str = DEFAULT,
    device: str = "auto",
    *,
    folder: Path = BUILTIN,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Classifier:
    """The classifier of a catalogue name, downloaded, verified and loaded where it isn't yet.

    Those used last stay loaded, within ``KEPT_BYTES``, and are shared by all callers.

    Args:
        name: as in ``weights.catalogue.find``.
        device: as in ``engine.choose_device``.
        folder: where the built-in nets are.
        on_progress, cancelled: as in ``weights.download.fetch``.

    Raises:
        WeightsError: no such name, or its weights cannot be loaded.
        ExplorerError: this machine has no such device.
    """
    return load_variant(find(name, folder), device, on_progress=on_progress, cancelled=cancelled)


def load_variant(
    variant: Variant,
    device: str = "auto",
    *,
    download: bool = True,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Classifier:
    """``load_classifier`` for a variant that need not be in the catalogue.

    Args:
        download: without it, weights that are not on this machine, or damaged, raise ``NotHere``.
    """
    place, exact = choose_device(device), is_exact(device)
    key = (variant, str(place), exact)
    loaded = _LOADED.get(key)
    if loaded is None:
        # Before the lock: who waits for a download can see its progress and cancel.
        if download:
            path: Path | None = fetch(variant.file, variant.title, on_progress=on_progress, cancelled=cancelled)
        else:
            path = intact_path(variant.file)
        if path is None:
            raise NotHere(variant)
        with _LOADING:
            loaded = _LOADED.get(key)  # another thread may have loaded it meanwhile
            if loaded is None:
                loaded = Classifier(variant, Engine(_load(variant, path), place, exact=exact))
                _warm_up(loaded)
                _LOADED.put(key, loaded)
    return loaded


def _load(variant: Variant, path: Path) -> nn.Module:
    state = load_state_dict(path)
    broken = not_finite(state)
    if broken:
        raise WeightsError(
            f"{variant.title} can't classify: its weights hold NaN or infinity, as in {broken[0][:80]!a}"
        )
    model = build(variant.spec, device="meta").to_empty(device="cpu")
    names = read_names(shapes_of(state)).names  # a third party may use other names than torchvision
    load_into(model, {names[name]: tensor for name, tensor in state.items()})
    return model


def _warm_up(classifier: Classifier) -> None:
    """What the first pass prepares belongs to loading, not to the first photo."""
    side = classifier.variant.transform.crop
    classifier.engine.forward(torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)))


_LOADED = BoundedCache[tuple[Variant, str, bool], Classifier](
    KEPT_BYTES, lambda classifier: classifier.engine.size_bytes
)
_LOADING = Lock()  # one at a time: a network on its way into memory takes twice its size


def _ms(started: float) -> float:
    """Since then."""
    return (perf_counter() - started) * 1000
