"""The summary line and the layer table, as HTML."""

from __future__ import annotations

from ...inspection import Layer, Report
from . import numbers
from .markup import Cell, table, tag, text

MAX_ROWS = 600


def summary(report: Report) -> str:
    """One line: name, layers, parameters, MACs, receptive field, and how many shortcuts fit."""
    field = report.receptive_field
    parts = [
        tag("strong", text(report.name)),
        *([_fact(f"{report.spec.weighted_layers} layers", "weighted layers on the main path")] if report.spec else []),
        _fact(f"{numbers.count(report.params)} params", f"{numbers.exact(report.params)} parameters"),
        _fact(numbers.macs(report.macs), f"{numbers.exact(report.macs)} multiply-adds an image"),
    ]
    if field:
        parts.append(_fact(f"RF {numbers.pixels(field.size)}", "receptive field of the last feature map"))
    return tag("div", "".join([*parts, verdict(report)]), css="rx-summary", aria_live="polite")


def verdict(report: Report) -> str:
    """ "✓ 16 of 16 shortcuts match", or how many don't, or that there is none."""
    total, broken = len(report.merges), len(report.broken)
    if not total:
        return tag("span", "No shortcuts: a plain network", css="rx-verdict none")
    sign, css = ("✕", "broken") if broken else ("✓", "fits")
    words = f"{sign} {total - broken} of {total} shortcuts match"
    return tag("span", words, css=f"rx-verdict {css}")


def layers(report: Report) -> str:
    """torchinfo's layer table with this project's MACs; at most 600 rows."""
    rows = [layer for layer in report.layers if layer.depth > 0]
    caption = f"{len(rows):,} layers" + (f", the first {MAX_ROWS} shown" if len(rows) > MAX_ROWS else "")
    head = [
        Cell("Layer"),
        Cell("Type"),
        Cell("Output"),
        Cell("Parameters", css="num"),
        Cell("MACs", css="num"),
    ]
    return table(caption, head, [_layer(layer, report) for layer in rows[:MAX_ROWS]])


def _fact(words: str, exact: str) -> str:
    return tag("span", text(words), title=exact)


def _layer(layer: Layer, report: Report) -> tuple[dict[str, str], list[Cell]]:
    macs = report.macs_by_module.get(layer.path, 0)
    cells = [
        Cell("  " * (layer.depth - 1) + layer.path, css="mono", selects=layer.path),
        Cell(layer.kind),
        Cell(numbers.shape(layer.out_shape[1:]), css="mono"),
        Cell(numbers.exact(layer.params) if layer.params else "–", css="num"),
        Cell(numbers.macs(macs) if macs and not layer.repeated else "–", numbers.exact(macs), css="num"),
    ]
    return {"data_node": layer.path, "css": f"depth-{layer.depth}"}, cells
