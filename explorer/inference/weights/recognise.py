"""Recognise the network of a weight file from the names and shapes of its tensors alone.

Nothing here sees a tensor: every function is pure in names and shapes. A network is recognised only where building
it gives exactly the file's names and shapes, so that its weights load strictly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from ...errors import SpecError
from ...network import build
from ...spec import PRESETS, Norm, ResNetSpec, Shortcut, ZeroPlacement, preset_of, title
from ...spec.shapes import text
from .infer import Shape, Shapes, Unlike, infer
from .naming import PORT, PORT_CLASSIFIER, Naming, read_names

SHOWN = 10  # differences in a message
# How many batches BatchNorm has seen matters to no prediction; weights of before PyTorch 0.4.1 don't have it.
OPTIONAL = ".num_batches_tracked"
_OWN = re.compile(r"(?:conv1|bn1|post|layer\d{1,4}|fc)\.")  # names of the modules of a network
_HEAD = {"fc.weight", "fc.bias"}
_CLASSES = 1000  # of the classifier that a body without one is drawn with


@dataclass(frozen=True)
class Recognition:
    """What the names and shapes of a weight file tell.

    Attributes:
        spec: the network; None where this program builds none with these names and shapes.
        names: name in the file -> name in the built network, for every tensor.
        notes: what was mapped, in sentences.
        unknown: field of the spec -> a sentence that says why weights don't tell it, and what is assumed.
        nearest: where ``spec`` is None, the known network most like the file; None where none is.
        differences: where ``spec`` is None, the names that differ from ``nearest``, as expected and got.
        left_over: names in the file of what is not part of the network.
        has_head: whether the file has the network's classifier.
    """

    spec: ResNetSpec | None
    names: Mapping[str, str] = field(repr=False)
    notes: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    nearest: ResNetSpec | None = None
    differences: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    has_head: bool = True

    def sentences(self, chosen: ResNetSpec | None = None) -> tuple[str, ...]:
        """All there is to say, the network first; at most ten differences.

        Args:
            chosen: ``spec`` with fields set otherwise: of these nothing is assumed any more.
        """
        if self.spec is not None:
            spec = chosen or self.spec
            assumed = (words for name, words in self.unknown.items() if getattr(spec, name) == getattr(self.spec, name))
            return (
                f"Recognised from names and shapes: {_words(self.spec, has_head=self.has_head)}.",
                *self.notes,
                *assumed,
            )
        if self.nearest is None:
            return ("These weights do not match any network of this program, and none is similar.", *self.notes)
        head = "These weights do not match any network of this program. The nearest is "
        return (f"{head}{_name(self.nearest)}; it differs in:", *first(self.differences), *self.notes)


def recognise(shapes: Shapes) -> Recognition:
    """The network whose weights have these names and shapes, buffers included; or the body of one, without its
    classifier or with other parts beside it.

    Understands torchvision's names, any prefix before them, and the spellings of ``naming.py``. Only
    ``num_batches_tracked`` may be missing.
    """
    naming = read_names(shapes)
    plain = {naming.names[name]: shape for name, shape in shapes.items()}
    own = {name: shape for name, shape in plain.items() if _OWN.match(name)}
    has_head = {name for name in own if name.startswith("fc.")} == _HEAD and len(own["fc.weight"]) == 2
    if not has_head:
        own = {name: shape for name, shape in own.items() if not name.startswith("fc.")}
    try:
        spec = infer(own if has_head else own | {"fc.weight": (_CLASSES, 1)})
        expected = {name: shape for name, shape in network_shapes(spec).items() if has_head or name not in _HEAD}
        wrong = _differences(expected, own)
    except (Unlike, SpecError):
        return _explain_failure(naming, plain, None, ())
    if wrong:
        return _explain_failure(naming, plain, spec, wrong)
    port = naming.classifier == PORT_CLASSIFIER and spec.is_cifar
    if port and spec.shortcut is Shortcut.ZERO_PAD:
        spec = spec.with_(zero_pad=ZeroPlacement.SPLIT)
    left_over = tuple(name for name in shapes if naming.names[name] not in own)
    notes = (*naming.notes, *_beside([naming.names[name] for name in left_over], has_head))
    return Recognition(spec, naming.names, notes, dict(_unknown(spec, port)), left_over=left_over, has_head=has_head)


def _beside(left_over: Sequence[str], has_head: bool) -> Iterator[str]:
    """What a body lacks, and what is beside it, in sentences."""
    if not has_head:
        yield (
            "The file has no classifier of this network: it is its body. The builder draws it with a classifier of "
            f"{_CLASSES:,} classes. It cannot classify photos."
        )
    if left_over:
        parts = Counter(name.partition(".")[0] for name in left_over)
        listed = ", ".join(f"{part[:80]!a} ({_tensors(count)})" for part, count in parts.most_common(SHOWN))
        more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
        yield f"Left over, and not part of this network: {listed}{more}."


def _tensors(count: int) -> str:
    return f"{count} tensor{'' if count == 1 else 's'}"


def network_shapes(spec: ResNetSpec) -> dict[str, Shape]:
    """Names and shapes of the tensors of ``build(spec)``, buffers included."""
    return {name: tuple(tensor.shape) for name, tensor in build(spec, device="meta").state_dict().items()}


def nearest_preset(shapes: Shapes) -> str | None:
    """The preset that shares most names and shapes with ``shapes``; None where none shares half of them."""
    wanted = {item for item in shapes.items() if not item[0].endswith(OPTIONAL)}
    scores = {}
    for preset, spec in PRESETS.items():
        # A block has ten such entries at least. Building the thousand-layer nets would take seconds.
        if len(spec.blocks) * 10 < 2 * len(wanted):
            known = _preset_shapes(preset)
            scores[preset] = len(wanted & known) / max(len(wanted), len(known))
    best = max(scores, key=scores.__getitem__, default="")
    return best if scores.get(best, 0) > 0.5 else None


def compare(expected: Mapping[str, str], got: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for every name that two tables of words tell apart; those expected come first."""
    pairs = ((name, expected.get(name, "nothing"), got.get(name, "nothing")) for name in {**expected, **got})
    return tuple(f"{name[:80]!a}: expected {wanted}, got {found}" for name, wanted, found in pairs if wanted != found)


