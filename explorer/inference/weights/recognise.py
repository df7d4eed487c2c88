"""Which network a weight file is of, read from the names and shapes of its tensors alone.

Nothing here sees a tensor: every function is pure in names and shapes. A network is recognised only where building
it gives exactly the file's names and shapes, so that its weights load strictly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from ...errors import SpecError
from ...network import build
from ...spec import PRESETS, Block, Norm, ResNetSpec, Shortcut, Stem, ZeroPad, preset_of, title
from ...spec.shapes import text
from .naming import PORT_CLASSIFIER, Naming, read_names

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]

SHOWN = 10  # differences in a message
# How many batches BatchNorm has seen matters to no prediction; weights of before PyTorch 0.4.1 don't have it.
OPTIONAL = ".num_batches_tracked"
_BLOCK = re.compile(r"layer(\d{1,4})\.(\d{1,4})\.")


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
    """

    spec: ResNetSpec | None
    names: Mapping[str, str] = field(repr=False)
    notes: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    nearest: ResNetSpec | None = None
    differences: tuple[str, ...] = ()

    def sentences(self, chosen: ResNetSpec | None = None) -> tuple[str, ...]:
        """All there is to say, the network first; at most ten differences.

        Args:
            chosen: ``spec`` with fields set otherwise: of these nothing is assumed any more.
        """
        if self.spec is not None:
            spec = chosen or self.spec
            assumed = (words for name, words in self.unknown.items() if getattr(spec, name) == getattr(self.spec, name))
            return (f"Recognised from names and shapes: {_words(self.spec)}.", *self.notes, *assumed)
        if self.nearest is None:
            return ("These weights are of no network this program builds, nor near one.", *self.notes)
        head = "These weights are of no network this program builds. The nearest is "
        return (f"{head}{_name(self.nearest)}; it differs in:", *first(self.differences), *self.notes)


class _Unlike(Exception):
    """A tensor that every residual network has is not there, or not of its rank."""


def recognise(shapes: Shapes) -> Recognition:
    """The network whose weights have these names and shapes, buffers included.

    Understands torchvision's names, any prefix before them, and the spellings of ``spellings.py``. Only
    ``num_batches_tracked`` may be missing.
    """
    naming = read_names(shapes)
    plain = {naming.names[name]: shape for name, shape in shapes.items()}
    try:
        spec = _infer(plain)
        wrong = _differences(network_shapes(spec), plain)
    except (_Unlike, SpecError):
        return _unrecognised(naming, plain, None, ())
    if wrong:
        return _unrecognised(naming, plain, spec, wrong)
    port = naming.classifier == PORT_CLASSIFIER and spec.stem is Stem.CIFAR
    if port and spec.shortcut is Shortcut.ZERO_PAD:
        spec = spec.with_(zero_pad=ZeroPad.SPLIT)
    return Recognition(spec, naming.names, naming.notes, dict(_unknown(spec, port)))


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


def _unrecognised(naming: Naming, shapes: Shapes, inferred: ResNetSpec | None, wrong: tuple[str, ...]) -> Recognition:
    """What was inferred, or a preset where that comes nearer."""
    preset = nearest_preset(shapes)
    if preset is not None:
        from_preset = _differences(network_shapes(PRESETS[preset]), shapes)
        if inferred is None or len(from_preset) <= len(wrong):
            return Recognition(None, naming.names, naming.notes, nearest=PRESETS[preset], differences=from_preset)
    if inferred is not None and len(wrong) < len(shapes) // 2:
        return Recognition(None, naming.names, naming.notes, nearest=inferred, differences=wrong)
    return Recognition(None, naming.names, naming.notes)


