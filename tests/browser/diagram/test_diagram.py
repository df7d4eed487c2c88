"""The diagram: levels, walking by keyboard, selection, tint and quick choices."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, choose_preset
from tests.browser.diagram.picture import middle, tool
from tests.support.held_requests import HeldRequests, calls

pytestmark = pytest.mark.browser


def test_blocks_open_and_close_in_place_by_mouse_and_by_keyboard(open_page: Open) -> None:
    page = open_page()
    block = page.locator('g[id="layer2.0"]')
    block.focus()
    before = middle(page.locator('g[id="stem"]'))
    page.keyboard.press("Enter")
    conv = page.locator('g[id="layer2.0.conv1"]')
    expect(conv).to_have_attribute("aria-label", re.compile("3×3 conv, 128, stride 2"))
    frame = page.locator('g[id="group:layer2.0"]')
    assert middle(page.locator('g[id="stem"]'))[0] == pytest.approx(before[0], abs=1), "the main path does not move"
    assert "open=" in page.url
    expect(page.get_by_label("Inspector")).to_contain_text("layer2.0")
    conv.click()
    expect(page.get_by_label("Inspector")).to_contain_text("73,728")
    frame.focus()
    page.keyboard.press("Enter")
    expect(conv).to_have_count(0)


def test_arrow_keys_walk_the_main_path_and_the_shortcut(open_page: Open) -> None:
    page = open_page()
    page.locator('g[id="stem"]').focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator('g[id="layer1.0"]')).to_be_focused()
    for following in ("layer1.0:add", "layer1.1", "layer1.1:add"):
        page.keyboard.press("ArrowDown")
        expect(page.locator(f'g[id="{following}"]')).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator('g[id="layer2.0:shortcut"]')).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator('g[id="layer2.0:add"]')).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator('g[id="layer2.0"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('g[id="group:layer2.0"]')).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator('g[id="layer2.0.conv1"]')).to_have_count(0)


def test_escape_folds_the_block_around_also_in_a_run_that_is_open(open_page: Open) -> None:
    page = open_page("?preset=resnet50&open=layer3+layer3.1-5+layer3.1&at=layer3.1.conv1")
    conv = page.locator('g[id="layer3.1.conv1"]')
    conv.focus()
    page.keyboard.press("Escape")
    expect(conv).to_have_count(0)
    expect(page.locator('g[id="layer3.1"]')).to_be_focused()
    expect(page.locator('g[id="layer3.5"]')).to_have_count(1)


def test_a_click_beside_the_drawing_and_escape_outside_of_blocks_select_nothing(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    words, frame = page.get_by_label("Inspector"), page.locator("#graph .rx-canvas").bounding_box()
    assert frame is not None
    page.locator('g[id="layer2.0:add"]').focus()  # which brings it in
    page.locator('g[id="layer2.0:add"]').click()
    expect(words).to_contain_text("layer2.0 · addition")
    page.locator('g[id="input"]').focus()
    page.locator("#graph g.edge text").first.click()
    expect(page.locator("#graph g.selected")).to_have_attribute("id", "layer2.0:add")
    page.mouse.click(frame["x"] + 8, frame["y"] + frame["height"] / 2)
    expect(words).to_contain_text("Click a box to see its shapes")
    expect(page.locator("#graph g.selected")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("at="))
    page.locator('g[id="stem"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#graph g.selected")).to_have_attribute("id", "stem")
    page.keyboard.press("Escape")
    expect(words).to_contain_text("Click a box to see its shapes")


def test_everything_opens_and_folds_back(open_page: Open) -> None:
    page = open_page()
    tool(page, "Expand").click()
    expect(page.locator('g[id="layer4.1.bn2"]')).to_have_count(1)
    tool(page, "Fold").click()
    expect(page.locator('g[id="layer4.1.bn2"]')).to_have_count(0)
    expect(page.locator('g[id="layer4.1"]')).to_have_count(1)
    choose_preset(page, "CIFAR ResNet-1202")
    expect(page.locator("#summary")).to_contain_text("600 of 600 shortcuts match")
    tool(page, "Expand").click()
    expect(page.locator("#graph .rx-notice")).to_contain_text("are too many to read; at most 700 are drawn")
    # It stays usable: what fits opens.
    page.locator('g[id="layer1.0-199"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator('g[id="layer1.0"]')).to_have_count(1)
    expect(page.locator("#graph .rx-notice")).to_be_hidden()
    page.locator('g[id="layer2.1-199"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#graph .rx-notice")).to_contain_text("too many to read")
    expect(page.locator('g[id="layer1.0"]')).to_have_count(1)


def test_a_row_of_the_layer_table_is_reached_by_keyboard_and_shows_its_layer(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Layers").click()
    page.get_by_role("button", name="layer3.0.downsample.0", exact=False).focus()
    page.keyboard.press("Enter")
    expect(page.locator('g[id="layer3.0.downsample.0"]')).to_have_class(re.compile("selected"))
    page.get_by_role("button", name="fc", exact=True).click()
    expect(page.locator('g[id="fc"]')).to_have_class(re.compile("selected"))


def test_a_row_of_the_checks_selects_its_sum_in_the_diagram(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    page.locator("#checks").scroll_into_view_if_needed()
    page.locator('#checks tr[data-node="layer3.4:add"]').click()
    expect(page.locator('g[id="layer3.4:add"]')).to_have_class(re.compile("selected"))
    expect(page.get_by_label("Inspector")).to_contain_text("layer3.4: branch and shortcut both give 1024×14×14.")


@pytest.mark.parametrize(
    ("by", "words", "spoken"),
    [
        ("parameters", "0 … 4.72 M parameters", "4.72 M parameters"),
        ("multiply-adds", "0 … 231 MMACs", "MACs"),
        ("activation memory", "MiB of activations", "of activations"),
        ("gradient norm", "‖∂L/∂W‖", "‖∂L/∂W‖"),
    ],
)
def test_the_tint_is_seen_read_and_kept(open_page: Open, by: str, words: str, spoken: str) -> None:
    page = open_page("?preset=resnet18")
    page.get_by_label("Tint the boxes by").select_option(label=by)
    expect(page.locator("#graph .rx-scale")).to_contain_text(words)
    tinted = page.locator("#graph g.node.tinted")
    last = page.locator('#graph g[id="layer4.1"]')
    expect(last).to_have_attribute("aria-label", re.compile(re.escape(spoken)))
    expect(last.locator(".rx-bar-share")).to_have_count(1)
    page.reload()
    expect(page.locator("#graph .rx-scale")).to_contain_text(words)
    page.get_by_label("Tint the boxes by").select_option(label="no tint")
    expect(tinted).to_have_count(0)
    expect(last).not_to_have_attribute("aria-label", re.compile(re.escape(spoken)))
    assert "tint=" not in page.url


def test_quick_choices_end_at_the_last_one(open_page: Open) -> None:
    page = open_page()
    for depth in ("50", "101", "152", "34"):
        page.get_by_role("radio", name=depth, exact=True).check(force=True)
    expect(page.locator("#summary")).to_contain_text("ResNet-34")
    expect(page.locator("#graph .rx-canvas")).to_have_attribute(
        "data-query", re.compile("preset=resnet34|depths=3%2C4%2C6%2C3$")
    )
    expect(page.locator('#graph g[id="layer3.1-5"]')).to_have_attribute(
        "aria-label", re.compile("5 equal blocks, each with its own shortcut")
    )
    page.get_by_role("tab", name="Layers").click()
    expect(page.locator("#layers")).to_contain_text("layer3.5.bn2")


def test_the_last_choice_stands_though_its_drawing_comes_first(open_page: Open) -> None:
    page = open_page()
    held = HeldRequests(page, calls("draw"))
    for depth in ("50", "101", "34"):
        with page.expect_request(calls("draw")):
            page.get_by_role("radio", name=depth, exact=True).check(force=True)
    for route in reversed(held.release()):
        with page.expect_response(lambda answer, sent=route.request: answer.request == sent):  # type: ignore[misc]
            route.continue_()
    expect(page.locator("#summary")).to_contain_text("ResNet-34")
    expect(page.locator("#graph .rx-canvas")).to_have_attribute("data-query", re.compile("resnet34|C3$"))


def test_a_folded_repeat_shows_one_shortcut_of_each_block_and_opens_by_a_click_on_its_frame(open_page: Open) -> None:
    page = open_page("?preset=resnet34")
    frame = page.locator('#graph g.repeat[data-box="layer1.0-2"]')
    assert frame.locator("text").all_text_contents() == ["× 3", "3 shortcuts"]
    box = page.locator('#graph g[id="layer1.0-2"]')
    expect(box).to_have_attribute("aria-label", re.compile("3 equal blocks, each with its own shortcut"))
    assert page.locator('#graph g[id="layer1.0:add"] text').all_text_contents() == ["+", "3 ✓"]
    frame.locator("text").first.click()
    expect(page.locator('#graph g.node[id="layer1.2"]')).to_have_count(1)
    expect(frame).to_have_count(0)


def test_while_an_amount_is_measured_the_one_before_is_grey_and_named(open_page: Open) -> None:
    page = open_page("?preset=resnet18&tint=params")
    canvas, scale = page.locator("#graph .rx-canvas"), page.locator("#graph .rx-scale")
    expect(scale).to_have_text("0 … 4.72 M parameters")
    held = HeldRequests(page, calls("tint"))
    page.get_by_label("Tint the boxes by").select_option(label="gradient norm")
    expect(scale).to_have_text("Measuring gradient norm … (grey: parameters)")
    expect(canvas).to_have_class(re.compile("outdated"))
    for route in held.release():
        route.continue_()
    expect(scale).to_contain_text("‖∂L/∂W‖")
    expect(canvas).not_to_have_class(re.compile("outdated"))


def test_the_inspector_is_grey_until_it_describes_the_network_that_is_drawn(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    words = page.get_by_label("Inspector")
    expect(words).to_contain_text("11,689,512")
    held = HeldRequests(page, calls("describe"))
    page.get_by_role("radio", name="C · project everywhere").check()
    expect(words).to_have_class(re.compile("outdated"))
    for route in held.release():
        route.continue_()
    expect(words).not_to_have_class(re.compile("outdated"))
    expect(words).not_to_contain_text("11,689,512")
