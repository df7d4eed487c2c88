"""A term of the glossary: what it means, where that is from, and where the page shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Show:
    """Where the page shows a term.

    Attributes:
        at: id of what the diagram selects; empty if the place is outside the diagram.
        network: what the network must be for that, as in an address ("block=bottleneck"); empty if any network does.
        place: CSS selector of an element outside the diagram. What hides it, a tab or a fold, opens.
    """

    at: str = ""
    network: str = ""
    place: str = ""


def in_diagram(at: str, network: str = "") -> Show:
    """The box ``at`` of the diagram, in a network like that."""
    return Show(at=at, network=network)


def on_page(place: str) -> Show:
    """An element outside the diagram, by a CSS selector."""
    return Show(place=place)


def field(name: str) -> Show:
    """The builder's control of a field of the spec."""
    return Show(place=f"#field-{name}")


@dataclass(frozen=True)
class Term:
    """One entry.

    Attributes:
        name: as a heading, in the singular.
        words: two sentences for a beginner, at most 40 words.
        source: paper and section, or a page of documentation.
        show: where the page shows it.
        also: other names and spellings of it; each belongs to one term only.
    """

    name: str
    words: str
    source: str
    show: Show
    also: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name as it is spelled in addresses and attributes: "1×1 convolution" -> "1x1-convolution"."""
        return slug(self.name)


def slug(name: str) -> str:
    """Lower case, with a hyphen for everything that is neither a letter nor a digit."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("×", "x")).strip("-")
