"""Map other names of a residual network's tensors to torchvision's, which this program uses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PORT = "akamaster/pytorch_resnet_cifar10"  # the CIFAR ResNets by Yerlan Idelbayev, on github.com
PORT_CLASSIFIER = "linear"  # its name in them


@dataclass(frozen=True)
class Naming:
    """Names of a file's tensors, mapped.

    Attributes:
        names: name in the file -> torchvision's; those not understood stay as they are.
        notes: what was mapped, in sentences.
        classifier: what the file names the classifier, without a prefix, where it is not ``fc``; else empty.
    """

    names: Mapping[str, str]
    notes: tuple[str, ...] = ()
    classifier: str = ""


# The transformers library's, whose stages and layers count from 0.
_STAGE = r"^encoder\.stages\.(\d+)\.layers\.(\d+)\."
_TRANSFORMERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^embedder\.embedder\.convolution\."), "conv1."),
    (re.compile(r"^embedder\.embedder\.normalization\."), "bn1."),
    (re.compile(_STAGE + r"shortcut\.convolution\."), r"layer+\1.\2.downsample.0."),
    (re.compile(_STAGE + r"shortcut\.normalization\."), r"layer+\1.\2.downsample.1."),
    (re.compile(_STAGE + r"layer\.(\d)\.convolution\."), r"layer+\1.\2.conv+\3."),
    (re.compile(_STAGE + r"layer\.(\d)\.normalization\."), r"layer+\1.\2.bn+\3."),
)
# detectron2's, whose stages count from 2.
_DETECTRON: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^stem\.conv1\.norm\."), "bn1."),
    (re.compile(r"^stem\.conv1\."), "conv1."),
    (re.compile(r"^res(\d)\.(\d+)\.shortcut\.norm\."), r"layer-\1.\2.downsample.1."),
    (re.compile(r"^res(\d)\.(\d+)\.shortcut\."), r"layer-\1.\2.downsample.0."),
    (re.compile(r"^res(\d)\.(\d+)\.conv(\d)\.norm\."), r"layer-\1.\2.bn\3."),
    (re.compile(r"^res(\d)\.(\d+)\."), r"layer-\1.\2."),
)
_COUNTED = re.compile(r"([+-])(\d{1,6})")
_PREFIX = re.compile(r"^((?:\w+\.)+?)layer1\.0\.")
_SHORTCUT = re.compile(r"^(layer\d+\.\d+\.)(shortcut|skip|projection)\.")
_CLASSIFIER = re.compile(
    r"^(linear|classifier(?:\.\d)?|head(?:\.fc)?|last_linear|fc\.\d|logits|\d{1,3})\.(?=weight$|bias$)"
)
# The first block of the first stage in a Sequential of a network's children.
_CHILD = re.compile(r"^((?:\w+\.)*?)(\d{1,2})\.0\.conv1\.weight$")


def read_names(shapes: Mapping[str, tuple[int, ...]]) -> Naming:
    """Map every name; where two would become one, none is mapped.

    Args:
        shapes: by name, those of a classifier tell it from other layers.
    """
    mapped = {name: name for name in shapes}
    notes: list[str] = []
    _from_table(mapped, notes, "encoder.stages.0.layers.0.", "embedder.", _TRANSFORMERS, "the transformers library")
    _from_table(mapped, notes, "res2.0.", "stem.", _DETECTRON, "detectron2")
    _from_children(mapped, notes, shapes)
    _without_prefix(mapped, notes)
    shortcuts = _replace_in_names(mapped, _SHORTCUT, r"\1downsample.", group=2)
    notes += [f"“{was}” in the file is “downsample” here: the projection on a shortcut." for was in shortcuts]
    classifier = _name_classifier(mapped, notes, shapes)
    if len(set(mapped.values())) < len(mapped):
        return Naming({name: name for name in shapes})
    return Naming(mapped, tuple(notes), classifier or ("fc" if "fc.weight" in mapped.values() else ""))


def _from_table(
    mapped: dict[str, str],
    notes: list[str],
    block: str,
    stem: str,
    table: tuple[tuple[re.Pattern[str], str], ...],
    whose: str,
) -> None:
    """Map the names of a library, whose first block is named ``block``, with any prefix before it."""
    at = next((name.index(block) for name in mapped if f".{block}" in f".{name}"), None)
    if at is None:
        return
    prefix = next(name[:at] for name in mapped if name[at:].startswith(block))
    for name in mapped:
        plain = name.removeprefix(prefix)
        for pattern, replacement in table:
            plain = pattern.sub(replacement, plain)
        if plain != name.removeprefix(prefix):
            mapped[name] = _COUNTED.sub(lambda match: str(int(match[2]) + (1 if match[1] == "+" else -1)), plain)
    notes.append(f"The names are those of {whose}; each was mapped to torchvision's.")


def _from_children(mapped: dict[str, str], notes: list[str], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Map the positions of a network's children, which ``nn.Sequential(*net.children())`` and fastai leave as names."""
    found = [match for name in mapped if (match := _CHILD.match(name)) and len(shapes[name]) == 4]
    if not found or any("layer1." in name for name in mapped):
        return
    prefix = found[0][1]
    first = min(int(match[2]) for match in found if match[1] == prefix)
    if not any(len(shapes.get(f"{prefix}{stem}", ())) == 4 for stem in ("0.weight", "0.0.weight")):
        return
    places = {0: "conv1", 1: "bn1"} | {int(m[2]): f"layer{int(m[2]) - first + 1}" for m in found if m[1] == prefix}
    for name in mapped:
        place, _, rest = name.removeprefix(prefix).partition(".")
        if name.startswith(prefix) and place.isdigit() and int(place) in places:
            mapped[name] = f"{places[int(place)]}.{rest}"
    notes.append("The names are positions in an nn.Sequential of the network's children; each was mapped to its layer.")


