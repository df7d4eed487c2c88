"""What a network of the zoo is: how it is made, what it is called with, and what a real forward pass does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar

from torch import nn

Truth = Literal["right", "fails", "silent"]
Make = TypeVar("Make", bound=Callable[[], nn.Module])
_CATALOGUE: dict[str, Specimen] = {}
_FOLDER = Path(__file__).with_name("networks")


@dataclass(frozen=True, eq=False)
class Specimen:
    """A small network and the truth about it.

    Attributes:
        target: as ``check`` is given it, ``tests.zoo.networks.gates:SE``.
        kind: name of its file.
        inputs: what ``forward`` is called with: shapes of float tensors, or tensors.
        truth: "right", runs and does what was meant; "fails", its forward pass raises; "silent", runs, and does
            something else than was meant.
        rule: of the finding or hint that is expected; empty: any.
        says: words that are expected in a finding or hint.
        shortcuts: how many residual additions it has; None: not pinned.
    """

    target: str
    kind: str
    make: Callable[[], nn.Module]
    inputs: tuple[Any, ...]
    truth: Truth
    rule: str = ""
    says: str = ""
    shortcuts: int | None = None


def right(*inputs: Any, shortcuts: int | None = None) -> Callable[[Make], Make]:
    return _registers(inputs, "right", shortcuts=shortcuts)


def fails(*inputs: Any, rule: str = "", says: str = "") -> Callable[[Make], Make]:
    return _registers(inputs, "fails", rule, says)


def silent(*inputs: Any, rule: str = "", says: str = "") -> Callable[[Make], Make]:
    return _registers(inputs, "silent", rule, says)


def _registers(
    inputs: tuple[Any, ...], truth: Truth, rule: str = "", says: str = "", shortcuts: int | None = None
) -> Callable[[Make], Make]:
    def register(make: Make) -> Make:
        target = f"{make.__module__}:{make.__name__}"
        kind = make.__module__.rpartition(".")[2]
        _CATALOGUE[target] = Specimen(target, kind, make, inputs, truth, rule, says, shortcuts)
        return make

    return register


def specimens() -> Iterator[Specimen]:
    """All of the zoo, by kind."""
    for file in sorted(_FOLDER.glob("*.py")):
        import_module(f"tests.zoo.networks.{file.stem}")
    yield from _CATALOGUE.values()
