"""Diagram -> DOT text. Outside text is escaped, attributes are fixed, no HTML labels."""

from __future__ import annotations

from graphviz import Digraph, escape, nohtml

from ..kit.theme import ROLES
from .model import Diagram, Edge, Node, Role

# Labels are measured 15 % larger than the style sheet sets them: system fonts differ in width, and none may leave
# its box.
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
# With more boxes than this, identity lines need not be straight on their way, which makes dot faster.
_MANY = 300
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
    """DOT source. SVG ids are ``n0``, ``n1`` … and ``g0``, ``g1`` …, in the diagram's order of nodes and groups: no
    outside text is an id. ``kind`` may add attributes by class, such as colours (see ``picture``)."""
    graph = kind("network", graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
    names = {node.id: f"n{i}" for i, node in enumerate(diagram.nodes)}
    members: dict[str | None, list[Node]] = {}
    for node in diagram.nodes:
        members.setdefault(node.group[-1] if node.group else None, []).append(node)
    _level(graph, diagram, names, members, None)
    loose = len(diagram.nodes) > _MANY
    for edge in diagram.edges:
        graph.edge(names[edge.source], names[edge.target], **_edge(edge, loose))
    return graph.source


def _level(
    graph: Digraph,
    diagram: Diagram,
    names: dict[str, str],
    members: dict[str | None, list[Node]],
    parent: str | None,
) -> None:
    """Nodes directly in ``parent``, then its groups with theirs."""
    for node in members.get(parent, []):
        graph.node(names[node.id], id=names[node.id], **_node(node))
    for number, group in enumerate(diagram.groups):
        if group.parent == parent:
            with graph.subgraph(name=f"cluster_g{number}") as cluster:
                title = _label(*group.lines, "", newline="\\l")  # short lines stay at the left of the main path
                cluster.attr(label=title, id=f"g{number}", labeljust="l", style="rounded", margin="14")
                _level(cluster, diagram, names, members, group.id)


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
        extra = {**extra, "xlabel": "✓" if fits else "✕"}
    if node.hides_broken:
        classes.append("hides-broken")
    if node.count > 1 and node.role is Role.BLOCK:
        extra = {**extra, "peripheries": "2"}
    return {"label": _label(*node.lines), "class": " ".join(classes), **extra}


def _edge(edge: Edge, loose: bool) -> dict[str, str]:
    classes = [str(edge.role), *(["broken"] if edge.broken else [])]
    attributes = {"label": _label(f" {edge.label} "), "class": " ".join(classes)}
    if edge.role is not Role.MAIN:
        attributes |= _SHORTCUT
    if loose and edge.role is Role.IDENTITY:
        attributes["constraint"] = "false"
    if edge.role.value in ROLES and ROLES[edge.role.value].dash == "dot":
        attributes["style"] = "dotted"
    return {**attributes, "style": "dashed", "penwidth": "2.4"} if edge.broken else attributes
