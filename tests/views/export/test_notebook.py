"""A report in a notebook's output."""

from __future__ import annotations

import re
from html import unescape

from explorer.inspection import inspect
from explorer.views.diagram.model import default_open
from explorer.views.export.notebook import report_frame
from explorer.views.export.report_html import report_html


def test_a_notebook_shows_the_report_in_a_frame_without_scripts() -> None:
    report = inspect("cifar_resnet20")
    found = re.fullmatch(
        r'<iframe sandbox srcdoc="([^"]*)" title="Report on CIFAR ResNet-20" style="[^"]*"></iframe>',
        report_frame(report),
        re.DOTALL,
    )
    assert found
    assert unescape(found[1]) == report_html(report, default_open(report))
    assert report._repr_html_() == report_frame(report)
    assert "<script" not in found[1]
