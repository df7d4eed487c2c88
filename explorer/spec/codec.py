"""Spec ↔ JSON ↔ URL query, without loss. Outside text is bounded and parsed strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..errors import SpecError
from .fields import quote
from .model import ResNetSpec
from .options import Option
from .presets import PRESETS, preset_of

MAX_TEXT = 64 * 1024
MAX_NESTING = 8
SCHEMA = 1
FIELDS = tuple(f.name for f in fields(ResNetSpec))
_STRING = re.compile(r'"(?:[^"\\]|\\.?)*"?')  # matches at every quote, so that it never tries twice
_DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(ResNetSpec)}


def to_dict(spec: ResNetSpec) -> dict[str, Any]:
    """Plain JSON values of every field, in order, with the schema's version."""
    return {"schema": SCHEMA, **{name: _plain(getattr(spec, name)) for name in FIELDS}}


def from_dict(data: Mapping[str, Any]) -> ResNetSpec:
    """Inverse of ``to_dict``. ``preset`` names a network to start from; absent fields keep its values.

    Raises:
        SpecError: an unknown field, a value out of bounds, or a schema this version doesn't read.
    """
    rest = dict(data)
    schema = rest.pop("schema", SCHEMA)
    if type(schema) is not int or schema != SCHEMA:
        raise SpecError("schema", f"got {quote(schema)}; this version reads schema {SCHEMA}")
    base = _preset(rest.pop("preset")) if "preset" in rest else ResNetSpec()
    unknown = [name for name in rest if name not in FIELDS]
    if unknown:
        raise SpecError(quote(unknown[0])[1:-1], f"no such field; known fields: {', '.join(FIELDS)}")
    return base.with_(**rest)


def to_json(spec: ResNetSpec) -> str:
    """JSON text of every field, indented."""
    return json.dumps(to_dict(spec), indent=2)


def from_json(text: str) -> ResNetSpec:
    """Inverse of ``to_json``; at most 64 KiB, eight levels, no duplicate keys, no NaN or Infinity.

    Raises:
        SpecError: the text is not such JSON, or not a spec.
    """
    data = parse_json(text)
    if not isinstance(data, dict):
        raise SpecError("spec", "expected a JSON object with the fields of a network")
    return from_dict(data)


def parse_json(text: str) -> Any:
    """Bounded, strict JSON (see ``from_json``)."""
    if len(text) > MAX_TEXT:
        raise SpecError("spec", f"got {len(text):,} characters of JSON; at most {MAX_TEXT:,} are allowed")
    if _nesting(text) > MAX_NESTING:
        raise SpecError("spec", f"JSON nested deeper than {MAX_NESTING} levels; a spec needs two")
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except ValueError as error:
        raise SpecError("spec", f"not valid JSON: {str(error)[:120]}") from None


def to_query(spec: ResNetSpec) -> str:
    """URL query of the preset, or of each field that differs from the default; empty for the default network."""
    name = preset_of(spec)
    if name is not None:
        return "" if spec == ResNetSpec() else urlencode({"preset": name})
    changed = {n: getattr(spec, n) for n in FIELDS if getattr(spec, n) != _DEFAULTS[n]}
    return urlencode({name: _word(value) for name, value in changed.items()}, safe=",:.")


def from_query(query: str | Mapping[str, str]) -> ResNetSpec:
    """Inverse of ``to_query``. Other names are ignored: a page's URL carries other things too.

    Raises:
        SpecError: a field's value is out of bounds.
    """
    pairs = query if isinstance(query, Mapping) else dict(parse_qsl(query[:MAX_TEXT]))
    return from_words((n, w) for n, w in pairs.items() if n in FIELDS or n == "preset")


def from_words(words: Iterable[tuple[str, str]], base: ResNetSpec | None = None) -> ResNetSpec:
    """Fields spelled as text — ``depths=3,4,6,3``, ``shortcut=identity`` — over ``base`` (default: resnet18)."""
    changes = dict(words)
    if "preset" in changes:
        base = _preset(changes.pop("preset"))
    parsed = {name: _parse_word(name, word) for name, word in changes.items()}
    return (base or ResNetSpec()).with_(**parsed)


def _preset(name: object) -> ResNetSpec:
    if not isinstance(name, str) or name not in PRESETS:
        raise SpecError("preset", f"got {quote(name)}; allowed: {', '.join(PRESETS)}")
    return PRESETS[name]


def _plain(value: Any) -> Any:
    if isinstance(value, Option):
        return value.value
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return {path: mode.value for path, mode in value}
    return list(value) if isinstance(value, tuple) else value


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(":".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parse_word(name: str, word: str) -> Any:
    """Text -> the Python value the field's own parser then checks."""
    if name not in FIELDS:
        raise SpecError(quote(name)[1:-1], f"no such field; known fields: {', '.join(FIELDS)}")
    default = _DEFAULTS[name]
    if name == "shortcut_overrides":
        pairs = (pair.partition(":") for pair in word.split(",") if pair.strip())
        return {path.strip(): mode.strip() for path, _, mode in pairs}
    if isinstance(default, Option):
        return word
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(word.lower(), word)
    return [_int(part) for part in word.split(",")] if isinstance(default, tuple) else _int(word)


def _int(word: str) -> int | str:
    """Digits -> int; anything else stays text, for the field's parser to refuse by name."""
    word = word.strip()
    return int(word) if word.isascii() and word.removeprefix("-").isdigit() and len(word) <= 18 else word


def _nesting(text: str) -> int:
    """Deepest bracket level outside strings."""
    deepest = level = 0
    for char in _STRING.sub("", text):
        if char in "[{":
            level += 1
            deepest = max(deepest, level)
        elif char in "]}":
            level -= 1
    return deepest


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise SpecError(quote(twice)[1:-1], "given twice; give each field once")
    return data


def _no_constant(word: str) -> Any:
    raise SpecError("spec", f"{word} is not a number a network can have")
