"""The diagram and its inspector as one Gradio component; pictures and texts come from two server functions."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property, lru_cache
from typing import Any, Literal

import gradio as gr

from ...errors import DiagramError
from ...inspection import Report
from ...spec import to_query
from ...views.diagram import terms
from ...views.diagram.dot import to_dot
from ...views.diagram.locate import locate
from ...views.diagram.model import MAX_NODES, Diagram, Node, build_diagram, default_open, everything
from ...views.diagram.svg import paint, start_dot
from ...views.diagram.tint import Measure
from ...views.diagram.tint import tint as tinted
from ...views.inspector.panel import empty, inspector
from ...views.kit.hints import explained
from ...views.kit.markup import tag, text
from ...views.kit.theme import ROLES
from .. import builder
from ..kit import bridge, scripts
from ..kit.model_files import report_of
from ..kit.panel import create_panel
from ..kit.requests import Name, NetworkRequest, Open
from .tint import gradients

_MEASURES = "".join(tag("option", text(measure.label), value=measure.value) for measure in Measure)
_LEGEND = "".join(tag("span", explained(role.words), css=name) for name, role in ROLES.items() if role.words)
_TEMPLATE = f"""
<div class="rx-graph">
  <div class="rx-stage">
    <div class="rx-top">
      <div class="rx-tint">
        <label><select aria-label="Tint the boxes by">
          <option value="">no tint</option>
          {_MEASURES}
        </select></label>
        <span class="rx-scale" role="status"></span>
      </div>
      <form class="rx-search" role="search">
        <input type="search" placeholder="Find a layer or term" aria-label="Find in the diagram"
          title="Find a name, a shape or a term such as skip connection (press / to search)">
        <span class="rx-count" aria-live="polite"></span>
      </form>
    </div>
    <div class="rx-port">
      <div class="rx-canvas" tabindex="-1"></div>
      <div class="rx-failure" role="alert" hidden></div>
      <div class="rx-notice" role="status" hidden></div>
    </div>
    <div class="rx-foot">
    <div class="rx-legend" aria-label="Legend">
      {_LEGEND}
    </div>
    <div class="rx-tools" role="toolbar" aria-label="Diagram">
      <button type="button" data-tool="in" title="Zoom in (Ctrl + wheel, or pinch)" aria-label="Zoom in">+</button>
      <button type="button" data-tool="out" title="Zoom out (Ctrl + wheel, or pinch)" aria-label="Zoom out">−</button>
      <button type="button" data-tool="actual" title="Actual size">100 %</button>
      <button type="button" data-tool="fit" title="Make the diagram as wide as the frame">Fit width</button>
      <button type="button" data-tool="whole" title="Show the whole network at once">Fit all</button>
      <button type="button" data-tool="open" title="Expand every block and every repeat">Expand</button>
      <button type="button" data-tool="fold" title="Fold all blocks again">Fold</button>
      <button type="button" data-tool="code" title="The PyTorch code, beside the diagram">Code</button>
    </div>
    </div>
  </div>
  <aside class="rx-inspector" aria-label="Inspector"></aside>
