"""What requests of several panels have in common: a network, names in it, and what is open in its diagram."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from .bridge import Request

MAX_OPEN = 2500
MAX_NAME = 300


def _open_ids(value: Any) -> Any:
    """What a browser says is open: ids, "all", or nothing, which means the first look."""
    if value == "all" or not isinstance(value, list):
        return "all" if value == "all" else None
    return frozenset(name[:MAX_NAME] for name in value[:MAX_OPEN] if isinstance(name, str))


def _name(value: Any) -> str:
    return value[:MAX_NAME] if isinstance(value, str) else ""


Open = Annotated[frozenset[str] | Literal["all"] | None, BeforeValidator(_open_ids)]
Name = Annotated[str, BeforeValidator(_name)]


class NetworkRequest(Request):
    """A network: a query, or ``file:TOKEN``."""

    expected = "A network is expected."
    query: str
