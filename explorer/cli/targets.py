"""TARGET and ``--set``: the network that a command works on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from ..errors import ExplorerError, SpecError
from ..spec import PRESETS, ResNetSpec, from_json, from_words
from ..spec.codec import MAX_TEXT
from ..spec.fields import quote
from .modules import is_module, read_module

if TYPE_CHECKING:
    from ..inspection import Report

ONNX = ".onnx"
WEIGHTS = (".safetensors", ".pth", ".pt", ".pt2", ".th", ".ckpt", ".bin")
Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="A preset, for example resnet50 or cifar_resnet20; a .json file; JSON text; - for JSON on standard input; "
        "weights (.safetensors, .pth, .pt). To inspect, check and draw also: .onnx, or PACKAGE.MODULE:CALLABLE from "
        "your own code.",
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field, for example shortcut=identity; repeatable."),
]


def read_target(target: str, changes: list[str] | None = None) -> ResNetSpec:
    """Read the network that ``target`` names and apply ``changes``, for example ``depths=3,4,6,3``.

    Raises:
        ExplorerError: there is no such network, or a field has an invalid value.
    """
    return _read(target, changes)[0]


def read_report(
    target: str, changes: list[str] | None = None, inputs: Sequence[Any] | Mapping[str, Any] = ()
) -> tuple[Report, tuple[str, ...]]:
    """Inspect ``target``; also returns notes on the file that it was read from.

    Args:
        inputs: as ``inspect``'s, shapes alone for a spec; default: the network's own.

    Raises:
        ExplorerError: as ``read_target``, or the file is rejected, or the user's code fails.
    """
    from ..inspection import inspect

    if is_module(target):
        if changes:
            raise ExplorerError(f"--set: {target} is code and has no fields to set")
        report = read_module(target, inputs)
        return report, (report.trace.note,) if report.trace.note else ()
    if target.lower().endswith(ONNX):
        if inputs:
            raise ExplorerError("--input: an ONNX file defines its own inputs")
        from ..inference.weights.sandbox import run_in_child
        from ..inspection.onnx.graph import read_graph

        if changes:
            raise ExplorerError("--set: an ONNX file has no fields to set")
        with run_in_child("explorer.inspection.onnx.graph:write_graph", Path(target)) as result:
            graph = read_graph(result)
        return graph.report, graph.notes
    spec, notes = _read(target, changes)
    if not isinstance(inputs, Sequence) or not all(isinstance(shape, tuple) for shape in inputs):
        raise ExplorerError(f"--input: {target} has one input, an image; give its shape, as 1x3x224x224")
    if len(inputs) > 1:
        raise ExplorerError(f"--input: got {len(inputs)} shapes; {target} has one input")
    return inspect(spec, *inputs), notes


def apply_changes(spec: ResNetSpec, changes: list[str] | None) -> ResNetSpec:
    """Apply ``changes`` to ``spec``, for example ``depths=3,4,6,3``.

    Raises:
        SpecError: a field has an invalid value.
    """
    return from_words(map(_parse_change, changes or []), base=spec)


def refuse_broken(spec: ResNetSpec) -> None:
    """Reject a network that cannot run.

    Raises:
        ExplorerError: a shortcut does not match its branch.
    """
    from ..inspection import inspect

    broken = inspect(spec).broken
    if broken:
        raise ExplorerError(broken[0].explanation)


def _read(target: str, changes: list[str] | None) -> tuple[ResNetSpec, tuple[str, ...]]:
    """Read the network and, for a weight file, notes on how it was recognised."""
    if not target.lower().endswith(WEIGHTS):
        return apply_changes(_read_description(target), changes), ()
    from ..inference.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(Path(target))
    spec = apply_changes(checkpoint.spec, changes)
    return spec, checkpoint.sentences(spec)


def _read_description(target: str) -> ResNetSpec:
    if target in PRESETS:
        return PRESETS[target]
    if target.lstrip().startswith("{"):
        return from_json(target)
    if target == "-":
        return from_json(_read_text(sys.stdin.buffer, "standard input"))
    if target.endswith(".json"):
        with Path(target).open("rb") as file:
            return from_json(_read_text(file, target))
    if target.lower().endswith(ONNX):
        raise ExplorerError("TARGET: an ONNX file can only be inspected, checked and drawn")
    raise ExplorerError(
        f"TARGET: got {quote(target)}, expected a .json file, JSON text, - or one of {', '.join(PRESETS)}"
    )


def _read_text(file: BinaryIO, name: str) -> str:
    """Read slightly more than the limit at most, so that ``from_json`` can reject it."""
    try:
        return file.read(4 * MAX_TEXT + 4).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ExplorerError(f"{name}: expected a network as JSON in UTF-8") from None


def _parse_change(change: str) -> tuple[str, str]:
    name, equals, word = change.partition("=")
    if not equals:
        raise SpecError("--set", f"got {quote(change)}, expected FIELD=VALUE, for example shortcut=identity")
    return name.strip(), word.strip()
