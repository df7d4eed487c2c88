"""The few HTML pieces the page is made of. Every outside text is escaped here, and only here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Cell:
    """A table cell: ``text`` shown, ``exact`` on hover; numbers are set right, shapes and paths monospaced.

    ``selects``: name of what a click on the cell shows in the diagram; such a cell is a button.
    """

    text: str
    exact: str = ""
    css: str = ""
    selects: str = ""


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


def table(caption: str, head: Sequence[Cell], rows: Iterable[tuple[dict[str, str], Sequence[Cell]]]) -> str:
    """A captioned table; each row brings its attributes and its cells."""
    header = tag("tr", "".join(_cell("th", c, scope="col") for c in head))
    body = "".join(tag("tr", "".join(_cell("td", c) for c in cells), **attributes) for attributes, cells in rows)
    inner = tag("caption", text(caption)) + tag("thead", header) + tag("tbody", body)
    return tag(
        "div",
        tag("table", inner, css="rx-table"),
        css="rx-scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def facts(pairs: Iterable[tuple[str, Cell]], css: str = "rx-facts") -> str:
    """A definition list: name and value a line; empty for no pairs."""
    content = "".join(tag("dt", text(name)) + _cell("dd", cell) for name, cell in pairs)
    return tag("dl", content, css=css) if content else ""


def banner(message: str, kind: str = "error") -> str:
    """A line over the diagram; empty for no message."""
    return tag("div", text(message), css=f"rx-banner {kind}", role="alert") if message else ""


def progress_bar(words: str, share: float) -> str:
    """``words`` under a bar filled to ``share``, 0 … 1."""
    fill = tag("span", "", style=f"width:{share:.1%}")
    bar = tag("div", fill, css="rx-progress", role="progressbar", aria_label=words)
    return bar + tag("p", text(words), css="rx-note", role="status")


def _cell(name: str, cell: Cell, **attributes: str) -> str:
    content = text(cell.text)
    if cell.selects:
        content = tag("button", content, type="button", css="rx-link")
    return tag(name, content, title=cell.exact, css=cell.css, **attributes)
