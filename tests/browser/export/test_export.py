"""Taking things away by clicking: every file of the menu, the link, and the report from a disk."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import onnx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from explorer.spec import PRESETS, from_json
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def take(page: Page, item: str) -> bytes:
    """The file that the menu's ``item`` downloads."""
    menu = page.get_by_role("dialog", name="Export")
    if not menu.is_visible():
        page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        menu.get_by_role("button", name=re.compile(f"^{item}")).click()
    expect(menu.get_by_role("status")).to_contain_text(waiting.value.suggested_filename)
    return Path(waiting.value.path()).read_bytes()


def test_the_diagram_is_taken_as_it_is_open(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    page.locator('#graph g[id="layer2.0"]').focus()  # which brings it in
    page.locator('#graph g[id="layer2.0"]').click()
    expect(page.locator('#graph g[id="layer2.0.conv1"]')).to_have_count(1)
    drawing = ET.fromstring(take(page, "SVG"))
    words = "".join(drawing.itertext())
    assert "3×3 conv, 128, stride 2" in words
    assert "layer3.0" in words
    assert Image.open(io.BytesIO(take(page, "PNG"))).size[0] > 500
    assert take(page, "PDF").startswith(b"%PDF-")


def test_the_network_and_its_tables_are_taken(open_page: Open) -> None:
    page = open_page("?preset=cifar_resnet20")
    assert from_json(take(page, "JSON").decode()) == PRESETS["cifar_resnet20"]
    assert "class ResNet(nn.Module)" in take(page, "PyTorch").decode()
    for item, rows in (("Layers", 70), ("Shortcut checks", 9), ("Cost by stage", 3)):
        table = list(csv.DictReader(io.StringIO(take(page, item).decode("utf-8-sig"))))
        assert len(table) >= rows
    model = onnx.load_from_string(take(page, "ONNX"))
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["image", "logits"]


def test_the_report_works_from_a_disk_and_asks_nobody(open_page: Open, browser: Browser, tmp_path: Path) -> None:
    page = open_page("?preset=resnet50&shortcut=identity")
    report = tmp_path / "report.html"
    report.write_bytes(take(page, "Report"))
    requests: list[str] = []
    errors: list[str] = []
    alone = browser.new_page(offline=True)
    alone.on("request", lambda request: requests.append(request.url))
    alone.on("pageerror", lambda error: errors.append(str(error)))
    alone.goto(report.as_uri())
    expect(alone.locator("svg")).to_be_visible()
    expect(alone.locator("body")).to_contain_text("4 of 16 shortcuts do not match")
    expect(alone.locator("body")).to_contain_text("The branch gives 512×28×28, the shortcut 256×56×56.")
    alone.close()
    assert requests == [report.as_uri()]
    assert errors == []


def test_a_link_holds_what_is_shown(open_page: Open, browser: Browser) -> None:
    page = open_page("?preset=resnet34&open=layer2&tint=params")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    other = open_page("?" + copied.partition("?")[2])
    expect(other.locator("#summary")).to_contain_text("ResNet-34")
    expect(other.locator('#graph g[id="group:layer2"]')).to_have_count(1)
    expect(other.locator('#graph g[id="group:layer1"]')).to_have_count(0)
    expect(other.get_by_label("Tint the boxes by")).to_have_value("params")


def test_a_spec_is_json_that_reads_back(open_page: Open) -> None:
    page = open_page("?preset=resnet50&groups=32&width_per_group=4&shortcut_overrides=layer2.0:zero_pad")
    assert json.loads(take(page, "JSON"))["shortcut_overrides"] == {"layer2.0": "zero_pad"}