</div>
"""


def graph_panel() -> gr.HTML:
    """The component, not rendered yet. It is empty until the page's load event names a network, so that only a network
    that the program accepted is drawn.

    A factory, not a subclass: subclassing a component makes Gradio write a stub file beside the module."""
    return create_panel(
        "graph",
        _TEMPLATE,
        scripts.mount("diagram/diagram.js"),
        [draw, describe, search, tint],
        query=None,
        render=False,
    )


class DiagramRequest(NetworkRequest):
    """A network, and what is open in its diagram.

    Attributes:
        open: ids; None for the first look, "all" for everything.
    """

    open: Open = None

    @cached_property
    def report(self) -> Report:
        return report_of(self.query)

    @cached_property
    def opened(self) -> frozenset[str]:
        return _opened(self.report, self.open)


class DrawRequest(bridge.Request):
    """
    Attributes:
        query: the network; None if ``fields`` are given.
        fields: values of the builder's widgets, as ``builder.read`` takes them.
        open: as in ``DiagramRequest``.
        find: a name to open the diagram for.
    """

    expected = NetworkRequest.expected
    query: str | None = None
    fields: list[Any] | None = None
    open: Open = None
    find: Name = ""

    @property
    def network(self) -> str:
        """Raises ``SpecError`` if the fields name no network."""
        if self.fields is None and self.query is not None:
            return self.query
        if self.fields is None or len(self.fields) != len(builder.CONTROLS):
            raise DiagramError(self.expected)
        return to_query(builder.read(self.fields))


class NodeRequest(DiagramRequest):
    node: Name = ""


class SearchRequest(NetworkRequest):
    text: Name = ""


class TintRequest(DiagramRequest):
    by: str = ""


@bridge.answers(DrawRequest)
def draw(request: DrawRequest) -> dict[str, Any]:
    """-> ``{"svg", "open", "found", "edges", "notice", "query"}``.

    ``notice``: why less is open than was asked for.
    """
    query = request.network
    report = report_of(query)
    opened, found = locate(report, _opened(report, request.open), request.find)
    opened, notice = _readable(report, opened)
    diagram = _diagram(report, opened)
    edges = [(e.source, e.target, e.role) for e in diagram.edges]
    drawn = {"svg": paint(diagram), "open": sorted(opened), "found": found, "edges": edges}
    return {**drawn, "notice": notice, "query": query}


def _readable(report: Report, opened: frozenset[str]) -> tuple[frozenset[str], str]:
    """As much of ``opened`` as can be drawn, and a sentence if that is less: nobody can read too many boxes."""
    boxes = len(_diagram(report, opened).nodes)
    if boxes <= MAX_NODES:
        return opened, ""
    folded = default_open(report)
    fewer = folded if len(_diagram(report, folded).nodes) <= MAX_NODES else frozenset[str]()
    return fewer, f"{boxes:,} boxes are too many to read; at most {MAX_NODES} are drawn, so some stay folded."


def foresee(report: Report) -> None:
    """Start the layout of the first look, which the browser requests as soon as it has the network's name."""
    diagram = _diagram(report, default_open(report))
    if len(diagram.nodes) <= MAX_NODES:
        start_dot(to_dot(diagram))


@bridge.answers(NodeRequest)
def describe(request: NodeRequest) -> dict[str, Any]:
    """-> ``{"html"}`` of the inspector."""
    report, opened = request.report, request.opened
    node = _described(report, opened, request.node)
    return {"html": inspector(report, node, _diagram(report, opened).owners) if node else empty(report)}


def _described(report: Report, opened: frozenset[str], node_id: str) -> Node | None:
    """The box of that name. An opened block has a box when it is folded; an addition inside a folded block has none, so
    it is the block."""
    for name in (node_id, node_id.partition(":")[0]):
        if node := _diagram(report, opened).node(name) or _diagram(report, opened - {name}).node(name):
            return node
    return None


@bridge.answers(SearchRequest)
def search(request: SearchRequest) -> dict[str, Any]:
    """-> ``{"ids", "noun", "words"}`` of what the text means or is part of (``terms.Found``)."""
    return asdict(terms.search(report_of(request.query), request.text[:100]))


@bridge.answers(TintRequest)
def tint(request: TintRequest) -> dict[str, Any]:
    """-> ``{"shares", "words", "scale"}``, or ``{"progress", "waits"}``.

    Gradients are measured while the browser keeps asking: ``progress`` is the batches done and their number,
    ``waits`` a sentence while other work comes first.
    """
    report, measure, probe = request.report, Measure(request.by), None
    if measure is Measure.GRADIENT:
        if report.spec is None:
            raise DiagramError("Gradients are measured only in networks of the builder, and an ONNX file is shown.")
        running = gradients(report.spec)
        if isinstance(running.result, Exception):
            raise running.result
        if running.result is None:
            return {"progress": running.progress, "waits": running.waits}
        probe = running.result
    return asdict(tinted(report, _diagram(report, request.opened), measure, probe))


def _opened(report: Report, asked: frozenset[str] | Literal["all"] | None) -> frozenset[str]:
    """Ids of what is open, for what ``Open`` may be."""
    if asked == "all":
        return everything(report)
    return default_open(report) if asked is None else asked


# Reports are shared per spec, so their identity is a sound key.
@lru_cache(maxsize=32)
def _diagram(report: Report, opened: frozenset[str]) -> Diagram:
    return build_diagram(report, opened)
