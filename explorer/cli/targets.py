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
    from ..inference.checkpoint import Checkpoint
    from ..inspection import Report
    from ..model_files import Opened

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
    from ..inspection import Graph, inspect

    if is_module(target):
        if changes:
            raise ExplorerError(f"--set: {target} is code and has no fields to set")
        report = read_module(target, inputs)
        return report, (report.trace.note,) if report.trace.note else ()
    opened = _open(target, inputs) if is_model_file(target) else None
    if isinstance(opened, Graph):
        if changes:
            raise ExplorerError("--set: an ONNX file has no fields to set")
        return opened.report, opened.notes
    if not isinstance(inputs, Sequence) or not all(isinstance(shape, tuple) for shape in inputs):
        raise ExplorerError(f"--input: {target} has one input, an image; give its shape, as 1x3x224x224")
    if len(inputs) > 1:
        raise ExplorerError(f"--input: got {len(inputs)} shapes; {target} has one input")
    if opened is None:
        return inspect(apply_changes(_read_description(target), changes), *inputs), ()
    from ..model_files import report_of

    spec, notes = _of_weights(opened, changes)
    return report_of(opened, spec, *inputs), notes


def read_for_page(target: str, inputs: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[str, tuple[str, Opened] | None]:
    """What the page shows of ``target``: the query of a network that the builder can make, or a name and what it is.

    Raises:
        ExplorerError: as ``read_report``.
    """
    from ..inspection import Graph
    from ..spec import to_query

    if is_module(target):
        report, notes = read_report(target, None, inputs)
        return "", (target, Graph(report, notes))
    if is_model_file(target):
        return "", (Path(target).name, _open(target, inputs))
    if inputs:
        raise ExplorerError(f"--input: {target} describes its own input; choose another size in the builder")
    return to_query(read_target(target)), None


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


def is_model_file(target: str) -> bool:
    """Whether ``target`` is a file of weights or an ONNX file: by its ending, or because there is such a file.

    An existing file is never a misspelt preset, but a preset is never a file.
    """
    if target.lower().endswith((*WEIGHTS, ONNX)):
        return True
    if target in PRESETS or target == "-" or target.lower().endswith(".json") or target.lstrip().startswith("{"):
        return False
    try:
        return Path(target).is_file()
    except (OSError, ValueError):  # no name of a file
        return False


def _read(target: str, changes: list[str] | None) -> tuple[ResNetSpec, tuple[str, ...]]:
    """Read the network and, for a weight file, notes on how it was recognised."""
    if not is_model_file(target):
        return apply_changes(_read_description(target), changes), ()
    opened = _open(target)
    from ..inspection import Graph

    if isinstance(opened, Graph):
        raise ExplorerError("TARGET: an ONNX file can only be inspected, checked and drawn")
    return _of_weights(opened, changes)


def _open(target: str, inputs: Sequence[Any] | Mapping[str, Any] = ()) -> Opened:
    from ..model_files import is_onnx, open_model_file

    path = Path(target)
    return open_model_file(path, shapes=_input_shapes(inputs) if inputs and is_onnx(path) else ())


def _input_shapes(inputs: Sequence[Any] | Mapping[str, Any]) -> Any:
    """Shapes of ``--input``, for an ONNX file, whose inputs are tensors."""

    def shape(value: Any) -> tuple[int, ...]:
        found = tuple(getattr(value, "shape", value)) if not isinstance(value, (dict, str)) else ("",)
        if not all(isinstance(side, int) for side in found):
            raise ExplorerError("--input: the inputs of an ONNX file are tensors; give their shapes, as 1x3x224x224")
        return found

    if isinstance(inputs, Mapping):
        return {name: shape(value) for name, value in inputs.items()}
    return [shape(value) for value in inputs]


def _of_weights(checkpoint: Checkpoint, changes: list[str] | None) -> tuple[ResNetSpec, tuple[str, ...]]:
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
