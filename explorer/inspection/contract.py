"""A shape contract: what is expected of a network, and where a report is not so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError

from ..errors import ExplorerError
from ..spec import shapes
from ..spec.fields import quote
from .hints import find_hints
from .joins.findings import Finding
from .report import Report
from .sizes import InputSizes, failure_at
from .tracing.repeats import Shape

_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_MAX_WORDS, _MAX_COUNT = 60, 10**18
_NUMBER = r"(\d[\d_,]*)(\.\d+)? ?([kMGT]?)"
_AROUND = re.compile(rf"{_NUMBER} ?(?:±|\+/?-) ?(\d+(?:\.\d+)?) ?%")
_BOUND = re.compile(rf"at (most|least) {_NUMBER}")
_BETWEEN = re.compile(rf"between {_NUMBER} and {_NUMBER}")
_ALONE = re.compile(_NUMBER)
_SHAPE = re.compile(r"[1-9]\d{0,6}(?:[x×][1-9]\d{0,6}){0,7}")


@dataclass(frozen=True)
class Bounds:
    """A whole number from ``low`` to ``high``, both included; None means no bound. ``words`` are as they were given."""

    low: Fraction | None
    high: Fraction | None
    words: str

    def holds(self, value: int) -> bool:
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Unmet:
    """An expectation that a network does not meet: of what ("params", "shapes.layer4"), and one sentence."""

    key: str
    sentence: str


@dataclass(frozen=True)
class Outcome:
    """What came of checking one target.

    Attributes:
        target: as it was named.
        report: None where it cannot be checked, which ``problem`` then explains.
        allowed: additions that do not match do not fail here; ``paths``: nor does anything at these modules.
        notes: what there is to say of the file it was read from, or of how it was traced.
        training: what fails in training mode only, if that was asked for.
        sizes: of the input that work, if that was asked for.
    """

    target: str
    report: Report | None
    unmet: tuple[Unmet, ...] = ()
    allowed: bool = False
    notes: tuple[str, ...] = ()
    problem: str = ""
    training: tuple[Finding, ...] = ()
    paths: tuple[str, ...] = ()
    sizes: InputSizes | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.report.findings if self.report else ()

    @property
    def hints(self) -> tuple[Finding, ...]:
        """What runs and is probably not what was meant; never a failure."""
        return (find_hints(self.report) if self.report else ()) + self.training

    def lines_of(self, finding: Finding) -> tuple[str, ...]:
        """Lines of the program, ``models/net.py:123``, where known: the sum's or layer's, its producers', and the one
        that made the layer."""
        own = self.report.operations[finding.op].source if self.report else ""
        given = [producer.source for producer in finding.producers if producer.operation != "input"]
        made = self.report.made.get(finding.path, "") if self.report and finding.merge is None else ""
        lines = dict.fromkeys([own, *given, made])
        return tuple(line for line in lines if line)

    def fails(self, finding: Finding) -> bool:
        """Whether it is a failure; a layer that does not suit its input always is."""
        if finding.severity != "error" or finding.path in self.paths:
            return False
        return finding.merge is None or not self.allowed

    @property
    def code(self) -> int:
        """0, all is as it should be; 1, something is not; 2, it cannot be checked."""
        if self.report is None:
            return 2
        return int(bool(self.unmet) or any(map(self.fails, self.findings)))


def parse_bounds(value: object) -> Bounds:
    """A whole number, ``25.6 M`` (the count rounds to it), ``4.09 G ± 1 %``, ``at most 5 G``, ``at least 1 M`` or
    ``between 1 M and 2 M``; k, M, G, T are powers of a thousand.

    Raises:
        ValueError: it is none of these; the message names them.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_COUNT:
        return Bounds(Fraction(value), Fraction(value), f"{value:,}")
    words = " ".join(value.split()).replace("MACs", "").strip() if isinstance(value, str) else ""
    bounds = _bounds(words) if 0 < len(words) <= _MAX_WORDS else None
    if bounds is None:
        raise ValueError(
            f"got {quote(value)}; allowed: a whole number, 25.6 M (the count rounds to it), 4.09 G ± 1 %, at most 5 G, "
            "at least 1 M, between 1 M and 2 M"
        )
    return Bounds(*bounds, words)


