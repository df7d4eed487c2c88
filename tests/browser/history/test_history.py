"""Undo and Redo in the header: always there, enabled when there is a step, for every change of the builder."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, choose_preset

pytestmark = pytest.mark.browser


def steps(page: Page, undo: bool, redo: bool) -> None:
    """Which of the two buttons are enabled."""
    expect(page.get_by_role("button", name="Undo")).to_be_enabled(enabled=undo)
    expect(page.get_by_role("button", name="Redo")).to_be_enabled(enabled=redo)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844)])
def test_the_buttons_are_in_view_and_say_their_keys(open_page: Open, width: int, height: int) -> None:
    page = open_page(width=width, height=height)
    steps(page, undo=False, redo=False)
    for name, keys in (("Undo", "Undo (Ctrl Z)"), ("Redo", "Redo (Ctrl Shift Z)")):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_in_viewport(ratio=1)
        expect(button).to_have_attribute("title", keys)


def test_every_kind_of_change_is_undone_and_redone(open_page: Open) -> None:
    page = open_page()
    summary, undo, redo = page.locator("#summary"), *(page.get_by_role("button", name=n) for n in ("Undo", "Redo"))
    choose_preset(page, "ResNet-50")
    expect(summary).to_contain_text("25.6 M params")
    page.get_by_label("34", exact=True).check()
    expect(summary).to_contain_text("21.8 M params")
    page.get_by_role("button", name="More").click()
    page.get_by_label("Classes", exact=True).fill("10")
    page.get_by_label("Classes", exact=True).press("Enter")
    expect(summary).to_contain_text("21.3 M params")
    page.get_by_label("None (plain)").check()
    expect(summary).to_contain_text("Plain-34")
    steps(page, undo=True, redo=False)
    for words in ("21.3 M params", "21.8 M params", "25.6 M params", "11.7 M params"):
        undo.click()
        expect(summary).to_contain_text(words)
        expect(page.locator(".rx-said")).to_have_text("Undone.")
    steps(page, undo=False, redo=True)
    expect(page.get_by_label("Classes", exact=True)).to_have_value("1000")
    for words in ("25.6 M params", "21.8 M params"):
        redo.click()
        expect(summary).to_contain_text(words)
    steps(page, undo=True, redo=True)


def test_a_value_that_is_refused_is_undone_too(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="More").click()
    groups = page.get_by_label("Groups of the 3×3")
    steps(page, undo=False, redo=False)
    groups.fill("32")
    groups.press("Enter")
    expect(page.locator("#message")).to_contain_text("groups")
    steps(page, undo=True, redo=False)
    page.get_by_role("button", name="Undo").click()
    expect(groups).to_have_value("1")
    expect(page.locator("#message .rx-banner")).to_have_count(0)
    steps(page, undo=False, redo=False)
    expect(page.locator("#summary")).to_contain_text("ResNet-18")


def test_a_message_covers_neither_rows_nor_the_diagrams_buttons(open_page: Open) -> None:
    page = open_page("?shortcut=identity")
    page.locator("#checks").scroll_into_view_if_needed()
    page.get_by_role("button", name="Fix all 3 at the least cost, +0 parameters").click()
    said = page.locator(".rx-said")
    expect(said).to_have_text("3 shortcuts fixed, +0 parameters.")
    assert said.evaluate("element => element.closest('#top') !== null")
    box = said.bounding_box()
    assert box
    inside = page.locator("#top").bounding_box()
    assert inside
    assert inside["y"] <= box["y"]
    assert box["y"] + box["height"] <= inside["y"] + inside["height"]
    expect(page.locator("#summary")).to_contain_text("8 of 8 shortcuts match")


def test_blocks_with_their_own_shortcut_are_named_and_follow_the_mode_again(open_page: Open) -> None:
    page = open_page("?shortcut=identity")
    note = page.locator("#override-note")
    expect(note).to_be_hidden()
    page.locator("#checks").scroll_into_view_if_needed()
    page.get_by_role("button", name="Fix all 3 at the least cost, +0 parameters").click()
    expect(note).to_contain_text(
        "3 blocks have their own shortcut instead of this mode: layer2.0, layer3.0, layer4.0 (A · zero-pad)."
    )
    note.get_by_role("button", name="Clear").click()
    expect(note).to_be_hidden()
    expect(page.locator("#summary")).to_contain_text("3 of 8 shortcuts do not match")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#summary")).to_contain_text("8 of 8 shortcuts match")
    expect(note).to_contain_text("layer2.0, layer3.0, layer4.0")


def test_a_block_type_that_changes_the_depth_says_so(open_page: Open) -> None:
    page = open_page("?preset=resnet34")
    page.get_by_label("Bottleneck", exact=True).check()
    expect(page.locator("#summary")).to_contain_text("ResNet-50")
    expect(page.locator("#depth-note")).to_have_text(
        "Depths 34 and 50 have the same stages, 3-4-6-3: basic blocks make it 34, bottleneck blocks make it 50."
    )
    page.get_by_label("18", exact=True).check()
    expect(page.locator("#depth-note")).to_be_hidden()
