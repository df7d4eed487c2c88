"""The diagram and its inspector as one Gradio component; pictures and texts come from two server functions."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import gradio as gr

from ..errors import DiagramError, ExplorerError
from ..inspection import Report, inspect
from ..spec import from_query
from ..views.diagram import Diagram, build_diagram, default_open
from ..views.inspector import empty, inspector
from ..views.svg import render
from .style import ASSETS

MAX_OPEN = 1500

_TEMPLATE = """
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
      <button type="button" data-tool="fit" title="Fit width" aria-label="Fit width">Fit</button>
      <button type="button" data-tool="whole" title="Whole network" aria-label="Whole network">Whole</button>
      <button type="button" data-tool="fold" title="Fold everything back" aria-label="Fold back">Fold</button>
    </div>
    </div>
    <div class="rx-failure" role="alert" hidden></div>
  </div>
  <aside class="rx-inspector" aria-live="polite" aria-label="Inspector"></aside>
</div>
"""


def graph_panel(query: str) -> gr.HTML:
    """A factory, not a subclass: subclassing a component makes Gradio write a stub file beside the module."""
    return gr.HTML(
        value="",
        query=query,
        html_template=_TEMPLATE,
        js_on_load=(ASSETS / "graph.js").read_text(),
        server_functions=[draw, describe],
        apply_default_css=False,
        elem_id="graph",
        padding=False,
    )


def draw(request: Any) -> str:
    """Browser's ``{"query", "open"}`` -> JSON ``{"svg", "open"}`` or ``{"error"}``; ``open`` null: the first look."""
    try:
        report, opened = _parse(request)
        return json.dumps({"svg": _svg(report, opened), "open": sorted(opened)})
    except ExplorerError as error:
        return json.dumps({"error": str(error)})


def describe(request: Any) -> str:
    """Browser's ``{"query", "open", "node"}`` -> HTML of the inspector."""
    try:
        report, opened = _parse(request)
        node_id = str(request.get("node"))[:300]
        # What was opened is no box any more; folded back it is.
        node = _diagram(report, opened).node(node_id) or _diagram(report, opened - {node_id}).node(node_id)
    except ExplorerError:
        return empty()
    return inspector(report, node) if node else empty()


def _parse(request: Any) -> tuple[Report, frozenset[str]]:
    """Whatever a browser sent -> a report and what is open in it."""
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        raise DiagramError("A network is expected.")
    report, opened = inspect(from_query(request["query"])), request.get("open")
    if not isinstance(opened, list):
        return report, default_open(report)
    return report, frozenset(name[:200] for name in opened[:MAX_OPEN] if isinstance(name, str))


# Reports are frozen and shared per spec, so their identity is a sound key.
@lru_cache(maxsize=128)
def _diagram(report: Report, opened: frozenset[str]) -> Diagram:
    return build_diagram(report, opened)


@lru_cache(maxsize=128)
def _svg(report: Report, opened: frozenset[str]) -> str:
    return render(report, opened)
