"""The glossary: every term that the page uses and a beginner may lack, each explained once."""

from __future__ import annotations

from functools import lru_cache

from .answers import ANSWERS, TRANSFER
from .costs import COSTS
from .layers import LAYERS, WEIGHTS
from .structure import BLOCKS, NETWORK
from .term import Show, Term
from .training import GRADIENTS, TRAINING

__all__ = ["GROUPS", "TERMS", "Show", "Term", "find", "find_or_none"]

# In the order in which a beginner reads them.
GROUPS: dict[str, tuple[Term, ...]] = {
    "Blocks and shortcuts": BLOCKS,
    "The network": NETWORK,
    "Layers and shapes": LAYERS,
    "Initial weights": WEIGHTS,
    "Cost": COSTS,
    "Gradients": GRADIENTS,
    "Training": TRAINING,
    "Answers": ANSWERS,
    "Transfer learning": TRANSFER,
}
TERMS: tuple[Term, ...] = tuple(term for terms in GROUPS.values() for term in terms)


def find(name: str) -> Term:
    """The term of that key, name or synonym, in any case; ``KeyError`` if there is none."""
    return _index()[name.casefold()]


def find_or_none(name: str) -> Term | None:
    """As ``find``, or None if the glossary does not know the name."""
    return _index().get(name.casefold())


@lru_cache(maxsize=1)
def _index() -> dict[str, Term]:
    return {name.casefold(): term for term in TERMS for name in (term.key, term.name, *term.also)}
