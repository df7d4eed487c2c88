"""The comparison as HTML: structure and difference in words, the parts as a table, and the two selected boxes."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagram.model import Node
from ..kit import numbers
from ..kit.markup import Cell, row_link, tag, text
from ..kit.markup import table as html_table
from ..kit.words import printable
from .alignment import Side
from .difference import HEAD, Comparison, Difference, Part, part, signed, table

_STEPS = "Each line is the cost of one choice, made after those above it. Together they are the whole difference."
_HINT = "Click a box to see it beside its counterpart in the other network."
_NUMBERS = frozenset({1, 3, 4, 5, 6, 7})  # columns of ``HEAD``


def words(comparison: Comparison) -> str:
    """How both are built, the total, then a line for each choice that differs."""
    built = " ".join(filter(None, (comparison.structure, comparison.same_width)))
    total = tag("p", text(built), css="rx-structure") * bool(built) + tag("p", text(comparison.total), css="rx-total")
    if not comparison.differences:
        return total
    note = tag("p", text(_STEPS), css="rx-note") if len(comparison.differences) > 1 else ""
    return total + tag("ol", "".join(tag("li", _line(one)) for one in comparison.differences), css="rx-lines") + note


def parts(comparison: Comparison) -> str:
    """A row for each stem, stage and head, and one for the whole; a click on a row shows that part in both diagrams."""
    head = [Cell(name, css="num" if place in _NUMBERS else "") for place, name in enumerate(HEAD)]
    known = {row.name: row.left == row.right for row in comparison.rows}
    rows: list[tuple[dict[str, str], list[Cell]]] = []
    for name, *cells in table(comparison):
        css = "" if known.get(name, True) else "differs"
        first = Cell(html=row_link(name) if name in known else text(name), css="mono")
        others = [Cell(cell, css="num" if place in _NUMBERS else "mono") for place, cell in enumerate(cells, start=1)]
        rows.append(({"css": css, "data_part": name if name in known else ""}, [first, *others]))
    return html_table(f"{comparison.left.name} → {comparison.right.name}, part by part", head, rows)


def selection(left: Side, right: Side, node: Node | None, other: Node | None) -> str:
    """A row for each of the two boxes, and their difference; one may be missing.

    Args:
        node, other: of the left and of the right diagram.
    """
    amounts = [
        part(side.report, [i for i, owner in enumerate(side.diagram.owners) if owner == shown.id]) if shown else None
        for side, shown in ((left, node), (right, other))
    ]
    head = [Cell(""), Cell("Box"), *(Cell(name, css="num") for name in _COLUMNS)]
    rows: list[tuple[dict[str, str], list[Cell]]] = [
        ({}, [Cell(name), *_described(shown), *_amounts(amount)])
        for name, shown, amount in zip(("left", "right"), (node, other), amounts, strict=True)
    ]
    if amounts[0] and amounts[1]:
        rows.append(({"css": "rx-difference"}, [Cell("difference"), Cell(""), *_differences(amounts[0], amounts[1])]))
    return html_table("The selected boxes, with all their blocks", head, rows)


def hint() -> str:
    """Shown before anything is selected."""
    return tag("p", text(_HINT), css="rx-empty")


def _line(difference: Difference) -> str:
    """The choice in bold, then its cost."""
    return tag("strong", text(difference.choice)) + (text(f"; {difference.cost}") if difference.cost else "")


_COLUMNS = ("Output", "Parameters", "MACs", "Activations", "Receptive field")


def _described(node: Node | None) -> Iterator[Cell]:
    if node is None:
        yield Cell("no counterpart", css="rx-empty")
    elif node.merge:
        yield Cell(f"residual addition of {printable(node.merge.path)}{f' × {node.count}' if node.count > 1 else ''}")
    else:
        yield Cell(" · ".join(node.lines[:2]))


def _amounts(amount: Part | None) -> list[Cell]:
    if amount is None:
        return [Cell("–", css="num")] * len(_COLUMNS)
    field = amount.receptive_field
    return [
        Cell(amount.shape, css="num mono"),
        Cell(numbers.count(amount.params), numbers.exact(amount.params), css="num"),
        Cell(numbers.macs(amount.macs), numbers.exact(amount.macs), css="num"),
        Cell(numbers.size(amount.activation_bytes), f"{numbers.exact(amount.activation_bytes)} bytes", css="num"),
        Cell("–" if field is None else numbers.pixels(field), css="num"),
    ]


def _differences(old: Part, new: Part) -> list[Cell]:
    fields = (old.receptive_field, new.receptive_field)
    field = "–" if None in fields else signed((fields[1] or 0) - (fields[0] or 0), numbers.pixels)
    memory = new.activation_bytes - old.activation_bytes
    return [
        Cell("=" if old.shape == new.shape else "≠", css="num mono"),
        Cell(signed(new.params - old.params, numbers.count), numbers.exact(new.params - old.params), css="num"),
        Cell(signed(new.macs - old.macs, numbers.macs), numbers.exact(new.macs - old.macs), css="num"),
        Cell(signed(memory, numbers.size), f"{numbers.exact(memory)} bytes", css="num"),
        Cell(field, css="num"),
    ]
