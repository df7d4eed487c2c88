"""The glossary behind "?": search, keys, addresses, and the place of every term."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from explorer.views.kit.glossary import TERMS
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Glossary and keys")


def test_it_opens_by_key_and_button_with_the_keys_beside_it(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("?")
    expect(dialog(page)).to_contain_text("along the main path")
    expect(dialog(page).get_by_role("status")).to_have_text(f"{len(TERMS)} terms")
    expect(page.get_by_label("Find a term")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    button = page.get_by_role("button", name="Glossary and keyboard shortcuts")
    button.click()
    dialog(page).get_by_role("button", name="Close").click()
    expect(dialog(page)).to_be_hidden()
    expect(button).to_be_focused()


def test_a_synonym_finds_its_term(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("?")
    page.get_by_label("Find a term").fill("fan-out")
    expect(dialog(page).locator("article:visible h5")).to_have_text(["He initialisation"])
    expect(dialog(page).get_by_role("status")).to_have_text(f"1 of {len(TERMS)}")


def test_an_address_opens_a_term_and_closing_forgets_it(open_page: Open) -> None:
    page = open_page("?help=degradation")
    expect(page.locator("#term-degradation")).to_be_focused()
    expect(page.locator("#term-degradation")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "help" not in url)


def test_a_network_that_changes_to_show_a_term_comes_back(open_page: Open) -> None:
    page = open_page("?preset=resnet50&help=shape-mismatch")
    page.get_by_role("button", name="Show it: Shape mismatch").click()
    expect(page.locator("g.node.selected")).to_have_attribute("id", "layer2.0:add")
    expect(page.locator("g.node.selected")).to_have_class(re.compile("broken"))
    expect(page.get_by_text("The network was changed to show: Shape mismatch.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("g.node.merge.broken")).to_have_count(0)


# The boxes of all terms are found in tests/views/glossary; here one for each kind of network is enough.
PLACES = list({term.show.place or term.show.network: term for term in TERMS}.values())


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_every_place_is_led_to(open_page: Open, half: int) -> None:
    page = open_page()
    page.keyboard.press("?")
    expect(dialog(page).locator("article")).to_have_count(len(TERMS))
    page.keyboard.press("Escape")
    for term in PLACES[half::2]:
        page.get_by_role("button", name="Glossary and keyboard shortcuts").click()
        page.get_by_role("button", name=f"Show it: {term.name}", exact=True).click()
        expect(dialog(page)).to_be_hidden()
        if term.show.at:
            selected = page.locator(f'#graph .selected[id$="{term.show.at}"]')
            expect(selected).to_be_in_viewport()
        else:
            expect(page.locator(term.show.place)).to_be_in_viewport()


def test_a_place_of_another_tab_opens_that_tab_and_its_fold(open_page: Open) -> None:
    page = open_page("?help=momentum")
    page.get_by_role("button", name="Show it: Momentum", exact=True).click()
    expect(page.get_by_label("Momentum", exact=True)).to_be_focused()
    page.wait_for_url(re.compile("tab=training"))


def test_on_a_phone_a_field_of_the_builder_is_shown_in_its_drawer(open_page: Open) -> None:
    page = open_page("?help=normalisation", width=390, height=844)
    page.get_by_role("button", name="Show it: Normalisation", exact=True).click()
    expect(page.locator("#field-norm")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
