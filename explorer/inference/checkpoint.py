"""A user's own weight file: read in a child process, recognised, rebuilt, and used to classify photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from torch import Tensor, nn

from ..datasets.cifar10 import CLASSES as CIFAR10_CLASSES
from ..datasets.photos import IMAGENET_MEAN, IMAGENET_STD
from ..errors import UnknownNetworkError, WeightsError
from ..network import ResNet, build
from ..network.card import Card
from ..spec import ResNetSpec, title
from ..spec.budget import estimate
from .classifier import Classifier
from .running.engine import Engine, choose_device, is_exact
from .transform import Transform
from .weights.cache import WeightFile, digest
from .weights.card import read_card
from .weights.catalogue import Variant, find
from .weights.read import load_into, not_finite, read_file, shapes_of
from .weights.recognise import Recognition, network_shapes, recognise
from .weights.sandbox import LIMITS, SandboxLimits, read_weights


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """An opened weight file.

    Attributes:
        path: of the file, which nothing reads again; never shown.
        sha256, size_bytes: of the file.
        state: the tensors under the built network's names; under those in the file if no network was recognised.
        recognition: which network they are of.
        broken: names of tensors that hold NaN or infinity.
        card: what the file says of itself, where this program trained it.
        kinds: path of a module -> name of its class, of a model that was saved whole; else empty.
        notes: where the weights were in the file, and what is beside them, in sentences.
    """

    path: Path = field(repr=False)
    sha256: str = field(repr=False)
    size_bytes: int
    state: Mapping[str, Tensor] = field(repr=False)
    recognition: Recognition
    broken: tuple[str, ...] = ()
    card: Card | None = None
    kinds: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def spec(self) -> ResNetSpec:
        """The network.

        Raises:
            UnknownNetworkError: it was not recognised; names the nearest and ten differences.
        """
        if self.recognition.spec is None:
            raise UnknownNetworkError("\n".join((*self.recognition.sentences(), *self.notes)), self)
        return self.recognition.spec

    def sentences(self, chosen: ResNetSpec | None = None) -> tuple[str, ...]:
        """All there is to say, as ``Recognition.sentences``; a warning of broken numbers comes last."""
        warning = (
            f"{len(self.broken)} of {len(self.state)} tensors contain NaN or infinity, for example "
            f"{self.broken[0][:80]!a}: these weights can be inspected, but cannot classify photos."
            if self.broken
            else ""
        )
        return (*self.recognition.sentences(chosen), *self.notes, *filter(None, [warning]))


def open_checkpoint(path: Path, limits: SandboxLimits = LIMITS, *, trusted: bool = False) -> Checkpoint:
    """Read a weight file and recognise its network.

    Args:
        trusted: read it in this process instead of a child with ``limits``. Nothing in it is run either way.

    Raises:
        WeightsError: the file is refused (see ``sandbox.read_weights``).
    """
    state, kinds, notes = read_file(path) if trusted else read_weights(path, limits)
    recognition = recognise(shapes_of(state))
    left_over = frozenset(recognition.left_over)
    names = recognition.names if recognition.spec else {name: name for name in state}
    named = {names[name]: tensor for name, tensor in state.items() if name not in left_over}
    card = read_card(path)
    if card and shapes_of(named) == network_shapes(card.spec):
        recognition = describe_by_card(card, recognition)
    else:
        card = None
    size = path.stat().st_size
    return Checkpoint(path, digest(path), size, named, recognition, not_finite(named), card, kinds, notes)


def trained_checkpoint(name: str, card: Card, state: Mapping[str, Tensor], file: bytes) -> Checkpoint:
    """Weights that were trained in this process, as if the file they are saved as had been opened.

    Args:
        state: the weights, under the built network's names.
        file: the bytes they are saved as.
    """
    recognition = describe_by_card(card, Recognition(card.spec, {key: key for key in state}))
    path = Path(f"{name}.safetensors")
    return Checkpoint(path, sha256(file).hexdigest(), len(file), state, recognition, not_finite(state), card)


def describe_by_card(card: Card, found: Recognition) -> Recognition:
    """Add the card's facts to a file whose names and shapes agree with it; nothing has to be assumed."""
    note = f"The file says itself what it is: “{card.title}”, with its classes and how images are normalised."
    return Recognition(card.spec, found.names, (*found.notes, note))


