"""Gradient measurements as tables that sort (``ui/kit/sorting.js``), and as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from ...csv_text import lines
from ...spec import title
from ..kit.markup import tag, text
from ..kit.numbers import magnitude, percent
from .quantity import Point, Quantity, points, spread

if TYPE_CHECKING:
    from ...gradients import GradientProbe, SweepPoint
    from ...gradients.path_lengths import PathLengths


class Cell(NamedTuple):
    """``key``: what the column is sorted by."""

    text: str
    key: float | str
    css: str = "num"


Row = tuple[Sequence[Cell], str]


def gradient_rows(probe: GradientProbe, twin: GradientProbe | None, quantity: Quantity) -> str:
    """Every layer or block, with the twin's of the same name; a row selects it in the diagram."""
    symbol, of = quantity.words.symbol, quantity.words.of
    head = [of.capitalize(), "Depth", f"{symbol} here", _spread_of(probe)]
    head += [f"{symbol} in the twin", "here ÷ twin"] if twin else []
    beside = f" beside {title(twin.spec)}" if twin else ""
    rows = (_along(point, other, twin is not None) for point, other in _pairs(probe, twin, quantity))
    return _table(f"{symbol} of every {of} of {title(probe.spec)}{beside}", head, rows)


def gradient_csv(probe: GradientProbe, twin: GradientProbe | None, quantity: Quantity) -> str:
    """All digits; ``twin`` is empty where the twin has no such layer."""
    head = (quantity.words.of, "depth", "projection", quantity.value, "low", "high", "twin", "twin_low", "twin_high")
    rows = (
        (here.path, here.depth, int(here.is_projection), *_amounts(here), *_amounts(there))
        for here, there in _pairs(probe, twin, quantity)
    )
    return lines([head, *rows])


def _amounts(point: Point | None) -> tuple[float | None, ...]:
    return (point.mean, point.low, point.high) if point else (None, None, None)


def _pairs(
    probe: GradientProbe, twin: GradientProbe | None, quantity: Quantity
) -> Iterator[tuple[Point, Point | None]]:
    others = {point.path: point for point in points(twin, quantity)} if twin else {}
    return ((point, others.get(point.path)) for point in points(probe, quantity))


def _along(point: Point, other: Point | None, has_twin: bool) -> Row:
    link = tag("button", text(point.path), type="button", css="rx-link")
    cells = [
        Cell(link, point.path, "mono"),
        Cell(str(point.depth), point.depth),
        _number(point.mean),
        Cell(spread(point.low, point.high), _key(point.high)),
    ]
    if has_twin:
        over = point.mean / other.mean if other and other.mean else None
        cells += [_number(other.mean if other else None), _number(over)]
    return cells, point.path


def _spread_of(probe: GradientProbe) -> str:
    return f"over {probe.seeds} seeds" if probe.seeds > 1 else f"over {probe.setting.batches} batches"


def sweep_rows(measured: Sequence[SweepPoint]) -> str:
    """Every network of a sweep."""
    head = ("Network", "Layers", "Curve", "first ÷ last", "least … greatest", "first layer", "last layer")
    rows = (
        (
            [
                Cell(text(title(p.spec)), title(p.spec), ""),
                Cell(str(p.depth), p.depth),
                Cell(text(p.name), p.name, ""),
                _number(p.ratio),
                Cell(spread(p.low, p.high), _key(p.high)),
                _number(p.first),
                _number(p.last),
            ],
            "",
        )
        for p in measured
    )
    return _table("Gradient of the first layer over that of the last, by depth", head, rows)


def path_rows(result: PathLengths) -> str:
    """Every path length."""
    head = ("Length", "Paths", "Share of the paths", "‖∂L/∂x‖₂ of one path", "paths drawn", "Share of the gradient")
    rows = (
        (
            [
                Cell(str(one.length), one.length),
                Cell(magnitude(one.paths) if one.paths > 99_999 else f"{one.paths:,}", float(one.paths)),
                Cell(percent(one.share_of_paths), one.share_of_paths),
                _number(one.gradient),
                Cell(spread(one.low, one.high), _key(one.high)),
                Cell(
                    percent(one.share_of_gradient) if isfinite(one.share_of_gradient) else "–",
                    _key(one.share_of_gradient),
                ),
            ],
            "",
        )
        for one in result.lengths
    )
    return _table(f"Paths of {title(result.spec)} by the number of residual branches they pass", head, rows)


def _number(value: float | None) -> Cell:
    return Cell("–", -1) if value is None else Cell(magnitude(value), _key(value))


def _key(value: float) -> float:
    return value if value == value else -1


def _table(caption: str, head: Sequence[str], rows: Iterable[Row]) -> str:
    every = list(rows)
    body = "".join(_row(place, cells, node) for place, (cells, node) in enumerate(every))
    css = [cell.css for cell in every[0][0]] if every else [""] * len(head)
    top = tag("tr", "".join(tag("th", text(n), scope="col", css=c) for n, c in zip(head, css, strict=True)))
    inner = tag("caption", text(caption)) + tag("thead", top) + tag("tbody", body)
    return tag(
        "div", tag("table", inner, css="rx-table"), css="rx-scroll", tabindex="0", role="region", aria_label=caption
    )


def _row(place: int, cells: Sequence[Cell], node: str) -> str:
    inner = "".join(tag("td", cell.text, css=cell.css, data_key=str(cell.key)) for cell in cells)
    return tag("tr", inner, data_node=node, data_row=str(place))
