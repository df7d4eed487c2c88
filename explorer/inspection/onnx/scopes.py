"""Module paths of the nodes of an ONNX graph, from what exporters leave of them.

In this order: the name of a node's weight, ``layer1.0.conv1.weight``; the scopes that torch's exporter notes; the name
that its older exporter gives a node, ``/layer1/layer1.0/conv1/Conv``. A node that has none of these is in
the module of its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_WEIGHT = re.compile(r"^((?:[\w-]+\.)*[\w-]+)\.weight$")
_QUOTED = re.compile(r"'([^']*)'")
_SCOPES = "pkg.torch.onnx.name_scopes"
_LONGEST = 160  # characters of a path
# These stand between modules: a pooling behind the last block is none of its layers.
_BETWEEN = frozenset({"adaptive_avg_pool", "avg_pool", "max_pool", "mean", "view", "softmax"})


def own_path(node: Any, weights: Sequence[str]) -> str | None:
    """What an ``onnx.NodeProto`` itself tells of its module; None where that is nothing.

    Args:
        weights: names of the constants it reads.
    """
    found = next((match[1] for name in weights if (match := _WEIGHT.match(name[: _LONGEST + 8]))), None)
    if found is not None:
        return found
    noted = next((entry.value for entry in node.metadata_props if entry.key == _SCOPES), None)
    if noted is not None:
        scopes = _QUOTED.findall(noted[:4000])
        return scopes[-2][:_LONGEST] if len(scopes) > 1 else ""
    if node.name.startswith("/"):
        return _joined(node.name[:1000].split("/")[1:-1])[:_LONGEST]
    return None


def placed(names: Sequence[str], inputs: Sequence[Sequence[int]], own: Sequence[str | None]) -> list[str]:
    """A path for every operation: its own, or the module that contains its neighbours.

    Args:
        names, inputs: of the operations, in execution order, as of ``Op``.
        own: as from ``own_path``; None where unknown.
    """
    following = _following(own)
    paths: list[str] = []
    before = ""  # module of the operation before
    for index, (name, path) in enumerate(zip(names, own, strict=True)):
        if path is None and name in _BETWEEN:
            path = _common(before, following[index])
        elif path is None:
            path = _around(before, [_holder(paths[i], names[i], own[i]) for i in inputs[index]])
        paths.append(path)
        before = _holder(path, name, own[index])
    return paths


def _joined(scopes: Sequence[str]) -> str:
    """["layer1", "layer1.0", "conv1"] -> "layer1.0.conv1": a child of a list is written with its parent's name."""
    parts: list[str] = []
    for scope in scopes:
        if parts and scope.startswith(f"{parts[-1]}."):
            parts[-1] = scope
        else:
            parts.append(scope)
    return ".".join(parts)


def _following(own: Sequence[str | None]) -> list[str]:
    """For each operation the module of the next one whose path is known."""
    result, after = [], ""
    for path in reversed(own):
        after = after if path is None else path.rpartition(".")[0]
        result.append(after)
    return result[::-1]


def _holder(path: str, name: str, own: str | None) -> str:
    """The module an operation is in: of a layer its parent, of what has no layer of its own its path."""
    return path if own is None or name == "add" else path.rpartition(".")[0]


def _common(first: str, second: str) -> str:
    shared = []
    for a, b in zip(first.split("."), second.split("."), strict=False):
        if a != b:
            break
        shared.append(a)
    return ".".join(shared)


def _around(before: str, holders: Sequence[str]) -> str:
    """``before``, or a module around it that one of the inputs comes from (a block around its ``downsample``)."""
    around = [holder for holder in holders if holder and before.startswith(f"{holder}.")]
    return min(around, key=len, default=before)
