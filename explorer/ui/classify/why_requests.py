"""What the script of the Why panel sends."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ...errors import ExplorerError
from .requests import Name, PhotoRequest


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ExplorerError("class: a whole number is expected")
    return value


def _place(at: Any) -> tuple[float, float] | None:
    if at is None:
        return None
    if not isinstance(at, list) or len(at) != 2 or not all(type(n) in (int, float) and 0 <= n <= 1 for n in at):
        raise ExplorerError("at: two numbers from 0 to 1 are expected")
    return float(at[0]), float(at[1])


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ExplorerError("A list of blocks is expected.")
    return tuple(value)


class ClassRequest(PhotoRequest):
    """
    Attributes:
        index: of the class to explain.
    """

    index: Annotated[int, BeforeValidator(_whole)] = Field(alias="class")


class HeatRequest(ClassRequest):
    """
    Attributes:
        layer: name of a layer or a block.
    """

    layer: Name


class MapsRequest(PhotoRequest):
    """
    Attributes:
        layer: name of a layer or a block.
        all: whether every channel is wanted, not only the strongest.
        at: a place on the crop, x and y from 0 to 1, by whose values channels are ordered; None: by all values.
    """

    layer: Name
    all: bool = False
    at: Annotated[tuple[float, float] | None, BeforeValidator(_place)] = None


class SwitchRequest(PhotoRequest):
    """
    Attributes:
        off: the blocks whose branches are switched off.
    """

    off: Annotated[tuple[str, ...], BeforeValidator(_names)]


class ContributionsRequest(PhotoRequest):
    """Measure what each block adds to a class; without a photo, only stop the measurement before.

    Attributes:
        key: is sent back with every answer.
        index: of the class.
    """

    key: str
    index: Annotated[int, BeforeValidator(_whole)] = Field(0, alias="class")
