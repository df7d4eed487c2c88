"""Two networks beside each other, done by clicking: one moves, opens and selects, and so does the other."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def compare(page: Page) -> tuple[Locator, Locator]:
    """Open the tab; the two diagrams."""
    page.get_by_role("tab", name="Compare").click()
    sides = page.get_by_role("region", name="This network"), page.get_by_role("region", name="Second network")
    for side in sides:
        expect(side.locator("svg g.node").first).to_be_visible()
    return sides


def box(side: Locator, name: str) -> Locator:
    return side.locator(f'g[id="{name}"]')


def place(side: Locator, name: str) -> tuple[float, float]:
    """Of a box within its frame, px: centre from the left and from the top."""
    found, frame = box(side, name).bounding_box(), side.locator(".rx-canvas").bounding_box()
    assert found is not None
    assert frame is not None
    return found["x"] + found["width"] / 2 - frame["x"], found["y"] + found["height"] / 2 - frame["y"]


def scale(side: Locator) -> float:
    """Drawing units a pixel."""
    width = side.locator(".rx-canvas").bounding_box()
    view = side.locator(".rx-canvas svg").get_attribute("viewBox")
    assert width is not None
    assert view is not None
    return float(view.split()[2]) / width["width"]


def test_the_difference_is_said_and_marked_on_both_sides(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    left, right = compare(page)
    expect(page.get_by_label("The difference in words")).to_contain_text(
        "Stage 3: 6 → 23 blocks; +19.0 M parameters, +3.71 GMACs; receptive field 427 → 971 px"
    )
    for side, name in ((left, "layer3.1-5"), (right, "layer3.1-22")):
        expect(side.locator("g.node.differs")).to_have_count(2)
        expect(box(side, name)).to_have_class(re.compile("differs"))
        expect(box(side, name).locator(".rx-badge")).to_have_text("≠")


def test_structure_comes_before_the_costs_and_marks_look_different(open_page: Open) -> None:
    page = open_page("?preset=resnet34&with=resnet50")
    compare(page)
    words = page.get_by_label("The difference in words")
    expect(words.locator("p").first).to_have_text(
        "16 blocks in both; block outputs are four times wider in ResNet-50. From 256 to 256 channels, a basic block "
        "(two 3×3 convolutions) has 1.18 M parameters, and a bottleneck (1×1, 3×3, 1×1, with 64 channels inside) has "
        "69.6 k: 16.9 times fewer, and MACs likewise. ResNet-50 has more parameters all the same: its block outputs "
        "are four times wider."
    )
    style = "(sign, part) => getComputedStyle(sign, '::before').borderTopStyle"
    legend = page.locator(".rx-pair .rx-legend")
    assert legend.locator(".differs").evaluate(style) == "dashed"
    assert legend.locator(".only-here").evaluate(style) == "dotted"
    dash = "box => getComputedStyle(box.querySelector('path, polygon, ellipse')).strokeDasharray"
    page.get_by_label("Compare with", exact=True).select_option("cifar_resnet20")
    page.wait_for_function("() => document.querySelector('.rx-pair g.node.only-here:not(.merge)')")
    boxes = [page.locator(f".rx-pair g.node.{mark}:not(.projection, .zero_pad)").first for mark in
             ("differs", "only-here")]  # fmt: skip
    dashes = [box.evaluate(dash) for box in boxes]
    assert "none" not in dashes
    assert dashes[0] != dashes[1]


def test_both_move_together_and_stay_beside_each_other(open_page: Open) -> None:
    page = open_page("?preset=resnet18&with=cifar_resnet20")
    left, right = compare(page)
    page.locator('tr[data-part="layer3"] button').click()
    for side in (left, right):
        canvas = side.locator(".rx-canvas")
        before = scale(side)
        canvas.hover()
        page.keyboard.down("Control")
        page.mouse.wheel(0, -300)
        page.keyboard.up("Control")
        assert scale(side) < before
        assert scale(left) == pytest.approx(scale(right), rel=1e-3)
        frame = canvas.bounding_box()
        assert frame is not None
        # What stands in the middle of the one frame stands in the middle of the other.
        for _ in range(5):
            y = frame["height"] / 2 - place(left, "layer3.0")[1]
            page.mouse.move(frame["x"] + 20, frame["y"] + frame["height"] / 2)
            page.mouse.down()
            page.mouse.move(frame["x"] + 30, frame["y"] + frame["height"] / 2 + min(max(y, -100), 100), steps=4)
            page.mouse.up()
        assert place(left, "layer3.0")[1] == pytest.approx(frame["height"] / 2, abs=3)
        assert place(right, "layer3.0")[1] == pytest.approx(frame["height"] / 2, abs=3)
        assert place(left, "input")[0] == pytest.approx(place(right, "input")[0], abs=2)


def test_selecting_one_box_selects_its_counterpart_and_tells_the_difference(open_page: Open) -> None:
    page = open_page("?preset=resnet50&with=resnet101")
    left, right = compare(page)
    box(right, "layer3.0:shortcut").focus()
    page.keyboard.press("Enter")
    for side in (left, right):
        expect(box(side, "layer3.0:shortcut")).to_have_attribute("aria-pressed", "true")
    chosen = page.locator(".rx-chosen")
    expect(chosen.locator("tr.rx-difference")).to_contain_text("=")
    page.get_by_role("button", name="Next ≠").click()
    expect(box(left, "layer3.1-5")).to_have_class(re.compile("selected"))
    expect(box(right, "layer3.1-22")).to_have_class(re.compile("selected"))
    expect(chosen.locator("tr.rx-difference")).to_contain_text("+19.0 M")
    box(left, "layer3.1-5").focus()
    page.keyboard.press("ArrowRight")
    expect(box(right, "layer3.1-22")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(box(right, "layer3.0:add")).to_be_focused()
    expect(box(left, "layer3.0:add")).to_have_class(re.compile("selected"))


def test_what_opens_on_one_side_opens_on_both_and_closes_on_both(open_page: Open) -> None:
    page = open_page("?preset=resnet50&with=resnet101")
    left, right = compare(page)
    box(left, "layer2.0").focus()
    page.keyboard.press("Enter")
    for side in (left, right):
        expect(box(side, "layer2.0.conv1")).to_have_count(1)
        expect(box(side, "group:layer2.0")).to_have_class(re.compile("selected"))
    expect(box(left, "group:layer2.0")).to_be_focused()
    expect(page.locator(".rx-chosen")).to_contain_text("layer2.0 · Bottleneck")
    box(right, "layer2.0.conv2").focus()
    page.keyboard.press("Escape")
    for side in (left, right):
        expect(box(side, "layer2.0.conv1")).to_have_count(0)
        expect(box(side, "layer2.0")).to_have_count(1)
    box(right, "layer3.1-22").focus()
    box(right, "layer3.1-22").click()
    expect(box(left, "layer3.5")).to_have_count(1)
    expect(box(right, "layer3.22")).to_have_class(re.compile("only-here"))
    page.get_by_role("button", name="Fold").last.click()
    expect(box(left, "layer3.1-5")).to_have_count(1)


def test_a_pinned_network_stays_while_the_builder_changes_and_in_the_address(open_page: Open) -> None:
    page = open_page("?preset=resnet50&shortcut=zero_pad")
    _, right = compare(page)
    words = page.get_by_label("The difference in words")
    page.get_by_role("button", name="Pin this network").click()
    expect(words).to_have_text("The two networks are equal.")
    page.get_by_label("C · project everywhere").check()
    expect(words).to_contain_text("Shortcuts: C · project everywhere → A · zero-pad")
    expect(page.locator("#summary")).to_contain_text("40.1 M params")
    expect(page.get_by_label("Compare with")).to_have_value(re.compile("shortcut=zero_pad"))
    page.wait_for_url(re.compile(r"shortcut=projection_all.*&with=.*zero_pad"))
    again = open_page("?" + page.url.partition("?")[2])
    compare(again)
    expect(again.get_by_label("The difference in words")).to_contain_text(
        "Shortcuts: C · project everywhere → A · zero-pad"
    )
    expect(right.locator("h3")).to_contain_text("ResNet-50")


def test_another_network_is_chosen_or_pasted_and_a_bad_one_is_said(open_page: Open) -> None:
    page = open_page("?with=nonsense")
    _, right = compare(page)
    note = page.locator(".rx-compare .rx-banner")
    expect(note).to_contain_text("preset: got 'nonsense'; allowed: a preset's name, a link of this page, or JSON")
    expect(right.locator("h3")).to_contain_text("ResNet-34")
    page.get_by_label("Compare with").select_option("its plain counterpart")
    expect(note).to_be_hidden()
    expect(right.locator("h3")).to_contain_text("Plain-18")
    page.wait_for_url(re.compile("with=plain"))
    pasted = page.get_by_label("Second network as a link or JSON")
    pasted.fill('{"preset": "resnet50"}')
    pasted.press("Enter")
    expect(right.locator("h3")).to_contain_text("ResNet-50")
    page.wait_for_url(re.compile("with=resnet50"))


def test_nothing_is_asked_while_the_tab_is_closed(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    page.get_by_label("50", exact=True).check()
    expect(page.locator("#summary")).to_contain_text("ResNet-50")
    expect(page.locator('#graph g[id="layer3.1-5"]')).to_have_count(1)
    assert not [body for body in asked if "draw_pair" in body]
    compare(page)
    assert [body for body in asked if "draw_pair" in body]
    expect(page.get_by_label("The difference in words")).to_contain_text("Stage 3: 6 → 23 blocks")


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_the_diagrams_stand_below_each_other(open_page: Open, dark: bool) -> None:
    page = open_page("?preset=resnet34&with=resnet50" + ("&__theme=dark" if dark else ""), width=390, height=844)
    left, right = compare(page)
    upper, lower = left.bounding_box(), right.bounding_box()
    assert upper is not None
    assert lower is not None
    assert upper["y"] + upper["height"] <= lower["y"] + 1
    assert upper["width"] > 320
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert scale(left) == pytest.approx(scale(right), rel=1e-3)
