"""The pane of code as a Gradio component; nothing is in it before it is opened."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...errors import ExplorerError
from ...spec import title
from ...views.code.pane import NO_CODE, box_lines, code_html
from ...views.diagram.model import build_diagram
from ..diagram.panel import DiagramRequest
from ..kit import bridge, scripts
from ..kit.model_files import report_of
from ..kit.panel import create_panel
from ..kit.requests import NetworkRequest

_TEMPLATE = """
<section class="rx-code-pane" aria-label="PyTorch code" hidden>
  <header>
    <h3></h3>
    <button type="button" class="rx-small" data-do="copy">Copy</button>
    <button type="button" class="rx-small" data-do="close" aria-label="Close the code">✕</button>
  </header>
  <p class="rx-code-error" role="alert" hidden></p>
  <pre tabindex="-1"><code></code></pre>
</section>
"""


def code_panel() -> gr.HTML:
    """Closed at first, unless the address says otherwise; ``code.js`` moves it beside the diagram."""
    return create_panel("code", _TEMPLATE, scripts.mount("code/code.js"), [write_code, find_lines])


@bridge.answers(NetworkRequest)
def write_code(request: NetworkRequest) -> dict[str, Any]:
    """-> ``{"html", "title"}``: the file's lines and the network's name."""
    spec = report_of(request.query).spec
    if spec is None:
        raise ExplorerError(NO_CODE)
    return {"html": code_html(spec), "title": f"PyTorch code of {title(spec)}"}


@bridge.answers(DiagramRequest)
def find_lines(request: DiagramRequest) -> dict[str, Any]:
    """-> ``{"boxes", "frames"}``: id of each box and of each frame around boxes -> ``[at, line, line, …]``, as in
    ``BoxLines``."""
    diagram = build_diagram(request.report, request.opened)
    frames = {group.id for group in diagram.groups}
    answer: dict[str, dict[str, list[int]]] = {"boxes": {}, "frames": {}}
    for name, found in box_lines(request.report, diagram).items():
        answer["frames" if name in frames else "boxes"][name] = [found.at, *found.lines]
    return answer
