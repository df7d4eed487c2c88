"""DOT -> SVG for a page: sized by its frame, walkable by keyboard, spoken by a screen reader."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from html import escape
from shutil import which
from types import MappingProxyType

from ...errors import DiagramError
from ...inspection import Report
from ..kit.theme import DARK, LIGHT, ROLES, Neutrals
from ..kit.words import printable
from .dot import to_dot
from .model import MAX_NODES, Diagram, Node, Role, build_diagram

TIMEOUT_S = 5
_LAYOUTS = ThreadPoolExecutor(4, thread_name_prefix="dot")
# Id of a box or a frame -> a class for the style sheet, and a sentence for a screen reader.
Marks = Mapping[str, tuple[str, str]]
_NO_MARKS: Marks = MappingProxyType({})
INSTALL = "apt-get install graphviz (Debian, Ubuntu) or brew install graphviz (macOS)"


def render(report: Report, opened: frozenset[str], marks: Marks = _NO_MARKS) -> str:
    """The diagram as one ``<svg>`` element; node ids are the diagram's.

    Raises:
        DiagramError: too many nodes, or Graphviz is missing, failed or took longer than 5 s.
    """
    return paint(drawable(report, opened), marks)


def paint(diagram: Diagram, marks: Marks = _NO_MARKS) -> str:
    """``render`` of a diagram that exists already."""
    return accessible(run_dot(to_dot(diagram)), diagram, marks)


def drawable(report: Report, opened: frozenset[str]) -> Diagram:
    """The diagram, if it has at most ``MAX_NODES`` nodes.

    Raises:
        DiagramError: it has more.
    """
    diagram = build_diagram(report, opened)
    if len(diagram.nodes) > MAX_NODES:
        raise DiagramError(
            f"{len(diagram.nodes):,} boxes are too many to read; at most {MAX_NODES} are drawn. Fold some blocks."
        )
    return diagram


def run_dot(source: str) -> str:
    """SVG text of ``source``, laid out by Graphviz's ``dot``; see ``run_program``. The last 128 are kept.

    A caller that asks for a layout which is being computed waits for it.
    """
    try:
        return start_dot(source).result().decode()
    except DiagramError:
        start_dot.cache_clear()  # the next attempt may succeed
        raise


@lru_cache(maxsize=128)
def start_dot(source: str) -> Future[bytes]:
    """Start ``run_dot``'s layout and return at once: ``dot`` runs while the caller does something else."""
    return _LAYOUTS.submit(run_program, source, "-Tsvg")


def run_program(source: str, *options: str) -> bytes:
    """What ``dot`` writes, called with ``options``; it reads standard input and is stopped after 5 s.

    Raises:
        DiagramError: Graphviz is missing, failed or took longer.
    """
    program = which("dot")
    if program is None:
        raise DiagramError(
            f"The diagram needs Graphviz, which is not installed: {INSTALL}. The table below shows the same."
        )
    try:
        done = subprocess.run(
            [program, *options], input=source.encode(), capture_output=True, timeout=TIMEOUT_S, check=True
        )
    except subprocess.TimeoutExpired:
        raise DiagramError(f"Graphviz took longer than {TIMEOUT_S} s and was stopped. Fold some blocks.") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise DiagramError(
            f"Graphviz could not draw this network. The table below shows the same. Reinstall: {INSTALL}."
        ) from error
    return done.stdout


