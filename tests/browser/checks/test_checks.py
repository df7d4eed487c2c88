"""The shortcut checks in the page: rows, fixes and the way back, the walk, and what the options cost."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def broken(page: Page, count: int) -> None:
    """As many rows do not match, and the summary and the diagram agree."""
    page.locator("#checks").scroll_into_view_if_needed()
    expect(page.locator("#checks tbody tr.broken")).to_have_count(count)
    expect(page.locator("g.node.merge.broken")).to_have_count(count)
    words = f"{count} of 8 shortcuts do" if count else "8 of 8 shortcuts match"
    expect(page.locator("#summary")).to_contain_text(words)


def blocks(page: Page) -> list[str]:
    return page.locator("#checks tbody tr:visible td:nth-child(2)").all_inner_texts()


def test_a_fix_is_applied_and_undone(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Identity only").check()
    broken(page, 3)
    row = page.locator('#checks tr[data-node="layer2.0:add"]')
    row.get_by_role("button", name="A · zero-pad, +0 parameters").click()
    expect(page.locator(".rx-said")).to_have_text("layer2.0 now has A · zero-pad.")
    broken(page, 2)
    page.wait_for_url(re.compile("layer2.0%3Azero_pad"))
    expect(page.locator("g.node.selected")).to_have_count(0)  # the button is not the row

    page.get_by_role("button", name="Undo").click()
    broken(page, 3)
    page.wait_for_url(re.compile(r"\?shortcut=identity$"))
    page.keyboard.press("Control+Shift+z")
    broken(page, 2)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")  # before the fix, and before the choice
    broken(page, 0)
    expect(page.get_by_label("B · project on change")).to_be_checked()
    page.keyboard.press("Control+z")  # there is nothing before
    broken(page, 0)


def test_all_are_fixed_at_once_and_a_new_choice_ends_the_way_forward(open_page: Open) -> None:
    page = open_page("?shortcut=identity")
    page.locator("#checks").scroll_into_view_if_needed()
    page.get_by_role("button", name="Fix all 3 at the least cost, +0 parameters").click()
    expect(page.locator(".rx-said")).to_have_text("3 shortcuts fixed, +0 parameters.")
    broken(page, 0)
    expect(page.locator(".rx-fix-all")).to_be_empty()
    page.get_by_role("button", name="Undo").click()
    broken(page, 3)
    page.get_by_label("C · project everywhere").check()
    broken(page, 0)
    expect(page.locator(".rx-said")).to_be_empty()
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+z")
    broken(page, 3)


def test_who_types_keeps_the_fields_own_undo(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Identity only").check()
    broken(page, 3)
    page.get_by_label("Filter the checks").fill("layer")
    page.keyboard.press("Control+z")
    page.get_by_label("Only mismatches").focus()
    broken(page, 3)
    page.keyboard.press("Control+z")
    broken(page, 0)


def test_rows_sort_and_filter_in_the_browser(open_page: Open) -> None:
    page = open_page("?shortcut=identity")
    page.locator("#checks").scroll_into_view_if_needed()
    count = page.locator(".rx-of")
    expect(count).to_have_text("8 of 8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Only mismatches").check()
    expect(count).to_have_text("3 of 8")
    assert blocks(page) == ["layer2.0", "layer3.0", "layer4.0"]
    head = page.get_by_role("columnheader", name="Branch F(x)")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert blocks(page) == ["layer4.0", "layer3.0", "layer2.0"]
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert blocks(page) == ["layer2.0", "layer3.0", "layer4.0"]
    page.get_by_label("Only mismatches").uncheck()
    page.get_by_label("Filter the checks").fill("LAYER3")
    expect(count).to_have_text("2 of 8")
    assert blocks(page) == ["layer3.0", "layer3.1"]
    assert asked == []


def test_the_shown_rows_are_copied_as_csv(open_page: Open) -> None:
    page = open_page("?shortcut=identity")
    page.locator("#checks").scroll_into_view_if_needed()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_label("Filter the checks").fill("layer3")
    page.get_by_role("button", name="Copy as CSV").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert [line.split(",")[0] for line in lines] == ["block", "layer3.0", "layer3.1"]
    assert lines[2].startswith("layer3.1,match,identity,256x14x14,256x14x14,")


def test_a_sum_in_the_diagram_marks_its_row(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    page.locator("#checks").scroll_into_view_if_needed()
    expect(page.locator("#checks tbody tr")).to_have_count(16)
    page.locator('g[id="layer2.0:add"]').focus()  # which brings it in
    page.locator('g[id="layer2.0:add"]').click()
    expect(page.locator("#checks tr.selected")).to_have_attribute("data-node", "layer2.0:add")
    page.locator('#checks tr[data-node="layer4.0:add"]').click()
    expect(page.locator("g.node.selected")).to_have_attribute("id", "layer4.0:add")
    expect(page.locator("#checks tr.selected")).to_have_attribute("data-node", "layer4.0:add")


def test_the_walk_goes_from_sum_to_sum(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    walk, selected = page.get_by_label("Walk through the network"), page.locator("g.node.selected")
    page.get_by_role("button", name="Walk me through it").click()
    expect(walk).to_contain_text("1 of 8")
    expect(selected).to_have_attribute("id", "layer1.0:add")
    expect(walk.get_by_role("button", name="Previous")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(walk.get_by_role("heading")).to_have_text("layer1.1–layer1.2: two equal blocks")
    expect(selected).to_have_attribute("id", "layer1.1:add")
    for _ in range(6):
        walk.get_by_role("button", name="Next").click()
    expect(walk).to_contain_text("8 of 8")
    expect(walk).to_contain_text("The receptive field grows from 299 to 427 px over all of them.")
    expect(selected).to_have_attribute("id", "layer4.1:add")
    inside = """() => {
      const box = document.querySelector('g.node.selected').getBoundingClientRect();
      const frame = document.querySelector('#graph .rx-canvas').getBoundingClientRect();
      return box.top >= frame.top && box.bottom <= frame.bottom;
    }"""
    page.wait_for_function(inside)  # not under the panel
    page.keyboard.press("ArrowLeft")
    expect(walk).to_contain_text("7 of 8")
    page.keyboard.press("Escape")
    expect(walk).to_be_hidden()
    expect(page.get_by_role("button", name="Walk me through it")).to_be_focused()


def test_the_walk_follows_the_network(open_page: Open) -> None:
    page = open_page("?shortcut=identity")
    walk = page.get_by_label("Walk through the network")
    page.get_by_role("button", name="Walk me through it").click()
    expect(walk).to_contain_text("1 of 7")
    page.keyboard.press("ArrowRight")
    expect(walk).to_contain_text("nothing adapts x, so the two cannot be added")
    walk.get_by_role("button", name="B · 1×1 projection, +8,448 parameters, +6.42 MMACs").click()
    expect(walk).to_contain_text("the shortcut projects x (1×1 conv, 128, stride 2; 8,448 parameters)")
    page.get_by_label("None (plain)").check()
    expect(walk).to_contain_text("1 of 1")  # the block that was fixed has a shortcut of its own


def test_a_plain_network_has_nothing_to_check_and_nowhere_to_walk(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Walk me through it").click()
    walk = page.get_by_label("Walk through the network")
    expect(walk).to_contain_text("1 of 7")
    page.get_by_label("None (plain)").check()
    expect(walk).to_be_hidden()
    expect(page.locator("#checks .rx-checks")).to_have_class(
        re.compile(r"\bstale\b")
    )  # out of view: still the old rows
    page.locator("#checks .rx-rows").scroll_into_view_if_needed()
    expect(page.locator("#checks")).to_contain_text("there is nothing to check")
    expect(page.locator("#checks .rx-checks")).not_to_have_class(re.compile(r"\bstale\b"))
    expect(page.get_by_role("button", name="Walk me through it")).to_be_hidden()


def test_what_the_options_cost_is_asked_for_when_it_is_looked_at(open_page: Open) -> None:
    page = open_page("?preset=resnet34")
    table = page.locator("#cost-table")
    page.get_by_role("tab", name="What A, B and C cost").click()
    expect(table).to_contain_text("21.8 M")
    expect(table).to_contain_text("24.19 %")
    expect(page.locator("#cost-plot .js-plotly-plot")).to_contain_text("Saved for backward")
    expect(table.get_by_role("row", name="B · project on change")).to_contain_text("current")
    table.get_by_role("button", name="Use A · zero-pad").click()
    expect(table.get_by_role("row", name="A · zero-pad")).to_contain_text("current")
    expect(page.locator("g.node.zero_pad")).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(table.get_by_role("row", name="B · project on change")).to_contain_text("current")


def test_a_phone_has_no_sideways_scrolling(open_page: Open) -> None:
    page = open_page("?shortcut=identity", width=390, height=844)
    page.locator("#checks").scroll_into_view_if_needed()
    expect(page.locator("#checks tbody tr.broken")).to_have_count(3)
    page.get_by_role("button", name="Walk me through it").click()
    expect(page.get_by_label("Walk through the network")).to_contain_text("1 of 7")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="What A, B and C cost").click()
    expect(page.locator("#cost-table")).to_contain_text("Error of ResNet-34")
    page.locator("#cost-plot").scroll_into_view_if_needed()
    expect(page.locator("#cost-plot .js-plotly-plot")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_row_says_what_happens_to_x_and_what_pytorch_raises(open_page: Open) -> None:
    page = open_page("?shortcut_overrides=layer2.0:identity")
    page.locator("#checks").scroll_into_view_if_needed()
    row = page.locator('#checks tr[data-node="layer2.0:add"] td')
    expect(row.nth(3)).to_have_text("64×56×56")
    expect(row.last).to_contain_text("layer2.0: channels 64 → 128, map 56×56 → 28×28")
    expect(row.last).to_contain_text(
        "RuntimeError: The size of tensor a (28) must match the size of tensor b (56) at non-singleton dimension 3"
    )
    other = page.locator('#checks tr[data-node="layer3.0:add"] td')
    expect(other.last).to_contain_text("Channels 128 → 256, map 28×28 → 14×14: the shortcut projects x")
    expect(page.locator("#checks td.cause p:empty")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 1024])
def test_every_column_and_button_of_the_tables_is_in_view(open_page: Open, width: int) -> None:
    page = open_page("?shortcut=identity", width=width)
    page.locator("#checks").scroll_into_view_if_needed()
    expect(page.locator("#checks tbody tr")).to_have_count(8)
    hidden = "selector => { const box = document.querySelector(selector); return box.scrollWidth - box.clientWidth; }"
    assert page.evaluate(hidden, "#checks .rx-scroll") == 0
    page.get_by_role("tab", name="What A, B and C cost").click()
    expect(page.locator("#cost-table .rx-fix").first).to_be_visible()
    assert page.evaluate(hidden, "#cost-table .rx-scroll") == 0
