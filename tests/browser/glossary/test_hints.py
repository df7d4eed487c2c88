"""Hints: by pointer, by keyboard and by touch, on terms and on the builder's options."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from explorer.views.kit.glossary.options import LABELS
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def box(page: Page) -> Locator:
    return page.get_by_role("group", name="Explanation")


def test_pointing_at_a_choice_explains_it_beside_the_builder(open_page: Open) -> None:
    page = open_page()
    page.locator("#field-block label", has_text="Pre-act basic").hover()
    expect(box(page)).to_contain_text("normalisation and activation before each convolution")
    place, builder = box(page).bounding_box(), page.locator("#builder").bounding_box()
    assert place
    assert builder
    assert place["x"] >= builder["x"] + builder["width"]
    page.locator("#field-shortcut").get_by_text("Shortcut mode").hover()
    expect(box(page)).to_contain_text("How x reaches the residual addition")
    page.mouse.move(900, 500)
    expect(box(page)).to_be_hidden()


def test_every_choice_of_the_builder_and_every_field_has_a_hint(open_page: Open) -> None:
    """The names that the page shows are those that the hints are found by."""
    page = open_page()
    page.get_by_role("button", name="More").click()
    anchors = page.locator("#builder fieldset label, #builder [data-testid=block-info], #builder .label-text")
    assert anchors.count() > 50
    for anchor in anchors.all():
        anchor.dispatch_event("pointerover", {"pointerType": "mouse", "bubbles": True})
        name = anchor.inner_text().strip()
        number = name.isdigit()  # a depth
        expect(box(page).locator("strong")).to_have_text(f"Depth {name}" if number else name)


def test_every_other_label_with_a_hint_is_on_the_page(open_page: Open) -> None:
    page = open_page("?tab=training")
    labels = page.locator("[data-testid=block-info], .label-text").all_text_contents()
    assert {label.strip() for label in labels} >= LABELS.keys()
    page.get_by_text("Learning rate", exact=True).first.hover()
    expect(box(page)).to_contain_text("The length of each step.")


def test_the_keyboard_reads_hints_of_choices_and_presets(open_page: Open) -> None:
    page = open_page()
    page.locator("#field-block input").first.focus()
    page.keyboard.press("Tab")
    chosen = page.get_by_label("Bottleneck", exact=True)
    expect(box(page).locator("strong")).to_have_text("Bottleneck")
    expect(chosen).to_have_attribute("aria-describedby", "rx-hint-words")
    page.keyboard.press("Escape")
    expect(box(page)).to_be_hidden()
    expect(chosen).not_to_have_attribute("aria-describedby", "rx-hint-words")

    page.get_by_label("Preset").focus()
    page.keyboard.press("ArrowDown")
    expect(box(page).locator("strong")).to_have_text("ResNet-34")


def test_a_figure_explains_itself_and_leads_on(open_page: Open) -> None:
    page = open_page()
    figure = page.locator("#summary").get_by_role("button", name="1.81 GMACs")
    figure.click()
    expect(box(page)).to_contain_text("1,814,073,344 multiply-adds for one image")
    expect(box(page)).to_contain_text("One multiplication and one addition.")
    expect(figure).to_have_attribute("aria-expanded", "true")
    figure.click()
    expect(box(page)).to_be_hidden()
    page.keyboard.press("Enter")
    expect(box(page)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="In the glossary")).to_be_focused()
    page.keyboard.press("Escape")
    expect(figure).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="In the glossary").click()
    expect(page.locator("#term-mac")).to_be_focused()


def test_a_hint_in_the_inspector_selects_nothing_else(open_page: Open) -> None:
    page = open_page("?at=layer2.0")
    page.get_by_label("Inspector").get_by_role("button", name="Saved for backward").click()
    expect(box(page)).to_contain_text("the backward pass reads them again")
    expect(page.locator("g.node.selected")).to_have_attribute("id", "layer2.0")


def test_a_tap_explains_and_chooses(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#graph svg g.node")
    page.get_by_role("button", name="Builder").tap()
    page.get_by_label("Bottleneck", exact=True).tap()
    expect(box(page).locator("strong")).to_have_text("Bottleneck")
    expect(page.locator("#summary")).to_contain_text("ResNet-26")
    place = box(page).bounding_box()
    assert place
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 390
    page.locator("#field-shortcut").get_by_text("Shortcut mode").tap()
    expect(box(page).locator("strong")).to_have_text("Shortcut mode")
    context.close()


def test_nothing_is_fetched_and_no_box_exists_before_a_hint_is_wanted(open_page: Open) -> None:
    page = open_page()
    fetched = "performance.getEntriesByType('resource').filter(e => e.name.includes('/glossary-')).length"
    assert page.evaluate(fetched) == 0
    assert page.locator("#rx-hint-box").count() == 0
    for name in ("18 weighted layers", "RF 435 px"):
        page.locator("#summary").get_by_role("button", name=name).click()
        expect(box(page)).to_be_visible()
    assert page.evaluate(fetched) == 1
    assert page.locator("#rx-hint-box").count() == 1


def test_the_heads_of_tables_explain_themselves(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Shortcut checks").scroll_into_view_if_needed()  # they wait to be seen
    page.get_by_role("columnheader", name="Branch F(x)").click()  # scrolls there, which would close a hint
    page.mouse.move(0, 0)
    page.get_by_role("columnheader", name="Branch F(x)").hover()
    expect(box(page).locator("strong")).to_have_text("Branch")
    page.get_by_role("tab", name="Layers").click()
    page.keyboard.press("Tab")
    page.get_by_role("columnheader", name="MACs").focus()
    expect(box(page).locator("strong")).to_have_text("MAC")
