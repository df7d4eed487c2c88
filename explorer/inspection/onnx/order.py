"""Nodes of an ONNX graph in an order in which each reads only what was given before it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from .parsing import refusal


def reads(node: Any) -> list[str]:
    """Names that a node reads, those that the graphs inside it take from outside included."""
    return [name for name in node.input if name] + list(_captured(node))


def inner_graphs(node: Any) -> list[Any]:
    """The graphs that a node runs: branches and bodies of loops."""
    return [
        graph
        for attribute in node.attribute
        for graph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs)
    ]


def sort_nodes(graph: Any, *, is_cut: bool = False) -> None:
    """Put the nodes in order, keeping the file's wherever it is one.

    Args:
        is_cut: whether nodes were left out, so that others may read what they gave.

    Raises:
        TraceError: a node reads what nothing gives, two give one name, or nodes wait for one another.
    """
    makers = _makers(graph)
    known = {value.name for value in (*graph.input, *graph.initializer)}
    known |= {sparse.values.name for sparse in graph.sparse_initializer}
    waiting: list[int] = []
    readers: dict[int, list[int]] = {}
    for index, node in enumerate(graph.node):
        own = reads(node)
        missing = next((name for name in own if name not in makers and name not in known), None)
        if missing and not is_cut:
            raise refusal(f"its node {_label(node)} reads {missing[:80]!a}, which nothing in it gives")
        sources = {makers[name] for name in own if name in makers}
        waiting.append(len(sources))
        for source in sources:
            readers.setdefault(source, []).append(index)
    order = list(_ordered(waiting, readers))
    if len(order) < len(waiting):
        stuck = next(i for i, count in enumerate(waiting) if count > 0)
        raise refusal(f"its nodes wait for one another in a circle; one of them is {_label(graph.node[stuck])}")
    if order != sorted(order):
        nodes = [type(node).FromString(node.SerializeToString()) for node in graph.node]
        del graph.node[:]
        graph.node.extend(nodes[i] for i in order)


def _ordered(waiting: list[int], readers: dict[int, list[int]]) -> Iterator[int]:
    """Indices of nodes that wait for none, the lowest first; ``waiting`` counts down."""
    free = [index for index, count in enumerate(waiting) if count == 0]
    while free:
        index = heapq.heappop(free)
        yield index
        for reader in readers.get(index, ()):
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(free, reader)


def _makers(graph: Any) -> dict[str, int]:
    """Name of a tensor -> index of the node that gives it."""
    makers: dict[str, int] = {}
    for index, node in enumerate(graph.node):
        for name in node.output:
            if name and makers.setdefault(name, index) != index:
                raise refusal(f"two of its nodes give {name[:80]!a}")
    return makers


def _captured(node: Any) -> Iterator[str]:
    for graph in inner_graphs(node):
        inside = {value.name for value in (*graph.input, *graph.initializer)}
        inside |= {name for inner in graph.node for name in inner.output}
        yield from (name for inner in graph.node for name in reads(inner) if name not in inside)
        yield from (value.name for value in graph.output if value.name and value.name not in inside)


def _label(node: Any) -> str:
    """The kind of a node and its name."""
    return f"{node.op_type[:40]!a}" + (f" ({node.name[:80]!a})" if node.name else "")
