"""The shortcut checks and the walk: rows that are sorted and filtered in the browser, from two server functions."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...views.checks import rows
from ...views.checks.walk import walk
from ...views.export import tables
from ..kit import bridge, scripts
from ..kit.model_files import report_of
from ..kit.panel import create_panel
from ..kit.requests import NetworkRequest

_TEMPLATE = """
<div class="rx-checks">
  <div class="rx-checks-tools">
    <button type="button" class="rx-small" data-do="walk">Walk me through it</button>
    <span class="rx-fix-all"></span>
    <input type="search" placeholder="Filter" aria-label="Filter the checks">
    <label><input type="checkbox">Only mismatches</label>
    <span class="rx-of" role="status"></span>
    <button type="button" class="rx-small" data-do="copy">Copy as CSV</button>
  </div>
  <div class="rx-rows"></div>
  <section class="rx-walk" aria-label="Walk through the network" tabindex="-1" hidden>
    <header>
      <h3></h3><span></span>
      <button type="button" class="rx-small" data-do="previous" title="←">Previous</button>
      <button type="button" class="rx-small" data-do="next" title="→">Next</button>
      <button type="button" class="rx-small" data-do="done" title="Escape">Done</button>
    </header>
    <div class="rx-sentences" aria-live="polite"></div>
  </section>
</div>
"""


def checks_panel() -> gr.HTML:
    """Empty until the diagram is drawn and the panel is in view."""
    return create_panel("checks", _TEMPLATE, scripts.mount("checks/checks.js"), [list_checks, list_steps])


@bridge.answers(NetworkRequest)
def list_checks(request: NetworkRequest) -> dict[str, Any]:
    """-> ``{"rows", "all", "csv"}``.

    ``rows``, ``all``: HTML of the table and of the button that fixes everything. ``csv``: the head, then a line for
    each addition, by its row's number.
    """
    report = report_of(request.query)
    return {
        "rows": rows.checks(report, applies=True),
        "all": rows.all_button(report),
        "csv": tables.checks(report).splitlines(),
    }


@bridge.answers(NetworkRequest)
def list_steps(request: NetworkRequest) -> dict[str, Any]:
    """-> ``{"steps": [{"node", "title", "html"}]}`` of the walk."""
    report = report_of(request.query)
    return {"steps": [{"node": s.node, "title": s.title, "html": rows.stop_html(report, s)} for s in walk(report)]}
