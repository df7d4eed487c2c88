"""The glossary's list: every term under its heading, with its source and a way to see it in the page."""

from __future__ import annotations

from ..kit.glossary import GROUPS, Term
from ..kit.markup import tag, text


def glossary_list() -> str:
    """All terms as HTML; each has ``data-search``, the text by which ``ui/glossary/filter.js`` finds it."""
    return "".join(_group(name, terms) for name, terms in GROUPS.items())


def _group(name: str, terms: tuple[Term, ...]) -> str:
    return tag("section", tag("h4", text(name)) + "".join(map(_term, terms)), css="rx-term-group")


def _term(term: Term) -> str:
    also = tag("span", text(f"also: {', '.join(term.also)}"), css="rx-also") if term.also else ""
    show = tag(
        "button", "Show it", type="button", css="rx-small", data_show=term.key, aria_label=f"Show it: {term.name}"
    )
    searched = " ".join((term.name, *term.also, term.words)).casefold()
    return tag(
        "article",
        tag("h5", text(term.name))
        + also
        + tag("p", text(term.words))
        + tag("footer", tag("cite", text(term.source)) + show),
        id=f"term-{term.key}",
        tabindex="-1",
        data_search=searched,
        data_names="\n".join((term.name, *term.also)).casefold(),
    )