def first(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The first ten, and how many more there are."""
    return (*lines[:SHOWN], f"… and {len(lines) - SHOWN} more") if len(lines) > SHOWN else lines


def shape_text(shape: Shape) -> str:
    return text(shape, empty="one number")


@cache
def _preset_shapes(preset: str) -> frozenset[tuple[str, Shape]]:
    return frozenset(item for item in network_shapes(PRESETS[preset]).items() if not item[0].endswith(OPTIONAL))


def _differences(expected: Shapes, got: Shapes) -> tuple[str, ...]:
    needed = {name: shape for name, shape in expected.items() if name in got or not name.endswith(OPTIONAL)}
    return compare(*({name: shape_text(shape) for name, shape in shapes.items()} for shapes in (needed, got)))


def _explain_failure(
    naming: Naming, shapes: Shapes, inferred: ResNetSpec | None, wrong: tuple[str, ...]
) -> Recognition:
    """What was inferred, or a preset where that comes nearer."""
    preset = nearest_preset(shapes)
    if preset is not None:
        from_preset = _differences(network_shapes(PRESETS[preset]), shapes)
        if inferred is None or len(from_preset) <= len(wrong):
            return Recognition(None, naming.names, naming.notes, nearest=PRESETS[preset], differences=from_preset)
    if inferred is not None and len(wrong) < len(shapes) // 2:
        return Recognition(None, naming.names, naming.notes, nearest=inferred, differences=wrong)
    return Recognition(None, naming.names, naming.notes)


def _unknown(spec: ResNetSpec, port: bool) -> Iterator[tuple[str, str]]:
    """What weights don't tell of ``spec``, by field."""
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    if Shortcut.ZERO_PAD in kinds:
        yield (
            "shortcut",
            "Where the shape changes no shortcut has weights: option A, zero-padded, is assumed. "
            "A network without shortcuts would leave the same names.",
        )
        if port:
            reason = f"half on each side is assumed, as in {PORT}, which names its classifier “{PORT_CLASSIFIER}” too"
        else:
            reason = f"after the channels is assumed, as in the paper's code; {PORT} puts half on each side"
        yield "zero_pad", f"Where option A puts its zeros (zero_pad) is in no weight file: {reason}."
    elif not any(kind.projects for kind in kinds):
        yield "shortcut", "No block changes the shape, so that shortcuts need no weights: it is assumed they are there."
    if spec.block.is_bottleneck:
        yield (
            "stride_on",
            "Whether a bottleneck's first 1×1 strides (v1) or its 3×3 (v1.5) is undeterminable from weights: "
            "v1.5, torchvision's, is assumed.",
        )
    if spec.norm is Norm.NONE:
        yield "block", "Without normalisation, pre-activation blocks leave the same names: post-activation is assumed."
    if spec.norm is Norm.GROUP:
        yield (
            "norm",
            "These names are those of group normalisation, and of batch normalisation whose statistics were not saved, "
            "for example in a file of parameters alone. Group normalisation with up to 32 groups is assumed.",
        )
    yield "activation", "The activation has no weights either: ReLU is assumed."
    side, form = spec.image_size, spec.stem.form
    stem = "deep" if spec.stem.convolutions > 1 else f"{form.kernels[0]}×{form.kernels[0]}"
    stride = f"{form.stride}, with a max-pool," if form.pools else form.stride
    yield (
        "image_size",
        f"The image size is not in the weights: {side}×{side} is assumed, and stride {stride} for the {stem} stem. "
        "Strides, dilation and blur pooling have no weights either: stages that start with stride 2 are assumed.",
    )
    yield "init", "How the weights were initialised leaves no trace in trained ones."


def _words(spec: ResNetSpec, *, has_head: bool) -> str:
    """The facts that names and shapes do tell, for one sentence."""
    blocks = f"{spec.block.label.lower()} blocks {'-'.join(map(str, spec.depths))}"
    widths = f"widths {', '.join(map(str, spec.widths))}"
    groups = f"{spec.groups} groups × {spec.width_per_group}" if spec.groups > 1 else ""
    wide = f"{spec.width_per_group} channels per group" if spec.groups == 1 and spec.width_per_group != 64 else ""
    single = f"{len(spec.shortcut_overrides)} blocks set singly" if spec.shortcut_overrides else ""
    unsure = ", or batch norm without statistics" if spec.norm is Norm.GROUP else ""
    parts = [
        *(blocks, widths, groups, wide, f"stem {spec.stem.label}"),
        *(f"{spec.norm.label.lower()} norm{unsure}", f"shortcut {spec.shortcut.label}", single),
        f"{spec.in_channels} input channel{'s' if spec.in_channels > 1 else ''}",
        f"{spec.num_classes:,} class{'es' if spec.num_classes > 1 else ''}" if has_head else "no classifier",
    ]
    return f"{'' if has_head else 'the body of '}{_name(spec)}: {'; '.join(filter(None, parts))}"


def _name(spec: ResNetSpec) -> str:
    preset = preset_of(spec)
    return f"{title(spec)} ({preset})" if preset else title(spec)
