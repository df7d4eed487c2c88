"""HTML elements of the page. All outside text is escaped here, and only here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape

from .glossary import find_or_none


@dataclass(frozen=True)
class Cell:
    """A table cell: ``text`` shown, ``exact`` on hover; numbers are set right, shapes and paths monospaced.

    Attributes:
        html: markup that is shown instead of ``text``.
        key: what the rows are sorted by in this column (``ui/kit/sorting.js``); None where they are not.
        names: whether it is the heading of its column or row; by default a cell in the table's head is, others are not.
        style: CSS declarations of this cell alone.
    """

    text: str = ""
    exact: str = ""
    css: str = ""
    html: str = ""
    key: float | str | None = None
    names: bool | None = None
    style: str = ""


Row = tuple[dict[str, str], Sequence[Cell]]


def tag(name: str, content: str, **attributes: str) -> str:
    """An element whose ``content`` is markup already; attribute values are escaped. ``css`` spells ``class``."""
    pairs = "".join(
        f' {"class" if key == "css" else key.replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value
    )
    return f"<{name}{pairs}>{content}</{name}>"


def text(value: object) -> str:
    """Outside text, escaped."""
    return escape(str(value))


def table(caption: str, head: Sequence[Cell], rows: Iterable[Row], label: str = "") -> str:
    """A table that scrolls where it is too large.

    Args:
        caption: shown above it; empty for none.
        rows: of each row its attributes (as ``tag`` takes them) and its cells.
        label: what a screen reader calls it; by default the caption.
    """
    top = tag("tr", "".join(_table_cell(cell, in_head=True) for cell in head))
    body = "".join(tag("tr", "".join(map(_table_cell, cells)), **attributes) for attributes, cells in rows)
    inner = (tag("caption", text(caption)) if caption else "") + tag("thead", top) + tag("tbody", body)
    grid = tag("table", inner, css="rx-table")
    return tag("div", grid, css="rx-scroll", tabindex="0", role="region", aria_label=label or caption)


def facts(
    pairs: Iterable[tuple[str, Cell]], css: str = "rx-facts", name_html: Callable[[str], str] | None = None
) -> str:
    """A definition list: name and value a line; empty for no pairs.

    Args:
        name_html: a name as markup; by default its text.
    """
    content = "".join(tag("dt", (name_html or text)(name)) + _cell("dd", cell) for name, cell in pairs)
    return tag("dl", content, css=css) if content else ""


def banner(message: str, kind: str = "error") -> str:
    """A line over the diagram; empty for no message."""
    return tag("div", text(message), css=f"rx-banner {kind}", role="alert") if message else ""


def pytorch_error(words: str, lead: str = "PyTorch raises here:") -> str:
    """An error as PyTorch words it, after ``lead``; empty for no words."""
    return tag("p", f"{text(lead)} {tag('code', text(words))}", css="rx-pytorch-error") if words else ""


def progress_bar(words: str, share: float) -> str:
    """``words`` under a bar filled to ``share``, 0 … 1."""
    fill = tag("span", "", style=f"width:{share:.1%}")
    bar = tag("div", fill, css="rx-progress", role="progressbar", aria_label=words)
    return bar + tag("p", text(words), css="rx-note", role="status")


def row_link(words: str) -> str:
    """A button that reads as a link: a click on it, or on its row, selects the row."""
    return tag("button", text(words), type="button", css="rx-link")


def node_link(words: str, node: str, anchors: frozenset[str] | None) -> str:
    """What shows ``node`` of the diagram.

    Args:
        anchors: None on the page, where it is its row's button. In a document, ids of the drawing's elements: a link
            if ``node`` is one of them, else plain words.
    """
    if anchors is None:
        return row_link(words)
    return tag("a", text(words), href=f"#{node}") if node in anchors else text(words)


def _table_cell(cell: Cell, in_head: bool = False) -> str:
    names = in_head if cell.names is None else cell.names
    scope = ("col" if in_head else "row") if names else ""
    if in_head and (term := find_or_none(cell.text)):  # ui/kit/hints.js explains it on hover, focus and tap
        hint = {"data_term": term.key, "data_exact": cell.exact, "tabindex": "0"}
        return _cell("th", replace(cell, exact=""), scope=scope, **hint)
    return _cell("th" if names else "td", cell, scope=scope)


def _cell(name: str, cell: Cell, **attributes: str) -> str:
    content = cell.html or text(cell.text)
    key = "" if cell.key is None else str(cell.key)
    return tag(name, content, title=cell.exact, css=cell.css, **attributes, data_key=key, style=cell.style)
