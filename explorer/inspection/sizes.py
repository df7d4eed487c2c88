"""Which input sizes a network works with: tried, not derived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from time import monotonic
from typing import Any

import torch
from torch import Tensor

from ..errors import TraceError
from .joins.sizes import strides_from_input
from .report import Report, inspect
from .tracing.trace import Called, Subject

SECONDS = 60  # for all passes
_LARGEST_PERIOD = 64


@dataclass(frozen=True)
class Tried:
    """One side that was tried: what stops it there, and where; both empty if it works."""

    side: int
    path: str = ""
    sentence: str = ""

    @property
    def works(self) -> bool:
        return not self.sentence


@dataclass(frozen=True)
class InputSizes:
    """Which sides of a square input work.

    Attributes:
        multiple: of it every side from ``smallest`` works; 0 if only single ones do.
        smallest: that works; 0 if none was found.
        tried: in ascending order.
        sentence: all of it in words.
    """

    multiple: int
    smallest: int
    tried: tuple[Tried, ...]
    sentence: str


def find_input_sizes(report: Report) -> InputSizes | None:
    """By passes at every side around the traced one, over two periods of the network's stride, and below down to the
    smallest. None where there is no single image, series or volume as input, or no module to run.
    """
    subject = report.subject
    if subject is None:
        return None
    at = _only_map(subject.inputs)
    if at is None:
        return None
    tensor = subject.inputs[at]
    started = monotonic()

    @cache
    def tried(side: int) -> Tried:
        shape = (*tensor.shape[:2], *(side,) * (tensor.dim() - 2))
        return _try(report, replace(subject, inputs=_with(subject.inputs, at, shape)), side)

    middle = max(tensor.shape[2:])
    strides = (stride.numerator for stride in strides_from_input(report.operations))
    period = min(_LARGEST_PERIOD, max(strides, default=1))
    base = max(1, round(middle / period)) * period
    around = range(max(1, base - period), base + period + 1)
    outcomes = [tried(side) for side in around if monotonic() - started < SECONDS]
    multiple = _multiple(outcomes, period)
    smallest = _smallest(tried, base, multiple) if multiple else min((t.side for t in outcomes if t.works), default=0)
    for side in (base + 2 * multiple, 2 * base) if multiple else ():
        if monotonic() - started < SECONDS and not tried(side).works:
            multiple = 0
    all_tried = tuple(sorted({*outcomes, *_seen(tried, smallest, multiple)}, key=lambda t: t.side))
    return InputSizes(multiple, smallest, all_tried, _sentence(multiple, smallest, all_tried))


def failure_at(report: Report, side: int) -> str:
    """Why a network does not run with a square input of that side; empty if it does."""
    if report.spec is not None:
        findings = inspect(report.spec, (*report.input_size[:2], side, side)).findings
        return findings[0].sentence if findings else ""
    subject = report.subject
    at = None if subject is None else _only_map(subject.inputs)
    if subject is None or at is None:
        return "only a network with one image as input can be tried with another size."
    shape = (*subject.inputs[at].shape[:2], *(side,) * (subject.inputs[at].dim() - 2))
    return _try(report, replace(subject, inputs=_with(subject.inputs, at, shape)), side).sentence


def _only_map(inputs: Called) -> Any:
    """Index or name of the only tensor with height, width or length; None where there is another number of them."""
    items = inputs.items() if isinstance(inputs, dict) else enumerate(inputs)
    maps = [key for key, value in items if isinstance(value, Tensor) and value.dim() > 2]
    return maps[0] if len(maps) == 1 else None


def _with(inputs: Called, at: Any, shape: tuple[int, ...]) -> Called:
    changed: Any = dict(inputs) if isinstance(inputs, dict) else list(inputs)
    changed[at] = torch.empty(shape, dtype=changed[at].dtype, device="meta")
    return changed


def _try(report: Report, subject: Subject, side: int) -> Tried:
    try:
        after = replace(report, trace=subject.trace(quick=True), subject=subject)
    except TraceError as error:
        return Tried(side, "", str(error))
    if not after.findings:
        return Tried(side)
    first = after.findings[0]
    return Tried(side, first.path, first.sentence)


def _multiple(tried: list[Tried], period: int) -> int:
    """The number whose multiples are those that work, if there is one."""
    works = {t.side for t in tried if t.works}
    for candidate in (n for n in range(1, period + 1) if period % n == 0):
        if works and works == {t.side for t in tried if t.side % candidate == 0}:
            return candidate
    # Below a smallest side, none works.
    low = min(works, default=0)
    for candidate in (n for n in range(1, period + 1) if period % n == 0):
        if len(works) > 1 and works == {t.side for t in tried if t.side % candidate == 0 and t.side >= low}:
            return candidate
    return 0


def _smallest(tried: Callable[[int], Tried], base: int, multiple: int) -> int:
    """The smallest multiple that works, by bisection: a network that is too small for one is for all below."""
    low, high = 0, base // multiple
    while not tried(high * multiple).works:
        high += 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tried(middle * multiple).works else (middle, high)
    return high * multiple


def _seen(tried: Callable[[int], Tried], smallest: int, multiple: int) -> Iterator[Tried]:
    if smallest and multiple:
        yield tried(smallest)
    if smallest > multiple > 0:
        yield tried(smallest - multiple)


def _sentence(multiple: int, smallest: int, tried: tuple[Tried, ...]) -> str:
    works = [t for t in tried if t.works]
    # The first excluded side above the smallest that works, else the one below it.
    failing = next((t for t in tried if not t.works and t.side > smallest), None)
    failing = failing or next((t for t in reversed(tried) if not t.works), None)
    if not works:
        return f"No side from {tried[0].side} to {tried[-1].side} works: {tried[0].sentence}"
    if multiple == 1:
        words = f"Any side from {smallest} on works"
    elif multiple:
        words = f"Any multiple of {multiple} from {smallest} on works"
    elif len(works) == 1:
        words = f"Only a side of {works[0].side} works"
    else:
        words = f"Of {tried[0].side} to {tried[-1].side}, these sides work: {', '.join(str(t.side) for t in works)}"
    return f"{words}; {failing.side} fails: {failing.sentence}" if failing else f"{words}."