def _bounds(words: str) -> tuple[Fraction | None, Fraction | None] | None:
    if match := _AROUND.fullmatch(words):
        value, _ = _number(*match.groups()[:3])
        slack = value * Fraction(match[4]) / 100
        return value - slack, value + slack
    if match := _BOUND.fullmatch(words):
        value, _ = _number(*match.groups()[1:])
        return (None, value) if match[1] == "most" else (value, None)
    if match := _BETWEEN.fullmatch(words):
        (low, _), (high, _) = _number(*match.groups()[:3]), _number(*match.groups()[3:])
        return (low, high) if low <= high else None
    if match := _ALONE.fullmatch(words):
        value, step = _number(*match.groups())
        half = step / 2 if match[3] else 0
        return (value - half, value + half) if match[3] or not match[2] else None
    return None


def _number(whole: str, decimals: str | None, unit: str) -> tuple[Fraction, Fraction]:
    """The value, and what its last digit is worth."""
    digits = (decimals or ".")[1:]
    step = Fraction(_UNITS[unit], 10 ** len(digits))
    return int(re.sub("[_,]", "", whole) + digits) * step, step


def parse_shape(value: object) -> Shape:
    """``1x3x224x224``, ``1×3×224×224`` or a list of whole numbers.

    Raises:
        ValueError: it is neither.
    """
    sides = value if isinstance(value, list) else [value]
    if all(isinstance(side, int) and not isinstance(side, bool) for side in sides):
        value = "x".join(map(str, sides))
    if isinstance(value, str) and _SHAPE.fullmatch(value):
        return tuple(int(side) for side in re.split("[x×]", value))
    raise ValueError(f"got {quote(value)}; up to eight sides from 1 to 9,999,999 are expected, as 1x3x224x224")


def _shapes(value: object) -> tuple[Shape, ...]:
    """One shape, or a list of them."""
    several = isinstance(value, list) and not all(isinstance(side, int) for side in value)
    return tuple(map(parse_shape, value)) if several and isinstance(value, list) else (parse_shape(value),)


def _named(value: object) -> Mapping[str, Shape]:
    if not isinstance(value, dict):
        raise ValueError(f"got {quote(value)}; blocks and their shapes are expected, as {{layer4: 512x7x7}}")
    for path in value:
        if not isinstance(path, str) or not path.isprintable():
            raise ValueError(f"got {quote(path)} as a name; put it in quotes")
    return {path: _at(path, side) for path, side in value.items()}


def _at(path: str, value: object) -> Shape:
    try:
        return parse_shape(value)
    except ValueError as error:
        raise ValueError(f"{quote(path)[1:-1]}: {error}") from None


def _shortcuts(value: object) -> int | str:
    if value in ("match", "any") or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise ValueError(f"got {quote(value)}; allowed: match, any, or how many there are, which then must match")


def _paths(value: object) -> tuple[str, ...]:
    paths = value if isinstance(value, list) else [value]
    if not all(isinstance(path, str) and path.isprintable() for path in paths):
        raise ValueError(f"got {quote(value)}; a block's name or a list of them is expected, as [layer4.0]")
    return tuple(paths)


def _sides(value: object) -> tuple[int, ...]:
    sides = value if isinstance(value, list) else [value]
    if not all(isinstance(side, int) and not isinstance(side, bool) and 0 < side < 10**5 for side in sides):
        raise ValueError(f"got {quote(value)}; sides of a square input are expected, as [224, 256]")
    return tuple(sides)