def network_of(checkpoint: Checkpoint, spec: ResNetSpec | None = None) -> ResNet:
    """The network that a file's weights are of, without values; a body ends in what its classifier would read.

    Args:
        spec: as in ``rebuild``.

    Raises:
        WeightsError: the weights were not recognised.
    """
    model = build(spec or checkpoint.spec, device="meta")
    if not checkpoint.recognition.has_head:
        model.fc = nn.Identity()  # type: ignore[assignment]
    return model


def rebuild(checkpoint: Checkpoint, spec: ResNetSpec | None = None) -> ResNet:
    """The network with the file's weights, loaded strictly, on the CPU.

    Args:
        spec: the recognised one with what weights don't tell (``Recognition.unknown``) chosen otherwise.

    Raises:
        WeightsError: the weights do not match ``spec``, or were not recognised.
    """
    model = network_of(checkpoint, spec).to_empty(device="cpu")
    load_into(model, checkpoint.state)
    return model


def checkpoint_classifier(checkpoint: Checkpoint, spec: ResNetSpec | None = None, device: str = "auto") -> Classifier:
    """A classifier of photos with the file's weights. What is assumed, every prediction's notes say.

    Args:
        spec: as in ``rebuild``.
        device: as in ``engine.choose_device``.

    Raises:
        WeightsError: NaN or infinity in the weights, they have no classifier, or the network doesn't read the three
            channels of photos.
    """
    spec = spec or checkpoint.spec
    if checkpoint.broken:
        name = checkpoint.broken[0][:80]
        raise WeightsError(f"these weights cannot classify photos: {name!a} contains NaN or infinity")
    if not checkpoint.recognition.has_head:
        raise WeightsError("these weights are of a network's body: without a classifier they cannot classify photos")
    if spec.in_channels != 3:
        raise WeightsError(f"this network reads {spec.in_channels} channels; photos have 3")
    engine = Engine(rebuild(checkpoint, spec), choose_device(device), exact=is_exact(device))
    return Classifier(variant_of(checkpoint, spec), engine)


def variant_of(checkpoint: Checkpoint, spec: ResNetSpec) -> Variant:
    """Describe an opened file as a catalogue entry; its accuracy is the one stated in the file."""
    params, macs = estimate(spec)
    card = checkpoint.card if checkpoint.card and checkpoint.card.spec == spec else None
    classes, whose = (card.classes, "") if card else _classes(spec)
    # Facts that weights do not contain are those of the usual data set of such networks.
    mean, std = (card.mean, card.std) if card else (IMAGENET_MEAN, IMAGENET_STD)
    side = spec.image_size
    return Variant(
        name="your weights",
        title=f"Your {title(spec)}",
        spec=spec,
        file=WeightFile(checkpoint.path, checkpoint.sha256, checkpoint.size_bytes),
        top1=round(100 * card.accuracy, 2) if card and card.accuracy is not None else None,
        top5=None,
        dataset=card.data if card else "",
        params=params,
        gmacs=macs / 1e9,
        transform=Transform(side * 256 // 224 if side > 64 else side, side, mean, std),
        classes=classes,
        licence="Yours.",
        recipe="Not in the file.",
        note=f"This network sees {side}×{side} pixels. It always predicts one of its {spec.num_classes} classes, even "
        "if the photo shows something else."
        if card
        else "The file does not contain its class names or the normalisation of its images. "
        f"Assumed: {whose}, and ImageNet's mean and standard deviation.",
    )


def _classes(spec: ResNetSpec) -> tuple[tuple[str, ...], str]:
    """Names of the classes, and words on where they are from."""
    if spec.num_classes == 10 and spec.image_size == 32:
        return CIFAR10_CLASSES, "CIFAR-10's ten classes"
    if spec.num_classes == 1000:
        return find("resnet18").classes, "ImageNet's 1,000 classes"
    return tuple(f"class {number}" for number in range(spec.num_classes)), "numbers for classes"
