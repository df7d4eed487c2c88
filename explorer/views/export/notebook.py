"""A report where Python shows values: in a notebook's output, and as text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ...inspection import Report
from ..diagram.model import default_open
from ..diagram.svg import render, standalone
from .report_html import report_html

HEIGHT = 560  # px of the frame in a notebook


def report_frame(report: Report) -> str:
    """The HTML report in a frame without scripts, which neither reads nor changes the notebook's own styles."""
    document = escape(report_html(report, default_open(report)))
    label = escape(f"Report on {report.name}")
    style = f"width:100%;height:{HEIGHT}px;border:1px solid #8885;border-radius:6px"
    return f'<iframe sandbox srcdoc="{document}" title="{label}" style="{style}"></iframe>'


def report_svg(report: Report, opened: Iterable[str] | None = None) -> str:
    """The diagram as an SVG file; default: with its stages open."""
    return standalone(render(report, default_open(report) if opened is None else frozenset(opened)))
