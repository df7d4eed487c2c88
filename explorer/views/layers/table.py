"""The layer table, as HTML."""

from __future__ import annotations

from ...inspection import Layer, Report
from ..kit import numbers
from ..kit.markup import Cell, Row, node_link, table

MAX_ROWS = 600


def layers(report: Report, anchors: frozenset[str] | None = None) -> str:
    """torchinfo's table of modules with this project's MACs; at most 600 rows.

    Args:
        anchors: what the names link to, as in ``node_link``.
    """
    rows = [layer for layer in report.layers if layer.depth > 0]
    caption = _modules(len(rows)) + _weighted(report)
    head = [
        Cell("Layer"),
        Cell("Type"),
        Cell("Output"),
        Cell("Parameters", css="num"),
        Cell("MACs", css="num"),
    ]
    return table(caption, head, [_layer(layer, report, anchors) for layer in rows[:MAX_ROWS]])


def _modules(count: int) -> str:
    """ "68 modules, including those that only contain others."""
    first = f"; the first {MAX_ROWS} are shown" if count > MAX_ROWS else ""
    return f"{count:,} modules, including those that only contain others{first}."


def _weighted(report: Report) -> str:
    """How many of them count in the name of the network."""
    if report.spec is None:
        return ""
    named = report.spec.weighted_layers
    others = sum(op.name in ("conv", "linear") for op in report.trace.ops) - named
    shortcuts = f" {others} more convolution{'s are' if others > 1 else ' is'} in shortcuts." if others else ""
    return f" {named:,} are the weighted layers on the main path: the convolutions and fc.{shortcuts}"


def _layer(layer: Layer, report: Report, anchors: frozenset[str] | None) -> Row:
    macs = report.macs_by_module.get(layer.path, 0)
    cells = [
        Cell(html=node_link("  " * (layer.depth - 1) + layer.path, layer.path, anchors), css="mono"),
        Cell(layer.kind),
        Cell(numbers.shape(layer.out_shape[1:]), css="mono"),
        Cell(numbers.exact(layer.params) if layer.params else "–", css="num"),
        Cell(numbers.macs(macs) if macs and not layer.repeated else "–", numbers.exact(macs), css="num"),
    ]
    return {"data_node": layer.path, "css": f"depth-{layer.depth}"}, cells
