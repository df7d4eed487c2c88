"""The diagram as PNG and PDF: the page's layout and role colours, on white."""

from __future__ import annotations

import re

from graphviz import Digraph

from ...errors import DiagramError
from ...inspection import Report
from ..kit import numbers
from ..kit.theme import LIGHT, ROLES
from .dot import to_dot
from .svg import drawable, run_dot, run_program

_POINTS, _DPI = 72, 144  # an inch on a screen, and twice as sharp
MAX_PX = 16_384  # beyond it many viewers give up
_MAX_PAGE = 200  # inches; a PDF page ends there


def png(report: Report, opened: frozenset[str]) -> bytes:
    """The diagram with ``opened`` as PNG, two pixels a point, or as many as keep it within 16,384 px.

    Raises:
        DiagramError: as ``svg.render``; or not even one pixel a point would.
    """
    source = _source(report, opened)
    side = _longer_side(source)
    if side > MAX_PX:
        raise DiagramError(
            f"As PNG this drawing would be {numbers.exact(round(side))} pixels long; at most {numbers.exact(MAX_PX)} "
            "can be read. Fold some blocks, or choose SVG or PDF."
        )
    return run_program(source, "-Tpng", f"-Gdpi={min(_DPI, _POINTS * MAX_PX / side):.3f}")


def pdf(report: Report, opened: frozenset[str]) -> bytes:
    """The diagram with ``opened`` as a PDF of one page of its own size, with text that can be searched.

    Raises:
        DiagramError: as ``svg.render``.
    """
    return run_program(_source(report, opened), "-Tpdf", f"-Gsize={_MAX_PAGE},{_MAX_PAGE}")


def _source(report: Report, opened: frozenset[str]) -> str:
    return to_dot(drawable(report, opened), _Coloured)


def _longer_side(source: str) -> float:
    """The longer side of the drawing, in points."""
    found = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', run_dot(source))
    return max(map(float, found.groups())) if found else 1.0


class _Coloured(Digraph):  # type: ignore[misc]
    """DOT text in which every element has the colours that the style sheet gives its classes in light mode."""

    def node(self, name: str, label: str | None = None, **attributes: str) -> None:
        super().node(name, label, **attributes | _node(attributes["class"].split()))

    def edge(self, tail_name: str, head_name: str, label: str | None = None, **attributes: str) -> None:
        super().edge(tail_name, head_name, label, **attributes | _edge(attributes["class"].split()))

    def attr(self, kw: str | None = None, **attributes: str) -> None:
        repeat = attributes.get("id", "").startswith("r")  # only frames are styled so
        super().attr(kw, color=LIGHT.line if repeat else LIGHT.rule, fontcolor=LIGHT.muted, **attributes)


def _edge(classes: list[str]) -> dict[str, str]:
    role = _role(classes)
    if role is None:
        return {"color": LIGHT.line, "fontcolor": LIGHT.muted}
    return {"color": ROLES[role].colour, "fontcolor": ROLES[role].on_light if role == "broken" else LIGHT.muted}


def _node(classes: list[str]) -> dict[str, str]:
    role = _role(classes)
    colour = ROLES[role].colour if role else LIGHT.line
    shown = {"color": colour, "fillcolor": LIGHT.surface, "fontcolor": ROLES[role].on_light if role else LIGHT.text}
    if "fork" in classes:
        return {"color": LIGHT.line, "fillcolor": LIGHT.line}
    if "input" in classes:
        return {"fontcolor": LIGHT.text}
    if "hides-broken" in classes:
        return {**shown, "color": ROLES["broken"].colour, "style": "rounded,filled,dashed", "penwidth": "2"}
    if "merge" in classes:
        return {**shown, "style": "filled", "penwidth": "2.2" if role == "broken" else "1.2"}
    return {**shown, "style": "rounded,filled"}


def _role(classes: list[str]) -> str | None:
    """The role that colours; a mismatch goes before what the shortcut is made of."""
    named = [name for name in reversed(ROLES) if name in classes and name != "main"]
    return named[0] if named else None
