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
_STAGE = r"^(?:resnet\.)?encoder\.stages\.(\d+)\.layers\.(\d+)\."
_TRANSFORMERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(?:resnet\.)?embedder\.embedder\.convolution\."), "conv1."),
    (re.compile(r"^(?:resnet\.)?embedder\.embedder\.normalization\."), "bn1."),
    (re.compile(_STAGE + r"shortcut\.convolution\."), r"layer+\1.\2.downsample.0."),
    (re.compile(_STAGE + r"shortcut\.normalization\."), r"layer+\1.\2.downsample.1."),
    (re.compile(_STAGE + r"layer\.(\d)\.convolution\."), r"layer+\1.\2.conv+\3."),
    (re.compile(_STAGE + r"layer\.(\d)\.normalization\."), r"layer+\1.\2.bn+\3."),
)
_COUNTED = re.compile(r"\+(\d{1,6})")
_PREFIX = re.compile(r"^((?:\w+\.)+?)layer1\.0\.")
_SHORTCUT = re.compile(r"^(layer\d+\.\d+\.)(shortcut|skip|projection)\.")
_CLASSIFIER = re.compile(r"^(linear|classifier(?:\.\d)?|head(?:\.fc)?|last_linear|fc\.\d|logits)\.(?=weight$|bias$)")


def read_names(names: Iterable[str]) -> Naming:
    """Map every name; where two would become one, none is mapped."""
    given = tuple(names)
    mapped = {name: name for name in given}
    notes: list[str] = []
    _from_transformers(mapped, notes)
    _without_prefix(mapped, notes)
    shortcuts = _replace_in_names(mapped, _SHORTCUT, r"\1downsample.", group=2)
    notes += [f"“{was}” in the file is “downsample” here: the projection on a shortcut." for was in shortcuts]
    classifiers = _replace_in_names(mapped, _CLASSIFIER, "fc.", group=1)
    notes += [f"“{was}” in the file is “fc” here: the classifier." for was in classifiers]
    if len(set(mapped.values())) < len(mapped):
        return Naming({name: name for name in given})
    return Naming(
        mapped, tuple(notes), classifiers[0] if classifiers else "fc" if "fc.weight" in mapped.values() else ""
    )


def _from_transformers(mapped: dict[str, str], notes: list[str]) -> None:
    if not any("encoder.stages.0.layers.0." in name for name in mapped):
        return
    for name in mapped:
        for pattern, replacement in _TRANSFORMERS:
            mapped[name] = pattern.sub(replacement, mapped[name])
        if mapped[name] != name:
            mapped[name] = _COUNTED.sub(lambda match: str(int(match[1]) + 1), mapped[name])
    notes.append("The names are those of the transformers library; each was mapped to torchvision's.")


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
