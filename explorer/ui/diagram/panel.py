"""The diagram and its inspector as one Gradio component; pictures and texts come from two server functions."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import gradio as gr

from ...errors import DiagramError
from ...inspection import Report
from ...spec import to_query
from ...views.diagram.dot import to_dot
from ...views.diagram.model import MAX_NODES, Diagram, Node, build_diagram, default_open, everything, locate
from ...views.diagram.svg import paint, sentence, start_dot
from ...views.diagram.tint import Measure
from ...views.diagram.tint import tint as tinted
from ...views.inspector.panel import empty, inspector
from ...views.kit.markup import banner, tag, text
from .. import builder
from ..kit.bridge import error_message
from ..kit.model_files import report_of
from ..kit.style import script
from .tint import gradients

MAX_OPEN = 2500
MAX_NAME = 300

_MEASURES = "".join(tag("option", text(measure.label), value=measure.value) for measure in Measure)
_TEMPLATE = f"""
<div class="rx-graph">
  <div class="rx-stage">
    <div class="rx-canvas" tabindex="-1"></div>
    <div class="rx-foot">
    <div class="rx-legend" aria-label="Legend">
      <span class="main">main path</span><span class="identity">identity</span>
      <span class="projection">projection</span><span class="zero_pad">zero-pad</span>
      <span class="broken">does not fit</span>
    </div>
    <div class="rx-tools" role="toolbar" aria-label="Diagram">
      <button type="button" data-tool="in" title="Zoom in" aria-label="Zoom in">+</button>
      <button type="button" data-tool="out" title="Zoom out" aria-label="Zoom out">−</button>
      <button type="button" data-tool="actual" title="Actual size">100 %</button>
      <button type="button" data-tool="fit" title="Fit the width">Fit</button>
      <button type="button" data-tool="whole" title="The whole network">Whole</button>
      <button type="button" data-tool="open" title="Open every block">Expand</button>
      <button type="button" data-tool="fold" title="Fold everything back">Fold</button>
    </div>
    </div>
    <div class="rx-tint">
      <label><select aria-label="Tint the boxes by">
        <option value="">no tint</option>
        {_MEASURES}
      </select></label>
      <span class="rx-scale" role="status"></span>
    </div>
    <form class="rx-search" role="search">
      <input type="search" placeholder="Find a layer, type or shape" aria-label="Find in the diagram"
        title="/ to search">
      <span class="rx-count" aria-live="polite"></span>
    </form>
    <div class="rx-failure" role="alert" hidden></div>
    <div class="rx-notice" role="status" hidden></div>
  </div>
  <aside class="rx-inspector" aria-label="Inspector"></aside>
</div>
"""


def graph_panel() -> gr.HTML:
    """Empty until the page's load event names a network, so that only what the program understood is ever drawn.

    A factory, not a subclass: subclassing a component makes Gradio write a stub file beside the module."""
    return gr.HTML(
        value="",
        query=None,
        html_template=_TEMPLATE,
        js_on_load=script("diagram/viewport.js", "diagram/tint.js", "diagram/diagram.js", "inspector/inspector.js"),
        server_functions=[draw, describe, search, tint],
        apply_default_css=False,
        elem_id="graph",
        padding=False,
    )


def draw(request: Any) -> str:
    """Browser's ``{"query", "open", "find"}`` -> JSON ``{"svg", "open", "found", "edges", "notice", "query"}`` or
    ``{"error"}``.

    In the browser's, ``fields`` may stand for ``query``: the builder's, as ``builder.read`` takes them. ``open``: ids,
    null for the first look, ``"all"`` for everything. ``find``: a name to open the diagram for. ``notice``: why less is
    open than was asked for.
    """
    try:
        request = _with_query(request)
        report, opened = _parse(request)
        opened, found = locate(report, opened, str(request.get("find") or "")[:MAX_NAME])
        opened, notice = _readable(report, opened)
        diagram = _diagram(report, opened)
        edges = [(e.source, e.target, e.role) for e in diagram.edges]
        answer = {"svg": paint(diagram), "open": sorted(opened), "found": found, "edges": edges, "notice": notice}
        return json.dumps({**answer, "query": request["query"]})
    except Exception as error:
        return json.dumps({"error": error_message(error)})


def _readable(report: Report, opened: frozenset[str]) -> tuple[frozenset[str], str]:
    """What can be open of ``opened``, and a sentence if that is less: too many boxes are no picture any more."""
    boxes = len(_diagram(report, opened).nodes)
    if boxes <= MAX_NODES:
        return opened, ""
    folded = default_open(report)
    fewer = folded if len(_diagram(report, folded).nodes) <= MAX_NODES else frozenset[str]()
    return fewer, f"{boxes:,} boxes are too many to read; at most {MAX_NODES} are drawn, so some stay folded."


def foresee(report: Report) -> None:
    """Start the layout of the first look, which the browser asks for as soon as it hears of the network."""
    diagram = _diagram(report, default_open(report))
    if len(diagram.nodes) <= MAX_NODES:
        start_dot(to_dot(diagram))


def describe(request: Any) -> str:
    """Browser's ``{"query", "open", "node"}`` -> HTML of the inspector."""
    try:
        report, opened = _parse(request)
        node_id = str(request.get("node"))[:MAX_NAME]
        node = _described(report, opened, node_id)
        return inspector(report, node, _diagram(report, opened).owners) if node else empty(report)
    except Exception as error:
        return banner(error_message(error))


