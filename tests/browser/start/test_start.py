"""The card of the first look: what it starts, where it leaves the diagram, and that it stays away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def test_the_three_things_to_try_are_done_on_the_page(open_page: Open) -> None:
    page = open_page()
    card = page.get_by_role("region", name="Start here")
    card.get_by_role("button", name="Break the shortcuts").click()
    expect(page.locator("#summary")).to_contain_text("3 of 8 shortcuts do not match")
    expect(page.locator("g.node.selected")).to_have_attribute("id", "layer2.0:add")
    expect(page.locator("g.node.selected")).to_be_in_viewport()
    expect(page.get_by_label("Inspector")).to_contain_text("RuntimeError: The size of tensor a (28) must match")
    card.get_by_role("button", name="Walk me through the blocks").click()
    expect(page.get_by_label("Walk through the network")).to_contain_text("1 of 7")
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Classify a photo").click()
    expect(page.get_by_role("tab", name="Classify")).to_have_attribute("aria-selected", "true")


def test_dismissed_it_stays_away(open_page: Open) -> None:
    page = open_page()
    card = page.get_by_role("region", name="Start here")
    expect(card).to_be_visible()
    card.get_by_role("button", name="Dismiss").click()
    expect(card).to_be_hidden()
    page.reload()
    page.wait_for_selector("#graph svg g.node")
    expect(card).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_the_diagram_is_on_the_first_screen_with_and_without_it(open_page: Open, width: int, height: int) -> None:
    page = open_page(width=width, height=height)
    bottom = "document.querySelector('#graph .rx-stage').getBoundingClientRect().bottom"
    # Only the edge below the toolbar may be outside.
    assert page.evaluate(bottom) <= height + 8
    before = page.evaluate("document.querySelector('#graph .rx-stage').clientHeight")
    page.get_by_role("button", name="Dismiss").click()
    assert page.evaluate("document.querySelector('#graph .rx-stage').clientHeight") > before
    assert page.evaluate(bottom) <= height + 8


def test_a_phone_has_no_sideways_scrolling(open_page: Open) -> None:
    page = open_page(width=390, height=844)
    expect(page.get_by_role("region", name="Start here")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert re.search("residual network", page.locator(".rx-start").inner_text())