class Expectations(BaseModel):
    """What is expected of one network; what is absent may be anything.

    Attributes:
        input: the inputs it is traced with, in order, with the batch dimension.
        params, macs: as ``Report`` counts them.
        shortcuts: "match": whatever is found must match; a number: so many additions, all of which match; "any":
            mismatches are reported but do not fail.
        shapes: module path -> shape of what it gives, without the batch dimension.
        allow: paths of blocks whose findings are reported but do not fail; "" is the network itself.
        sizes: sides of a square input with which the network has to run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: Annotated[tuple[Shape, ...], PlainValidator(_shapes)] = ()
    params: Annotated[Bounds | None, PlainValidator(parse_bounds)] = None
    macs: Annotated[Bounds | None, PlainValidator(parse_bounds)] = None
    shortcuts: Annotated[int | Literal["match", "any"], PlainValidator(_shortcuts)] = "match"
    shapes: Annotated[Mapping[str, Shape], PlainValidator(_named)] = {}
    allow: Annotated[tuple[str, ...], PlainValidator(_paths)] = ()
    sizes: Annotated[tuple[int, ...], PlainValidator(_sides)] = ()


def parse_contract(data: object) -> Mapping[str, Expectations]:
    """Targets and what is expected of each, in order, from the values of a YAML or JSON file.

    Raises:
        ExplorerError: the first thing that is not understood, and what is allowed there.
    """
    if not isinstance(data, dict) or not data:
        raise ExplorerError("a network's name and what is expected of it are wanted, as resnet18: {params: 11.7 M}")
    return {_target(name): _expectations(name, values) for name, values in data.items()}


def _target(name: object) -> str:
    if isinstance(name, str) and name.isprintable():
        return name
    raise ExplorerError(f"got {quote(name)} as a network's name; put it in quotes")


def _expectations(target: str, values: Any) -> Expectations:
    if not isinstance(values, dict):
        raise ExplorerError(f"{target}: got {quote(values)}; allowed: {', '.join(Expectations.model_fields)}")
    try:
        return Expectations.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    key = quote(str(first["loc"][0]))[1:-1]
    if first["type"] == "extra_forbidden":
        reason = f"no such expectation; allowed: {', '.join(Expectations.model_fields)}"
    else:
        reason = str(first.get("ctx", {}).get("error", first["msg"]))
    raise ExplorerError(f"{target}: {key}: {reason}")


def evaluate(report: Report, expected: Expectations) -> tuple[Unmet, ...]:
    """Everything in a report that is not as expected; mismatches themselves are ``report.findings``."""
    return tuple(_unmet(report, expected))


def _unmet(report: Report, expected: Expectations) -> Iterator[Unmet]:
    for key, value, wanted in (("params", report.params, expected.params), ("macs", report.macs, expected.macs)):
        if wanted and not wanted.holds(value):
            yield Unmet(key, f"{key}: got {value:,}; expected {wanted.words}.")
    if isinstance(expected.shortcuts, int) and len(report.merges) != expected.shortcuts:
        yield Unmet("shortcuts", f"shortcuts: got {len(report.merges):,}; expected {expected.shortcuts:,}.")
    for side in expected.sizes:
        reason = failure_at(report, side)
        if reason:
            yield Unmet(f"sizes.{side}", f"sizes: an input of {side}×{side} fails: {reason}")
    given = {layer.path: layer.out_shape[1:] for layer in reversed(report.layers)}  # the first call of each counts
    for path, sides in expected.shapes.items():
        if path not in given:
            yield Unmet(f"shapes.{path}", f"{path}: no such module is run{_like(path, list(given))}.")
        elif given[path] != sides:
            yield Unmet(f"shapes.{path}", f"{path}: gives {shapes.text(given[path])}; expected {shapes.text(sides)}.")


def _like(path: str, known: Sequence[str]) -> str:
    close = get_close_matches(path, known, n=3)
    return f"; close to it: {', '.join(close)}" if close else ""