def _name_classifier(mapped: dict[str, str], notes: list[str], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Call the only matrix with the name of a classifier "fc"; returns its name, empty if there are more."""
    if "fc.weight" in mapped.values():
        return ""
    found = [
        match[1]
        for name, plain in mapped.items()
        if (match := _CLASSIFIER.match(plain)) and plain.endswith("weight") and len(shapes[name]) == 2
    ]
    if len(found) != 1:
        return ""
    for name, plain in mapped.items():
        if plain in (f"{found[0]}.weight", f"{found[0]}.bias"):
            mapped[name] = f"fc.{plain.rpartition('.')[2]}"
    notes.append(f"“{found[0]}” in the file is “fc” here: the classifier.")
    return found[0]


def _without_prefix(mapped: dict[str, str], notes: list[str]) -> None:
    """Remove the prefix before ``layer1.0.``, for example ``module.`` or ``backbone.``."""
    found = Counter(match[1] for name in mapped.values() if (match := _PREFIX.match(name)))
    if not found:
        return
    prefix = found.most_common(1)[0][0]
    for name, plain in mapped.items():
        mapped[name] = plain.removeprefix(prefix)
    outer = next((p for p in _outer(prefix) if any(name.startswith(p) for name in mapped.values())), "")
    for name, plain in mapped.items():  # a classifier beside the backbone, both in one module
        mapped[name] = plain.removeprefix(outer) if outer else plain
    notes.append(f"The prefix “{prefix}” was taken off the names in the file.")


def _outer(prefix: str) -> Iterable[str]:
    """``module.backbone.`` -> ``module.``: the prefixes around a prefix, the longest first."""
    parts = prefix.split(".")[:-1]
    return (".".join(parts[:end]) + "." for end in range(len(parts) - 1, 0, -1))


def _replace_in_names(mapped: dict[str, str], pattern: re.Pattern[str], replacement: str, *, group: int) -> list[str]:
    """Replace in every name; return the replaced texts without duplicates."""
    was: list[str] = []
    for name, plain in mapped.items():
        if match := pattern.match(plain):
            mapped[name] = pattern.sub(replacement, plain, count=1)
            was += [match[group]] if match[group] not in was else []
    return was
