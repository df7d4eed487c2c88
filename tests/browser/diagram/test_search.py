"""The diagram's search box: names, shapes and the field's words."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def test_search_finds_what_is_folded_away_and_shows_it(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Find in the diagram")
    expect(field).to_be_focused()
    field.fill("layer3.4.conv2")
    expect(page.locator(".rx-count")).to_contain_text("1 found")
    field.press("Enter")
    expect(page.locator('g[id="layer3.4.conv2"]')).to_have_class(re.compile("selected"))
    expect(page.locator(".rx-count")).to_have_text("1 of 1")
    expect(page.get_by_label("Inspector")).to_contain_text("589,824")
    field.fill("no such thing")
    expect(page.locator(".rx-count")).to_have_text("nothing found; try shortcut, projection, stem")


def test_search_goes_to_the_next_and_back(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    page.keyboard.press("Control+f")
    field = page.get_by_role("searchbox", name="Find in the diagram")
    expect(field).to_be_focused()
    count = page.locator("#graph .rx-count")
    field.fill("conv, 512")
    expect(count).to_contain_text("5 found")
    field.press("Enter")
    expect(count).to_have_text("1 of 5")
    field.press("Enter")
    expect(count).to_have_text("2 of 5")
    field.press("Shift+Enter")
    expect(count).to_have_text("1 of 5")
    expect(page.locator("#graph g.selected")).to_have_attribute("aria-label", re.compile("conv, 512"))
    field.press("Escape")
    expect(field).to_have_value("")


def test_a_word_of_the_field_finds_what_it_means_and_enter_shows_each(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    field, count = page.get_by_role("searchbox", name="Find in the diagram"), page.locator("#graph .rx-count")
    field.fill("skip connection")
    expect(count).to_have_text("8 shortcuts, Enter shows them")
    for number, block in enumerate(("layer1.0", "layer1.1", "layer2.0"), start=1):
        field.press("Enter")
        expect(count).to_have_text(f"{number} of 8 shortcuts")
        expect(page.locator("#graph g.selected")).to_have_attribute("id", f"{block}:add")
    field.fill("classifier")
    expect(count).to_have_text("1 classifier, Enter shows it")
    field.fill("bottleneck")
    expect(count).to_have_text("no bottleneck blocks in this network; try shortcut, projection, stem")


def test_the_search_is_about_the_network_that_is_drawn(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    page.get_by_role("searchbox", name="Find in the diagram").fill("projection")
    count = page.locator("#graph .rx-count")
    expect(count).to_have_text("3 projections, Enter shows them")
    page.get_by_role("radio", name="C · project everywhere").check()
    expect(count).to_have_text("8 projections, Enter shows them")
