"""What each kind of field accepts. One table of parsers serves Python, JSON, URL and command line.

A parser takes the field's name and any value and returns the canonical value or raises ``SpecError``
naming field, value and what is allowed. Nothing is coerced quietly: ``True``, ``1.5`` and ``"3"`` are
not integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import SpecError
from .options import Option, Shortcut

Parser = Callable[[str, Any], Any]


def quote(value: object, limit: int = 40) -> str:
    """``repr`` bounded and printable, fit for an error message."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**18:
        return "an integer of more than 18 digits"
    try:
        text = ascii(value)
    except ValueError:  # somewhere inside is an integer of more digits than Python prints
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def integer(low: int, high: int) -> Parser:
    def parse(name: str, value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise SpecError(name, f"got {quote(value)}; a whole number from {low} to {high} is allowed")
        return value

    return parse


def integers(low: int, high: int, most: int) -> Parser:
    """A tuple of 1 … ``most`` integers, each within bounds."""

    def parse(name: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= most:
            raise SpecError(name, f"got {quote(value)}; 1 to {most} whole numbers are allowed, one for each stage")
        one = integer(low, high)
        return tuple(one(f"{name}[{i}]", v) for i, v in enumerate(value))

    return parse


def boolean(name: str, value: Any) -> bool:
    if type(value) is not bool:
        raise SpecError(name, f"got {quote(value)}; true or false is allowed")
    return value


def choice(options: type[Option]) -> Parser:
    def parse(name: str, value: Any) -> Option:
        try:
            return options.from_spelling(value)
        except ValueError:
            allowed = ", ".join(options)
            raise SpecError(name, f"got {quote(value)}; allowed: {allowed}") from None

    return parse


def overrides(name: str, value: Any) -> tuple[tuple[str, Shortcut], ...]:
    """``{"layer2.0": "identity"}`` (or its items) -> sorted, hashable pairs."""
    try:
        pairs = dict(value.items() if isinstance(value, Mapping) else value)
    except (TypeError, ValueError):
        raise SpecError(
            name, f"got {quote(value)}; a mapping from block to shortcut is allowed, for example layer2.0: identity"
        ) from None
    if len(pairs) > 2048 or not all(isinstance(path, str) for path in pairs):
        raise SpecError(name, "block names such as layer2.0 are allowed as keys, at most 2048 of them")
    parse = choice(Shortcut)
    return tuple(sorted((path, parse(f"{name}.{quote(path)[1:-1]}", mode)) for path, mode in pairs.items()))


@dataclass(frozen=True)
class FieldLabel:
    """The words for a field of the spec, by where they are read.

    Attributes:
        name: above its control in the builder.
        short: above its control among those of one subject.
        change: before its old and its new value.
    """

    name: str
    short: str
    change: str


def spec_field(default: Any, parser: Parser, name: str, *, short: str = "", change: str = "") -> Any:
    """A dataclass field that knows what it accepts, and its words (see ``FieldLabel``); ``name`` is the default."""
    label = FieldLabel(name, short or name, change or name)
    return field(default=default, metadata={"parse": parser, "label": label})
