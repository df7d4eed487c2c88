"""Diagram -> DOT text. Text from outside is escaped, attributes are constants, and no label is HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphviz import Digraph, escape, nohtml

from ..kit.theme import ROLES
from .model import Diagram, Node, Role

# Labels are measured 15 % larger than the style sheet sets them: system fonts differ in width, and each label has to
# stay inside its box.
_FONT = "Helvetica,Arial,sans-serif"
_GRAPH = {
    "rankdir": "TB",
    "nodesep": "0.45",
    "ranksep": "0.28",
    "fontname": _FONT,
    "fontsize": "12.6",
    "pad": "0.2",
}
_NODE = {
    "shape": "box",
    "style": "rounded",
    "fontname": _FONT,
    "fontsize": "12.6",
    "margin": "0.16,0.07",
    "height": "0",
}
# The main path is straight; shortcuts bend around it.
_EDGE = {"fontname": _FONT, "fontsize": "10", "arrowsize": "0.6", "penwidth": "1.2", "weight": "1000"}
_SHORTCUT = {"penwidth": "1.8", "weight": "1"}
# With more boxes than this, identity lines do not constrain the layout, which makes dot faster.
_MANY = 300
# Where the paths of a repeated block part, inside its frame.
_FORK = {"shape": "point", "width": "0.05", "class": "fork", "label": ""}
_SHAPES: dict[Role, dict[str, str]] = {
    Role.MERGE: {
        "shape": "circle",
        "fixedsize": "true",
        "width": "0.36",
        "height": "0.36",
        "fontsize": "16",
        "margin": "0",
    },
    Role.INPUT: {"shape": "plain"},
    Role.BLOCK: {"width": "2.4"},
    Role.STEM: {"width": "2.4"},
}


def to_dot(diagram: Diagram, kind: type[Digraph] = Digraph) -> str:
    """DOT source. SVG ids are ``n0`` …, ``g0`` … and ``r0`` …, in the diagram's order of nodes, groups and repeats: no
    outside text is an id. ``kind`` may add attributes by class, such as colours (see ``raster``)."""
    graph = kind("network", graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
    names = {node.id: f"n{i}" for i, node in enumerate(diagram.nodes)}
    members: dict[tuple[str | None, str | None], list[Node]] = {}
    for node in diagram.nodes:
        members.setdefault((node.group[-1] if node.group else None, node.repeat), []).append(node)
    _level(graph, diagram, names, members, None)
    loose = len(diagram.nodes) > _MANY
    for edge in _through_forks(diagram, names):
        graph.edge(edge.source, edge.target, **_edge(edge, loose))
    return graph.source


def _level(
    graph: Digraph,
    diagram: Diagram,
    names: dict[str, str],
    members: dict[tuple[str | None, str | None], list[Node]],
    parent: str | None,
) -> None:
    """Nodes directly in ``parent``, its repeats, then its groups with theirs."""

    def add(into: Digraph, repeat: str | None) -> None:
        for node in members.get((parent, repeat), []):
            into.node(names[node.id], id=names[node.id], **_node(node))

    add(graph, None)
    for number, repeat in enumerate(diagram.repeats):
        if repeat.parent == parent:
            with graph.subgraph(name=f"cluster_r{number}") as cluster:
                title = _label(f"× {repeat.count}", f"{repeat.count} shortcuts", "", newline="\\l")
                cluster.attr(label=title, id=f"r{number}", labeljust="l", style="rounded", margin="10")
                cluster.node(f"f{number}", id=f"f{number}", **_FORK)
                add(cluster, repeat.id)
    for number, group in enumerate(diagram.groups):
        if group.parent == parent:
            with graph.subgraph(name=f"cluster_g{number}") as cluster:
                title = _label(*group.lines, "", newline="\\l")  # short lines stay at the left of the main path
                cluster.attr(label=title, id=f"g{number}", labeljust="l", style="rounded", margin="14")
                _level(cluster, diagram, names, members, group.id)


@dataclass(frozen=True)
class _Line:
    """An edge as it is drawn: between names of the DOT text, with lines of label."""

    source: str
    target: str
    role: Role
    label: tuple[str, ...]
    broken: bool = False
    arrow: bool = True


def _through_forks(diagram: Diagram, names: dict[str, str]) -> Iterator[_Line]:
    """The diagram's edges. Those that enter a repeat part only inside its frame, at a point: then the frame contains
    the whole of one shortcut, as each of its blocks has it."""
    repeat_of = {node.id: node.repeat for node in diagram.nodes}
    forks = {repeat.id: f"f{number}" for number, repeat in enumerate(diagram.repeats)}
    entered: set[str] = set()
    for edge in diagram.edges:
        repeat = repeat_of[edge.target]
        source, target = names[edge.source], names[edge.target]
        if repeat is None or repeat_of[edge.source] == repeat:
            yield _Line(source, target, edge.role, (edge.label,), edge.broken)
            continue
        if repeat not in entered:
            entered.add(repeat)
            yield _Line(source, forks[repeat], Role.MAIN, (edge.label,), arrow=False)
        label = () if edge.role is Role.MAIN else ("one around each block", edge.label)
        yield _Line(forks[repeat], target, edge.role, label, edge.broken)


def _label(*lines: str, newline: str = "\\n") -> str:
    """Outside text as Graphviz shows it unchanged: no escape, no entity, no HTML. ``newline``: its escape that ends a
    line centred (``\\n``) or at the left (``\\l``).
    """
    return nohtml(newline.join(escape(line.replace("&", "&amp;")) for line in lines))


def _node(node: Node) -> dict[str, str]:
    classes = [str(node.role), *(["opens"] if node.opens else []), *(["many"] if node.count > 1 else [])]
    extra = _SHAPES.get(node.role, {})
    if node.merge:
        fits = node.merge.fits
        classes.append("fits" if fits else "broken")
        extra = {**extra, "xlabel": f"{node.count if node.repeat else ''} {'✓' if fits else '✕'}".strip()}
    if node.hides_broken:
        classes.append("hides-broken")
    if node.count > 1 and node.role is Role.BLOCK and not node.repeat:
        extra = {**extra, "peripheries": "2"}
    return {"label": _label(*node.lines), "class": " ".join(classes), **extra}


def _edge(line: _Line, loose: bool) -> dict[str, str]:
    classes = [str(line.role), *(["broken"] if line.broken else [])]
    margin = " " * (2 if len(line.label) > 1 else 1)  # the browser's letters may be wider than Graphviz expects
    attributes = {"label": _label(*[f"{margin}{words}{margin}" for words in line.label]), "class": " ".join(classes)}
    if not line.arrow:
        attributes["arrowhead"] = "none"
    if line.role is not Role.MAIN:
        attributes |= _SHORTCUT
    if loose and line.role is Role.IDENTITY:
        attributes["constraint"] = "false"
    if line.role.value in ROLES and ROLES[line.role.value].dash == "dot":
        attributes["style"] = "dotted"
    return {**attributes, "style": "dashed", "penwidth": "2.4"} if line.broken else attributes
