"""Diagram -> DOT text. Outside text is escaped, attributes are fixed, no HTML labels."""

from __future__ import annotations

from graphviz import Digraph, escape

from .diagram import Diagram, Edge, Group, Node, Role

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
_EDGE = {"fontname": _FONT, "fontsize": "10", "arrowsize": "0.6"}

# The main path is pulled straight; shortcuts bend around it.
_WEIGHT = {Role.MAIN: "12"}
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


def to_dot(diagram: Diagram) -> str:
    """DOT source; nodes are ``n0``, ``n1`` … with the diagram's ids as their SVG ids."""
    graph = Digraph("network", graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
    names = {node.id: f"n{i}" for i, node in enumerate(diagram.nodes)}
    children = {group.id: [g for g in diagram.groups if g.parent == group.id] for group in diagram.groups}
    _nodes(graph, diagram, names, None)
    for group in diagram.groups:
        if group.parent is None:
            _cluster(graph, diagram, names, group, children)
    for edge in diagram.edges:
        graph.edge(names[edge.source], names[edge.target], **_edge(edge))
    return graph.source


def _cluster(
    parent: Digraph, diagram: Diagram, names: dict[str, str], group: Group, children: dict[str, list[Group]]
) -> None:
    with parent.subgraph(name=f"cluster_{escape(group.id)}") as cluster:
        cluster.attr(
            label=escape(group.title),
            id=escape(f"group:{group.id}"),
            labeljust="l",
            style="rounded",
            margin="14",
        )
        cluster.attr(**{"class": "group"})
        _nodes(cluster, diagram, names, group.id)
        for child in children[group.id]:
            _cluster(cluster, diagram, names, child, children)


def _nodes(graph: Digraph, diagram: Diagram, names: dict[str, str], group: str | None) -> None:
    for node in diagram.nodes:
        if (node.group[-1] if node.group else None) == group:
            graph.node(names[node.id], **_node(node))


def _node(node: Node) -> dict[str, str]:
    classes = [str(node.role), *(["opens"] if node.opens else []), *(["many"] if node.count > 1 else [])]
    extra = _SHAPES.get(node.role, {})
    if node.merge:
        fits = node.merge.fits
        classes.append("fits" if fits else "broken")
        extra = {**extra, "xlabel": "✓" if fits else "✕"}
    if node.count > 1 and node.role is Role.BLOCK:
        extra = {**extra, "peripheries": "2"}
    return {
        "label": "\\n".join(map(escape, node.lines)),
        "id": escape(node.id),
        "class": " ".join(classes),
        **extra,
    }


def _edge(edge: Edge) -> dict[str, str]:
    classes = [str(edge.role), *(["broken"] if edge.broken else [])]
    styles = {Role.ZERO_PAD: "dotted"}
    attributes = {"label": f" {escape(edge.label)} ", "class": " ".join(classes)}
    attributes["weight"] = _WEIGHT.get(edge.role, "1")
    if edge.broken:
        return {**attributes, "style": "dashed", "penwidth": "2.4"}
    if edge.role in styles:
        attributes["style"] = styles[edge.role]
    return {**attributes, "penwidth": "1.2" if edge.role is Role.MAIN else "1.8"}
