"""Import a package's public names on first use: importing torch takes seconds, and ``--help`` must not wait for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .extras import explained_imports


def by_name(place: str) -> Any:
    """What ``"module:name"`` of this package names, imported now. So a value of a lower package can offer what a higher
    one makes of it."""
    module, _, name = place.partition(":")
    with explained_imports():
        return getattr(import_module(f".{module}", __package__), name)


def lazy_names(package: str, home: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make ``__getattr__`` and ``__dir__`` for a package.

    Args:
        package: its ``__name__``.
        home: public name -> the module of the package that defines it.
    """

    def get(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with explained_imports():
            return getattr(import_module(f".{home[name]}", package), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home})

    return get, names
