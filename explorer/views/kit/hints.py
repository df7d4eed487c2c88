"""A technical term where it is used, with its meaning at hand."""

from __future__ import annotations

from .glossary import find, find_or_none
from .markup import tag, text


def hint(term: str, label: str = "", *, exact: str = "", css: str = "") -> str:
    """A button that reads as a word: on hover, focus and tap ``ui/kit/hints.js`` shows what the term means.

    Args:
        term: key, name or synonym of a term of the glossary; ``KeyError`` if there is none.
        label: what the page reads; by default the term's name.
        exact: a sentence on this one place, shown above the meaning, such as a number with all its digits.
        css: further classes.
    """
    entry = find(term)
    return tag(
        "button",
        text(label or entry.name),
        type="button",
        css=f"rx-hint {css}".strip(),
        data_term=entry.key,
        data_exact=exact,
        aria_expanded="false",
    )


def explained(name: str) -> str:
    """A name as a hint if the glossary has it, with or without "each" at its end; else as plain text."""
    term = find_or_none(name.removesuffix(" each"))
    return hint(term.key, name) if term else text(name)