def accessible(svg: str, diagram: Diagram, marks: Marks = _NO_MARKS) -> str:
    """Strip what ``dot`` adds (prolog, fixed size, titles, colours); make nodes and groups labelled buttons. The frame
    of a repeat is none: its ``data-box`` names the box inside it, which is one.

    In ``dot``'s SVG outside text is only the content of ``<text>``, where it is escaped; the ids are ``to_dot``'s.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'<svg width="[^"]*" height="[^"]*"', '<svg role="group" aria-label="Network diagram"', svg, count=1)
    svg = re.sub(r"<title>[^<]*</title>\n?|<!--.*?-->\n?|<polygon fill=\"white\"[^>]*/>\n?", "", svg)
    # The style sheet colours by class; presentation attributes would only repeat it for one mode of light.
    svg = re.sub(r' (?:fill|stroke)="(?!none)[^"]*"', "", svg)

    def button(match: re.Match[str]) -> str:
        kind, number, classes = match[1], int(match[2]), match[3]
        if kind == "n":
            node = diagram.nodes[number]
            name, spoken = node.id, sentence(node)
        else:
            group = diagram.groups[number]
            name, spoken = f"group:{group.id}", f"{', '.join(group.lines)}. Fold."
        if name in marks:
            mark, words = marks[name]
            classes, spoken = f"{mark} {classes}", f"{spoken} {words}"
        named = f'id="{escape(_anchor(name))}" aria-label="{escape(spoken)}"'
        return f'<g {named} class="{classes}" tabindex="0" role="button"'

    def frame(match: re.Match[str]) -> str:
        return f'<g class="repeat" data-box="{escape(_anchor(diagram.repeats[int(match[1])].id))}"'

    svg = re.sub(r'<g id="r(\d+)" class="cluster"', frame, svg)
    svg = re.sub(r'<g id="f\d+" class="node fork"', '<g class="fork"', svg)
    return re.sub(r'<g id="([ng])(\d+)" class="((?:node|cluster)[^"]*)"', button, svg)


def anchors(diagram: Diagram) -> frozenset[str]:
    """Ids of the elements that ``paint`` makes of boxes and frames."""
    return frozenset(map(_anchor, [*(n.id for n in diagram.nodes), *(f"group:{g.id}" for g in diagram.groups)]))


def _anchor(name: str) -> str:
    return printable(name, most=len(name))


def sentence(node: Node) -> str:
    """What a screen reader says of a node."""
    if node.merge:
        path = printable(node.merge.path) or "the network"
        verdict = "shapes match" if node.merge.fits else "shape mismatch"
        times = f", one of {node.count} equal ones" if node.count > 1 else ""
        return f"Residual addition of {path}{times}, {verdict}. {printable(node.merge.explanation, most=600)}"
    times = f", {node.count} equal blocks" if node.count > 1 else ""
    around = ", each with its own shortcut" if node.repeat and node.role is Role.BLOCK else ""
    hidden = ", contains a shape mismatch" if node.hides_broken else ""
    return f"{', '.join(node.lines)}{times}{around}{hidden}."


def standalone(svg: str) -> str:
    """``render``'s element as a separate file: sized, coloured for light and dark, without buttons."""
    svg = still(svg)
    # For viewers that ignore the background and show transparency as a chequerboard.
    page = f'<style>{STANDALONE_STYLE}</style>\n<rect class="page" width="100%" height="100%"/>\n'
    start = svg.index(">") + 1
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg[:start]}\n{page}{svg[start:].lstrip()}'


def still(svg: str) -> str:
    """``render``'s element for a page without scripts: sized, without buttons."""
    svg = re.sub(r'viewBox="\S+ \S+ (\S+) (\S+)"', r'width="\1pt" height="\2pt" \g<0>', svg, count=1)
    return svg.replace(' tabindex="0" role="button"', ' role="img"').replace('. Fold."', '."')


def _style(grey: Neutrals, on: str) -> str:
    """Rules of one mode; ``on`` names the roles' text colours in it. Few viewers know variables."""
    rules = [
        f"svg {{ background: {grey.page} }}",
        f".page {{ fill: {grey.page} }}",
        f"text {{ fill: {grey.text} }}",
        f".edge text {{ fill: {grey.muted} }}",
        f".node path, .node polygon, .node ellipse {{ fill: {grey.surface}; stroke: {grey.line} }}",
        ".node.many path + path { fill: none }",
        f".cluster path {{ fill: none; stroke: {grey.rule} }}",
        f".repeat path {{ fill: none; stroke: {grey.line} }}",
        f".fork ellipse {{ fill: {grey.line}; stroke: {grey.line} }}",
        f".edge path {{ fill: none; stroke: {grey.line} }}",
        f".edge polygon {{ fill: {grey.line}; stroke: {grey.line} }}",
    ]
    for name, role in ROLES.items():
        if name != "main":
            rules += [
                f".{name} path, .{name} ellipse {{ stroke: {role.colour} }}",
                f".edge.{name} polygon {{ fill: {role.colour}; stroke: {role.colour} }}",
                f".{name} text {{ fill: {getattr(role, on)} }}",
            ]
    rules.append(f".hides-broken path {{ stroke: {ROLES['broken'].colour}; stroke-dasharray: 6 4 }}")
    return "\n".join(rules)


STANDALONE_STYLE = (
    f"\n{_style(LIGHT, 'on_light')}\n@media (prefers-color-scheme: dark) {{\n{_style(DARK, 'on_dark')}\n}}\n"
)
