"""TARGET and ``--set``: which network a command is about."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from ..errors import ExplorerError, SpecError
from ..spec import PRESETS, ResNetSpec, from_json, from_words
from ..spec.codec import MAX_TEXT
from ..spec.fields import shown

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="A preset's name, as resnet50 or cifar_resnet20; a file ending .json; JSON itself; or - for "
        "JSON on standard input.",
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Change a field, as shortcut=identity; repeatable."),
]


def read_target(target: str, changes: list[str] | None = None) -> ResNetSpec:
    """The network that ``target`` names, with ``changes`` such as ``depths=3,4,6,3``.

    Raises:
        ExplorerError: no such network, or a field is out of bounds.
    """
    return from_words(map(_parse_change, changes or []), base=_read(target))


def _read(target: str) -> ResNetSpec:
    if target in PRESETS:
        return PRESETS[target]
    if target.lstrip().startswith("{"):
        return from_json(target)
    if target == "-":
        return from_json(_text(sys.stdin.buffer, "standard input"))
    if target.endswith(".json"):
        with Path(target).open("rb") as file:
            return from_json(_text(file, target))
    raise ExplorerError(
        f"TARGET: got {shown(target)}; allowed: a file ending .json, JSON, - or one of {', '.join(PRESETS)}"
    )


def _text(file: BinaryIO, name: str) -> str:
    """At most a little more than a spec may have, which ``from_json`` then refuses."""
    try:
        return file.read(4 * MAX_TEXT + 4).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ExplorerError(f"{name}: this is no UTF-8 text; a network as JSON is expected") from None


def _parse_change(change: str) -> tuple[str, str]:
    name, equals, word = change.partition("=")
    if not equals:
        raise SpecError("--set", f"got {shown(change)}; FIELD=VALUE is expected, as shortcut=identity")
    return name.strip(), word.strip()
