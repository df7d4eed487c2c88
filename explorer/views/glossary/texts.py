"""The glossary as the page's scripts take it: once, as one text that changes only with the program."""

from __future__ import annotations

from typing import Any

from ..kit.glossary import TERMS, Term, find
from ..kit.glossary.options import LABELS, OptionHint, option_hints
from ..kit.markup import tag, text
from .panel import glossary_list


def texts() -> dict[str, Any]:
    """What a hint says, and the list of the panel.

    Returns:
        ``terms``: key -> {"html", "term"}. ``options``: field -> value -> the same; "" is the field itself.
        ``labels``: label on the page -> key of a term. ``list``: HTML of all terms.
    """
    return {
        "terms": {term.key: _hint(term.name, term.words, term) for term in TERMS},
        "options": {
            field: {value: _option(option) for value, option in options.items()}
            for field, options in option_hints().items()
        },
        "labels": {label: find(name).key for label, name in LABELS.items()},
        "list": glossary_list(),
    }


def _option(option: OptionHint) -> dict[str, str]:
    return _hint(option.name, option.words, find(option.term))


def _hint(name: str, words: str, term: Term) -> dict[str, str]:
    return {"html": tag("strong", text(name)) + tag("p", text(words)), "term": term.key, "name": term.name}