def _infer(shapes: Shapes) -> ResNetSpec:
    """The only spec that could have these tensors; whether it has is for the caller to compare."""
    depths = _depths(shapes)
    norm = _norm(shapes)
    # Pre-activation networks normalise inside their blocks, not in the stem.
    preact = norm is not Norm.NONE and "bn1.weight" not in shapes
    bottleneck = "layer1.0.conv3.weight" in shapes
    last = 3 if bottleneck else 2
    outs = [_sized(shapes, f"layer{stage}.0.conv{last}.weight")[0] for stage in range(1, len(depths) + 1)]
    widths = [out // 4 for out in outs] if bottleneck else outs
    stem, in_channels = _stem(shapes)
    groups, width_per_group = _grouped(shapes, widths) if bottleneck else (1, 64)
    spec = ResNetSpec(
        depths=tuple(depths),
        block=Block(("preact_" if preact else "") + ("bottleneck" if bottleneck else "basic")),
        shortcut=Shortcut.NONE,
        stem=stem,
        widths=tuple(widths),
        groups=groups,
        width_per_group=width_per_group,
        norm=norm,
        num_classes=_sized(shapes, "fc.weight", rank=2)[0],
        in_channels=in_channels,
        image_size=32 if stem is Stem.CIFAR else 224,
    )
    return _with_shortcuts(spec, frozenset(b.path for b in spec.blocks if f"{b.path}.downsample.0.weight" in shapes))


def _sized(shapes: Shapes, name: str, rank: int = 4) -> Shape:
    shape = shapes.get(name, ())
    if len(shape) != rank:
        raise _Unlike(name)
    return shape


def _depths(shapes: Shapes) -> list[int]:
    """Blocks in each stage, as far as both count on without a gap."""
    blocks = {(int(match[1]), int(match[2])) for name in shapes if (match := _BLOCK.match(name))}
    stages: list[int] = []
    while (len(stages) + 1, 0) in blocks:
        stage, depth = len(stages) + 1, 1
        while (stage, depth) in blocks:
            depth += 1
        stages.append(depth)
    return stages


def _norm(shapes: Shapes) -> Norm:
    if any(name.endswith(".running_mean") for name in shapes):
        return Norm.BATCH
    return Norm.GROUP if "layer1.0.bn1.weight" in shapes else Norm.NONE


def _stem(shapes: Shapes) -> tuple[Stem, int]:
    """The stem, and the channels it reads."""
    if "conv1.0.weight" in shapes:
        return Stem.DEEP, _sized(shapes, "conv1.0.weight")[1]
    _, channels, kernel, _ = _sized(shapes, "conv1.weight")
    return (Stem.CIFAR if kernel == 3 else Stem.IMAGENET), channels


def _grouped(shapes: Shapes, widths: list[int]) -> tuple[int, int]:
    """Groups, and a width per group that gives every stage's 3×3 its width (``_width_range``)."""
    inner = [_sized(shapes, f"layer{stage}.0.conv2.weight") for stage in range(1, len(widths) + 1)]
    if not widths or not all([*widths, *(shape[1] for shape in inner)]):
        raise _Unlike("conv2")
    groups = max(1, inner[0][0] // inner[0][1])
    low, high = _width_range([shape[0] // groups for shape in inner], widths)
    return groups, 64 if low <= 64 <= high else low


def _width_range(per_group: list[int], widths: list[int]) -> tuple[int, int]:
    """Every w with ⌊width × w ÷ 64⌋ = channels per group in all stages; empty where low > high."""
    pairs = list(zip(per_group, widths, strict=True))
    return max(-(-64 * c // w) for c, w in pairs), min(-(-64 * (c + 1) // w) - 1 for c, w in pairs)


def _with_shortcuts(spec: ResNetSpec, projected: frozenset[str]) -> ResNetSpec:
    """``spec`` with projections in just these blocks: the option that needs fewest blocks set singly."""

    def overrides(mode: Shortcut) -> dict[str, Shortcut]:
        usual = spec.with_(shortcut=mode).blocks
        return {
            plan.path: _single(plan.changes_shape, plan.path in projected, plan.out_channels >= plan.in_channels)
            for plan in usual
            if (plan.shortcut_kind is Shortcut.PROJECTION) != (plan.path in projected)
            # Zeros can be added to a shortcut, channels can't be taken away.
            or (plan.shortcut_kind is Shortcut.ZERO_PAD and plan.out_channels < plan.in_channels)
        }

    modes = (Shortcut.PROJECTION, Shortcut.ZERO_PAD, Shortcut.PROJECTION_ALL)
    mode, single = min(((mode, overrides(mode)) for mode in modes), key=lambda pair: len(pair[1]))
    return spec.with_(shortcut=mode, shortcut_overrides=tuple(single.items()))


def _single(changes: bool, projects: bool, widens: bool) -> Shortcut:
    if projects:
        return Shortcut.PROJECTION_ALL
    if not changes:
        return Shortcut.IDENTITY
    return Shortcut.ZERO_PAD if widens else Shortcut.NONE


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
            reason = (
                "half on each side is assumed, as in the widely used port that names its classifier "
                f"“{PORT_CLASSIFIER}” too"
            )
        else:
            reason = "after the channels is assumed, as in the paper's code; a widely used port puts half on each side"
        yield "zero_pad", f"Where option A puts its zeros (zero_pad) is in no weight file: {reason}."
    elif Shortcut.PROJECTION not in kinds:
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
        yield "norm", "The number of groups of group normalisation is not in the weights: up to 32 are assumed."
    yield "activation", "The activation has no weights either: ReLU is assumed."
    side = spec.image_size
    stem = "3×3" if spec.stem is Stem.CIFAR else "7×7" if spec.stem is Stem.IMAGENET else "deep"
    stride = "1" if spec.stem is Stem.CIFAR else "2, with a max-pool,"
    yield (
        "image_size",
        f"The image size is not in the weights: {side}×{side} is assumed, and stride {stride} for the {stem} stem.",
    )
    yield "init", "How the weights were initialised leaves no trace in trained ones."


def _words(spec: ResNetSpec) -> str:
    """The facts that names and shapes do tell, for one sentence."""
    blocks = f"{spec.block.label.lower()} blocks {'-'.join(map(str, spec.depths))}"
    widths = f"widths {', '.join(map(str, spec.widths))}"
    groups = f"{spec.groups} groups × {spec.width_per_group}" if spec.groups > 1 else ""
    wide = f"{spec.width_per_group} channels per group" if spec.groups == 1 and spec.width_per_group != 64 else ""
    single = f"{len(spec.shortcut_overrides)} blocks set singly" if spec.shortcut_overrides else ""
    parts = [
        *(blocks, widths, groups, wide, f"stem {spec.stem.label}"),
        *(f"{spec.norm.label.lower()} norm", f"shortcut {spec.shortcut.label}", single),
        f"{spec.in_channels} input channel{'s' if spec.in_channels > 1 else ''}",
        f"{spec.num_classes:,} class{'es' if spec.num_classes > 1 else ''}",
    ]
    return f"{_name(spec)}: {'; '.join(filter(None, parts))}"


def _name(spec: ResNetSpec) -> str:
    preset = preset_of(spec)
    return f"{title(spec)} ({preset})" if preset else title(spec)
