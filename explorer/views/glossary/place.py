"""Where the page shows a term of the glossary, for the network that the builder has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from ...errors import SpecError
from ...inspection import inspect
from ...spec import ResNetSpec, from_words
from ..diagram.locate import locate
from ..diagram.model import build_diagram, default_open
from ..kit.glossary import Show


@dataclass(frozen=True)
class Place:
    """
    Attributes:
        spec: the network that shows it; the builder's own if that does.
        at, selector: as in ``Show``.
    """

    spec: ResNetSpec
    at: str
    selector: str


def place_of(show: Show, spec: ResNetSpec) -> Place:
    """The first network with the box: ``spec`` with the term's fields, which it may have already, else ResNet-18."""
    if not show.at:
        return Place(spec, "", show.place)
    fitting = (found for found in _networks(show, spec) if _has(found, show.at))
    return Place(next(fitting, spec), show.at, show.place)


def _networks(show: Show, spec: ResNetSpec) -> Iterator[ResNetSpec]:
    fields = parse_qsl(show.network)
    for base in (spec, ResNetSpec()):
        try:
            yield from_words(fields, base)
        except SpecError:  # for example, basic blocks in a network with groups
            continue


def _has(spec: ResNetSpec, name: str) -> bool:
    report = inspect(spec)
    opened, found = locate(report, default_open(report), name)
    diagram = build_diagram(report, opened)
    return diagram.node(found) is not None or any(group.id == found for group in diagram.groups)
