"""What a file of the zoo is: how it is written, of which network, and what a real reader does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, TypeVar

from torch import nn

Truth = Literal["right", "broken", "hostile"]
Write = TypeVar("Write", bound=Callable[[Path], Path])
_CATALOGUE: dict[str, FileSpecimen] = {}
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class FileSpecimen:
    """A small file and the truth about it.

    Attributes:
        name: of the function that writes it, with the module's.
        kind: name of the module.
        write: writes it into a folder, with whatever lies beside it, and returns its path.
        truth: "right", its own reader opens and runs it; "broken", that one refuses it, or what it holds can't run;
            "hostile", its own reader runs code from it.
        net: the network whose parameters and MACs it has; None: they are not compared.
        says: words that are expected of it: in the refusal, a finding or a note.
        shapes: of the network's inputs.
    """

    name: str
    kind: str
    write: Callable[[Path], Path]
    truth: Truth
    net: Callable[[], nn.Module] | None = None
    says: str = ""
    shapes: tuple[tuple[int, ...], ...] = ((1, 3, 16, 16),)


def right(
    net: Callable[[], nn.Module] | None = None, *shapes: tuple[int, ...], says: str = ""
) -> Callable[[Write], Write]:
    return _registers("right", net, says, shapes)


def broken(says: str) -> Callable[[Write], Write]:
    return _registers("broken", None, says, ())


def hostile(says: str) -> Callable[[Write], Write]:
    return _registers("hostile", None, says, ())


def _registers(
    truth: Truth, net: Callable[[], nn.Module] | None, says: str, shapes: tuple[tuple[int, ...], ...]
) -> Callable[[Write], Write]:
    def register(write: Write) -> Write:
        kind = write.__module__.rpartition(".")[2]
        name = f"{kind}:{write.__name__}"
        _CATALOGUE[name] = FileSpecimen(name, kind, write, truth, net, says, shapes or ((1, 3, 16, 16),))
        return write

    return register


def file_specimens() -> Iterator[FileSpecimen]:
    """All files of the zoo, by kind."""
    for file in sorted(_FOLDER.glob("*_files.py")):
        import_module(f"tests.zoo.files.{file.stem}")
    yield from _CATALOGUE.values()
