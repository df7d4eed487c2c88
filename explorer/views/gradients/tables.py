"""Gradient measurements as tables that sort (``ui/kit/sorting.js``), and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from ...csv_text import lines
from ...spec import title
from ..kit.markup import Cell, row_link, table
from ..kit.numbers import magnitude, percent
from .quantity import DepthPoint, Quantity, points, spread
from .sweep_chart import SweepQuantity, curve_name
from .verdict import settings_words

if TYPE_CHECKING:
    from ...gradients import GradientProbe, SweepPoint
    from ...gradients.path_lengths import PathLengths


def end_rows(networks: Sequence[GradientProbe], quantity: Quantity) -> str:
    """A small table: what each network has at its two ends, and at its extremes."""
    of = quantity.words.of
    head = (
        "Network",
        "Norm, initial weights",
        f"First {of}",
        f"Last {of}",
        "First ÷ last",
        "Least … greatest",
    )
    rows = [_ends(probe, quantity) for probe in networks]
    return _table(f"{quantity.words.symbol}: {quantity.words.sentence}", head, rows)


def _ends(probe: GradientProbe, quantity: Quantity) -> list[Cell]:
    found = [point for point in points(probe, quantity) if not point.is_projection]
    first, last = found[0].mean, found[-1].mean
    known = [point.mean for point in found if isfinite(point.mean)]
    return [
        Cell(title(probe.spec), key=title(probe.spec)),
        Cell(settings_words(probe.spec), key=settings_words(probe.spec)),
        _number(first),
        _number(last),
        _number(first / last if last else None),
        Cell(spread(min(known), max(known)) if known else "–", css="num", key=max(known, default=-1)),
    ]


def gradient_rows(probe: GradientProbe, twin: GradientProbe | None, quantity: Quantity) -> str:
    """Every layer or block, with that of the same name in the counterpart; a row selects it in the diagram."""
    symbol, of = quantity.words.symbol, quantity.words.of
    head = [of.capitalize(), "Depth", f"{symbol} here", _spread_of(probe)]
    head += [f"{symbol} in the counterpart", "here ÷ counterpart"] if twin else []
    beside = f" beside {title(twin.spec)}" if twin else ""
    pairs = list(_pairs(probe, twin, quantity))
    rows = [_along(point, other, twin is not None) for point, other in pairs]
    caption = f"{symbol} of every {of} of {title(probe.spec)}{beside}"
    return _table(caption, head, rows, nodes=[point.path for point, _ in pairs])


def gradient_csv(probe: GradientProbe, twin: GradientProbe | None, quantity: Quantity) -> str:
    """All digits; ``twin`` is empty if the counterpart has no such layer."""
    head = (quantity.words.of, "depth", "projection", quantity.value, "low", "high", "twin", "twin_low", "twin_high")
    rows = (
        (here.path, here.depth, int(here.is_projection), *_amounts(here), *_amounts(there))
        for here, there in _pairs(probe, twin, quantity)
    )
    return lines([head, *rows])


def _amounts(point: DepthPoint | None) -> tuple[float | None, ...]:
    return (point.mean, point.low, point.high) if point else (None, None, None)


def _pairs(
    probe: GradientProbe, twin: GradientProbe | None, quantity: Quantity
) -> Iterator[tuple[DepthPoint, DepthPoint | None]]:
    others = {point.path: point for point in points(twin, quantity)} if twin else {}
    return ((point, others.get(point.path)) for point in points(probe, quantity))


def _along(point: DepthPoint, other: DepthPoint | None, has_twin: bool) -> list[Cell]:
    cells = [
        Cell(html=row_link(point.path), css="mono", key=point.path),
        Cell(str(point.depth), css="num", key=point.depth),
        _number(point.mean),
        Cell(spread(point.low, point.high), css="num", key=_key(point.high)),
    ]
    if has_twin:
        over = point.mean / other.mean if other and other.mean else None
        cells += [_number(other.mean if other else None), _number(over)]
    return cells


def _spread_of(probe: GradientProbe) -> str:
    return f"over {probe.seeds} seeds" if probe.seeds > 1 else f"over {probe.setting.batches} batches"


def sweep_rows(measured: Sequence[SweepPoint]) -> str:
    """Every network of a sweep, with every quantity that the chart can show."""
    labels = [quantity.words.label for quantity in SweepQuantity]
    head = ("Network", "Layers", "Curve", *(name for label in labels for name in (label, "least … greatest")))
    rows = [
        [
            Cell(title(p.spec), key=title(p.spec)),
            Cell(str(p.depth), css="num", key=p.depth),
            Cell(curve_name(p), key=curve_name(p)),
            *(cell for quantity in SweepQuantity for cell in _spanned(p, quantity)),
        ]
        for p in measured
    ]
    return _table("How even the gradient is, by depth", head, rows)


def _spanned(point: SweepPoint, quantity: SweepQuantity) -> tuple[Cell, Cell]:
    span = quantity.words.span(point)
    return _number(span.mean), Cell(spread(span.low, span.high), css="num", key=_key(span.high))


def path_rows(result: PathLengths) -> str:
    """Every path length."""
    head = ("Length", "Paths", "Share of the paths", "‖∂L/∂x‖₂ of one path", "sampled paths", "Share of the gradient")
    rows = [
        [
            Cell(str(one.length), css="num", key=one.length),
            Cell(magnitude(one.paths) if one.paths > 99_999 else f"{one.paths:,}", css="num", key=float(one.paths)),
            _share(one.share_of_paths),
            _number(one.gradient),
            Cell(spread(one.low, one.high), css="num", key=_key(one.high)),
            _share(one.share_of_gradient),
        ]
        for one in result.lengths
    ]
    return _table(f"Paths of {title(result.spec)} by the number of residual branches they pass", head, rows)


def _number(value: float | None) -> Cell:
    return Cell("–", css="num", key=-1) if value is None else Cell(magnitude(value), css="num", key=_key(value))


def _share(fraction: float) -> Cell:
    return Cell(percent(fraction) if isfinite(fraction) else "–", css="num", key=_key(fraction))


def _key(value: float) -> float:
    return value if value == value else -1


def _table(caption: str, names: Sequence[str], rows: Sequence[Sequence[Cell]], nodes: Sequence[str] = ()) -> str:
    """A heading is aligned as its cells are, left or right.

    Args:
        nodes: what each row selects in the diagram; empty if rows select nothing.
    """
    head = [
        Cell(name, css=cell.css) for name, cell in zip(names, rows[0] if rows else [Cell()] * len(names), strict=True)
    ]
    numbered = ({"data_node": node, "data_row": str(place)} for place, node in enumerate(nodes or [""] * len(rows)))
    return table(caption, head, zip(numbered, rows, strict=True))
