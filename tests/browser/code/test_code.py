"""The code beside the diagram: lines and boxes light one another, and what is copied runs by itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open, choose_preset

pytestmark = pytest.mark.browser


def pane(page: Page) -> Locator:
    return page.get_by_role("region", name="PyTorch code")


def line(page: Page, words: str) -> Locator:
    return pane(page).locator(".rx-line", has_text=words).first


def box(page: Page, name: str) -> Locator:
    return page.locator(f'#graph g[id="{name}"]')


def test_nothing_of_it_is_there_before_it_is_opened(open_page: Open) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    expect(pane(page)).to_be_hidden()
    assert page.locator(".rx-line").count() == 0
    page.get_by_role("button", name="Code", exact=True).click()
    expect(line(page, "class BasicBlock(nn.Module):")).to_have_count(1)
    assert sum("write_code" in data for data in asked) == 1
    expect(pane(page).get_by_role("heading")).to_have_text("PyTorch code of ResNet-18")
    expect(line(page, "def projection(")).to_have_count(1)
    expect(line(page, "class BasicBlock(nn.Module):")).to_be_in_viewport()
    stage, code = page.locator(".rx-stage").bounding_box(), pane(page).bounding_box()
    assert stage
    assert code
    assert code["x"] > stage["x"] + stage["width"]
    assert code["width"] > 500
    page.wait_for_url(re.compile("code=1"))
    page.get_by_role("button", name="Close the code").click()
    expect(pane(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Code", exact=True)).to_have_attribute("aria-pressed", "false")


def test_a_box_lights_its_lines_and_brings_them_into_view(open_page: Open) -> None:
    page = open_page("?preset=resnet50&code=1&open=layer1+layer2+layer2.0&at=layer2.0.conv2")
    made = line(page, "self.conv2 = nn.Conv2d(width, width, 3")
    expect(made).to_have_class(re.compile("selected"))
    expect(made).to_be_in_viewport()
    expect(line(page, "self.bn2(self.conv2(out))")).to_have_class(re.compile("selected"))
    expect(line(page, "self.conv1 = nn.Conv2d(in_channels")).not_to_have_class(re.compile("selected"))
    box(page, "layer2.0.bn1").hover()
    expect(line(page, "self.bn1 = nn.BatchNorm2d(width)")).to_have_class(re.compile("lit"))
    box(page, "layer2.0.conv1").click()
    expect(line(page, "self.conv1 = nn.Conv2d(in_channels")).to_have_class(re.compile("selected"))


def test_a_line_lights_its_boxes_and_a_click_selects_one(open_page: Open) -> None:
    page = open_page("?code=1")
    line(page, "self.conv2 = nn.Conv2d(channels").hover()
    expect(page.locator("#graph g.lit")).to_have_count(8)
    expect(box(page, "layer2.0")).to_have_class(re.compile("lit"))
    expect(box(page, "stem")).not_to_have_class(re.compile("lit"))
    line(page, "x = self.layer3(x)").hover()
    expect(page.locator("#graph g.lit")).to_have_attribute("id", "group:layer3")
    line(page, "return self.fc(x)").click()
    expect(box(page, "head")).to_have_class(re.compile("selected"))
    expect(box(page, "head")).to_be_in_viewport()
    expect(page.get_by_label("Inspector")).to_contain_text("head")


def test_lines_are_walked_by_keyboard(open_page: Open) -> None:
    page = open_page("?code=1")
    expect(line(page, "nn.Conv2d(in_channels, out_channels, 1")).to_have_attribute("tabindex", "0")
    page.get_by_role("button", name="Close the code").focus()
    page.keyboard.press("Tab")
    expect(line(page, "nn.Conv2d(in_channels, out_channels, 1")).to_be_focused()
    expect(box(page, "layer2.0:shortcut")).to_have_class(re.compile("lit"))
    page.keyboard.press("ArrowDown")
    expect(line(page, "nn.BatchNorm2d(out_channels)")).to_be_focused()
    page.keyboard.press("Enter")
    expect(box(page, "layer2.0:shortcut")).to_have_class(re.compile("selected"))


def test_the_inspector_leads_to_the_whole_file(open_page: Open) -> None:
    page = open_page("?at=layer2.0")
    page.get_by_role("button", name="In the whole file").click()
    head = line(page, "class BasicBlock(nn.Module):")
    expect(head).to_be_in_viewport()
    expect(head).to_have_class(re.compile("selected"))


def test_it_follows_the_network_and_what_is_open(open_page: Open) -> None:
    page = open_page("?code=1")
    expect(pane(page)).to_contain_text("class BasicBlock")
    choose_preset(page, "ResNet-50")
    expect(pane(page).get_by_role("heading")).to_have_text("PyTorch code of ResNet-50")
    expect(pane(page)).to_contain_text("class Bottleneck")
    line(page, "self.conv2 = nn.Conv2d(width").hover()
    expect(box(page, "layer2.0")).to_have_class(re.compile("lit"))
    box(page, "layer2.0").focus()  # which brings it in
    box(page, "layer2.0").click()
    expect(box(page, "layer2.0.conv2")).to_have_count(1)
    line(page, "self.conv2 = nn.Conv2d(width").hover()
    expect(box(page, "layer2.0.conv2")).to_have_class(re.compile("lit"))
    expect(box(page, "layer2.0.conv1")).not_to_have_class(re.compile("lit"))


@pytest.mark.parametrize("query", ["?preset=cifar_resnet20&code=1", "?block=preact_basic&norm=group&code=1"])
def test_what_is_copied_runs_by_itself(open_page: Open, tmp_path: Path, query: str) -> None:
    page = open_page(query)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(pane(page)).to_contain_text("class ResNet")
    pane(page).get_by_role("button", name="Copy").click()
    expect(pane(page).get_by_role("button", name="Copied")).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")
    names: dict[str, Any] = {"__name__": "copied"}
    exec(compile(text, "copied.py", "exec"), names)
    model = names["build"]().eval()
    side, classes = (32, 10) if "cifar" in query else (224, 1000)
    with torch.inference_mode():
        assert model(torch.randn(1, 3, side, side)).shape == (1, classes)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    figure = page.locator("#summary [data-term=parameter]")
    expect(figure).to_have_attribute("data-exact", f"{parameters:,} parameters")
    file = tmp_path / "copied.py"
    file.write_text(text)
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=120, check=True)
    assert f"parameters: {parameters}" in done.stdout


def test_on_a_phone_it_is_as_wide_as_the_page_below_the_diagram(open_page: Open) -> None:
    page = open_page("?code=1&at=layer2.0", width=390, height=844)
    expect(line(page, "class BasicBlock(nn.Module):")).to_have_class(re.compile("selected"))
    stage, code = page.locator(".rx-stage").bounding_box(), pane(page).bounding_box()
    assert stage
    assert code
    assert code["y"] >= stage["y"] + stage["height"]
    assert abs(code["width"] - stage["width"]) < 2
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    button = page.get_by_role("button", name="Code", exact=True).bounding_box()
    assert button
    assert button["x"] + button["width"] <= 390