def _described(report: Report, opened: frozenset[str], node_id: str) -> Node | None:
    """The box of that name. What was opened is none any more, folded back it is; where a sum is gone, its block."""
    for name in (node_id, node_id.partition(":")[0]):
        if node := _diagram(report, opened).node(name) or _diagram(report, opened - {name}).node(name):
            return node
    return None


def search(request: Any) -> str:
    """Browser's ``{"query", "text"}`` -> JSON list of ids whose name, type or shape holds the text; at most 500."""
    try:
        report, _ = _parse(request)
        # No keyboard has the × of 256×14×14.
        wanted = re.sub(r"(?<=\d)[x*](?=\d|$)", "×", str(request.get("text"))[:100].casefold().strip())
        nodes = _diagram(report, everything(report)).nodes if wanted else ()
        return json.dumps([n.id for n in nodes if wanted in f"{n.id} {sentence(n)}".casefold()][:500])
    except Exception as error:
        error_message(error)
        return "[]"


def tint(request: Any) -> str:
    """Browser's ``{"query", "open", "by"}`` -> JSON ``{"shares", "words", "scale"}``, ``{"progress"}``, ``{"error"}``.

    Gradients are measured while the browser keeps asking: ``progress`` is batches done and batches in all,
    ``waits`` a sentence while other work comes first.
    """
    try:
        report, opened = _parse(request)
        measure, probe = Measure(request.get("by")), None
        if measure is Measure.GRADIENT:
            if report.spec is None:
                raise DiagramError("An ONNX file is shown; gradients are measured in networks of the builder.")
            running = gradients(report.spec)
            if isinstance(running.result, Exception):
                raise running.result
            if running.result is None:
                return json.dumps({"progress": running.progress, "waits": running.waits})
            probe = running.result
        return json.dumps(asdict(tinted(report, _diagram(report, opened), measure, probe)))
    except Exception as error:
        return json.dumps({"error": error_message(error)})


def _with_query(request: Any) -> Any:
    """The request with its network's query, where it came as the builder's fields."""
    fields = request.get("fields") if isinstance(request, dict) else None
    if not isinstance(fields, list):
        return request
    if len(fields) != len(builder.CONTROLS):
        raise DiagramError("A network is expected.")
    return {**request, "query": to_query(builder.read(fields))}


def _parse(request: Any) -> tuple[Report, frozenset[str]]:
    """Whatever a browser sent -> a report and what is open in it."""
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        raise DiagramError("A network is expected.")
    report, opened = report_of(request["query"]), request.get("open")
    if opened == "all":
        return report, everything(report)
    if not isinstance(opened, list):
        return report, default_open(report)
    return report, frozenset(name[:MAX_NAME] for name in opened[:MAX_OPEN] if isinstance(name, str))


# Reports are shared per spec, so their identity is a sound key.
@lru_cache(maxsize=32)
def _diagram(report: Report, opened: frozenset[str]) -> Diagram:
    return build_diagram(report, opened)
