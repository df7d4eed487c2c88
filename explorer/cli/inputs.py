"""``--input``: shapes, whole numbers, names, lists and dicts, as ``forward`` is called with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from ..errors import ExplorerError
from ..spec.fields import quote

Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="1x3x224x224",
        help="Shape of the input, with the batch dimension; repeatable. 1x16:int64 is a tensor of whole numbers, "
        "x=1x3x8x8 is passed by name, [1x3x8x8, 1x3x4x4] is a list, {x=1x3x8x8} a dict.",
    ),
]
Given = Sequence[Any] | Mapping[str, Any]
_NAMED = re.compile(r"([^\W\d]\w*)=(.*)", re.DOTALL)
_TYPES = ("float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool", "complex64")
_MAX_WORDS, _MAX_NESTING = 2_000, 4


def read_inputs(words: Sequence[str] | None) -> Given:
    """Positional inputs in order, or inputs by name.

    ``1x3x8x8`` is a float tensor, ``1x16:int64`` one of whole numbers, ``ids=1x16:int64`` goes by its name,
    ``[1x3x8x8, 1x3x4x4]`` is a list and ``{image=1x3x8x8, ids=1x16:int64}`` a dict.

    Raises:
        ExplorerError: it is none of these; or some have names and others don't.
    """
    named = [_NAMED.fullmatch(word.strip()) for word in words or ()]
    if not any(named):
        return [_value(word.strip()) for word in words or ()]
    if not all(named):
        raise ExplorerError("--input: either every input has a name, as x=1x3x224x224, or none has")
    return {match[1]: _value(match[2].strip()) for match in named if match}


def _value(word: str, nesting: int = 0) -> Any:
    if len(word) > _MAX_WORDS or nesting > _MAX_NESTING:
        raise ExplorerError(f"--input: got {quote(word[:40])}; it is too long or nested too deeply")
    if word.startswith("[") and word.endswith("]"):
        return [_value(part, nesting + 1) for part in _parts(word[1:-1])]
    if word.startswith("{") and word.endswith("}"):
        named = [_NAMED.fullmatch(part) for part in _parts(word[1:-1])]
        if not all(named):
            raise ExplorerError(f"--input: got {quote(word)}; names are expected, as {{image=1x3x8x8, ids=1x16:int64}}")
        return {match[1]: _value(match[2].strip(), nesting + 1) for match in named if match}
    return _tensor(word)


def _parts(words: str) -> list[str]:
    """Split at the commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(words):
        depth += (char in "[{") - (char in "]}")
        if char == "," and depth == 0:
            parts.append(words[start:i].strip())
            start = i + 1
    return [part for part in [*parts, words[start:].strip()] if part]


def _tensor(word: str) -> Any:
    from ..inspection.contract import parse_shape

    shape, colon, kind = word.partition(":")
    try:
        sides = parse_shape(shape.strip())
    except ValueError as error:
        raise ExplorerError(f"--input: {error}") from None
    if not colon:
        return sides
    if kind.strip() not in _TYPES:
        raise ExplorerError(f"--input: got {quote(kind)} as a type; allowed: {', '.join(_TYPES)}")
    import torch

    return torch.empty(sides, dtype=getattr(torch, kind.strip()), device="meta")
