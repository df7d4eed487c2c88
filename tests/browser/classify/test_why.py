"""Why, as a person meets it: photo, blocks, feature maps and the diagram choose each other."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def picture(colour: str) -> bytes:
    """A photo that is wider than high, with something on it."""
    image = Image.effect_noise((160, 100), 60).convert("RGB")
    image.paste(colour, (60, 30, 110, 80))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def classified(page: Page, colour: str = "teal") -> Locator:
    """The panel, once it has all it asked for."""
    tab(page, "Classify")
    page.locator("#variant input").click()
    page.get_by_role("option", name="CIFAR-10 ResNet-20 · built in").click()
    expect(page.locator("#variant-about")).to_contain_text("airplane")
    give(page, colour)
    expect(page.locator("#classify-panel .rx-answer h3")).to_be_visible()
    panel = page.get_by_role("region", name="Why", exact=True)
    panel.scroll_into_view_if_needed()
    expect(panel.locator("td.adds .rx-why-bar")).to_have_count(9)
    expect(panel.locator(".rx-why-grid img")).to_have_count(16)
    return panel


def give(page: Page, colour: str) -> None:
    file = FilePayload(name=f"{colour}.png", mimeType="image/png", buffer=picture(colour))
    page.locator("#classify-panel input[type=file]").first.set_input_files(file)


def row(panel: Locator, block: str) -> Locator:
    return panel.locator(f'tr[data-block="{block}"]')


def test_photo_blocks_and_maps_follow_each_other(open_page: Open) -> None:
    panel = classified(open_page())
    words, heat = panel.locator(".rx-why-words"), panel.locator(".rx-why-heat")
    expect(words).to_contain_text("layer3.2")  # the last block
    expect(heat).to_have_attribute("src", re.compile("^data:image/png"))
    style = panel.locator(".rx-why-crop").evaluate(
        "crop => ['left', 'width'].map(side => parseFloat(crop.style[side]))"
    )
    assert style == pytest.approx([100 * 10 / 51, 100 * 32 / 51], abs=0.01)  # of 51×32 px the middle
    row(panel, "layer2.0").get_by_role("button").click()
    expect(words).to_contain_text("layer2.0")
    expect(row(panel, "layer2.0")).to_have_class("selected")
    expect(panel.locator(".rx-why-about")).to_contain_text("16 of 32 channels, 16×16 cells each")
    panel.get_by_role("button", name="Show all 32").click()
    expect(panel.locator(".rx-why-grid img")).to_have_count(32)

    before = heat.get_attribute("src")
    channel = panel.locator(".rx-why-grid button").nth(2)
    channel.click()
    expect(channel).to_have_attribute("aria-pressed", "true")
    assert heat.get_attribute("src") == channel.locator("img").get_attribute("src") != before
    channel.click()
    expect(heat).to_have_attribute("src", str(before))

    panel.get_by_label("Layer", exact=True).select_option("layer2.0.conv1")
    expect(panel.locator(".rx-why-about")).to_contain_text("all 32 channels")
    expect(words).to_contain_text(re.compile(r"layer2\.0[ :]"))  # of the block
    panel.locator(".rx-why-crop").focus()
    panel.page.keyboard.press("ArrowDown")
    expect(panel.locator(".rx-why-about")).to_contain_text("the strongest at the marked place first")
    panel.page.keyboard.press("Escape")
    expect(panel.locator(".rx-why-about")).to_contain_text("the strongest first")


def test_blocks_are_switched_off_and_on(open_page: Open) -> None:
    panel = classified(open_page())
    answers = panel.locator(".rx-why-answers section")
    expect(answers).to_have_count(1)
    whole = answers.first.inner_text()
    row(panel, "layer1.1").get_by_role("switch").uncheck()
    expect(answers.last).to_contain_text("1 block off")
    panel.locator("tr", has=panel.page.locator("[data-stage=layer3]")).get_by_role("button").click()
    expect(answers.last).to_contain_text("4 blocks off")
    expect(row(panel, "layer3.1").get_by_role("switch")).not_to_be_checked()
    expect(answers.locator(".mark", has_text=re.compile("▲|▼|new|out"))).not_to_have_count(0)
    panel.get_by_role("button", name="Switch all on").click()
    expect(answers).to_have_count(1)
    assert answers.first.inner_text() == whole
    expect(panel.get_by_role("switch", checked=True)).to_have_count(9)


def test_what_switching_off_does_is_beside_what_a_block_adds(open_page: Open) -> None:
    panel = classified(open_page())
    strongest = re.compile(r"^(The probability of “.+” depends most on layer\d\.\d|No single block)")
    expect(panel.locator(".rx-why-found")).to_contain_text(strongest)
    expect(panel.locator(".rx-why-found")).to_contain_text("survives switching off")
    cells = panel.locator("td.without .num")
    expect(cells).to_have_count(9)
    said = row(panel, "layer2.1").locator("td.without .num").inner_text()
    row(panel, "layer2.1").get_by_role("switch").uncheck()
    name = panel.get_by_label("Class to explain").evaluate("select => select.selectedOptions[0].text")
    without = panel.locator(".rx-why-answers section").last
    expect(without).to_contain_text("1 block off")
    lines = without.locator(".rx-bars").inner_text().split("\n")
    if name in lines:  # it may have left the first five
        share = lines[lines.index(name) + 1]
        assert said.rpartition("→ ")[2] == share, "measured at once and by really switching it off"
    panel.get_by_text("What is a logit?").click()
    expect(panel.get_by_text("The network's raw score for a class.")).to_be_visible()
    assert re.fullmatch(r"channel \d+", panel.locator(".rx-why-grid button").first.inner_text())


def test_of_quick_clicks_the_last_is_answered(open_page: Open) -> None:
    panel = classified(open_page())
    for _ in range(3):
        for block in ("layer1.0", "layer3.1", "layer2.2", "layer1.2"):
            row(panel, block).get_by_role("button").click()
            row(panel, block).get_by_role("switch").click()
    expect(panel.locator(".rx-why-words")).to_contain_text("layer1.2")
    expect(panel.locator(".rx-why-about")).to_contain_text("all 16 channels, 32×32")
    expect(panel.locator(".rx-why-answers section").last).to_contain_text("4 blocks off")
    panel.get_by_label("Class to explain").select_option(index=3)
    panel.get_by_label("Class to explain").select_option(index=1)
    name = panel.get_by_label("Class to explain").evaluate("select => select.selectedOptions[0].text")
    expect(panel.locator(".rx-why-words")).to_contain_text(f"“{name}”")
    expect(panel.locator("th.adds")).to_have_text(f"Adds to the logit of “{name}”")
    expect(panel.locator("td.adds .rx-why-bar")).to_have_count(9)


def test_another_photo_keeps_what_is_chosen(open_page: Open) -> None:
    page = open_page()
    panel = classified(page)
    row(panel, "layer2.1").get_by_role("button").click()
    row(panel, "layer2.2").get_by_role("switch").uncheck()
    expect(panel.locator(".rx-why-answers section")).to_have_count(2)
    shown = panel.get_by_alt_text("Your photo").get_attribute("src")
    give(page, "crimson")
    expect(panel.get_by_alt_text("Your photo")).not_to_have_attribute("src", str(shown))
    expect(panel.locator(".rx-why-words")).to_contain_text("layer2.1")
    expect(row(panel, "layer2.2").get_by_role("switch")).not_to_be_checked()
    expect(panel.locator(".rx-why-answers section").last).to_contain_text("1 block off")


def test_the_diagram_and_the_blocks_select_each_other(open_page: Open) -> None:
    page = open_page()
    panel = classified(page)
    panel.get_by_role("button", name="Show this network in the diagram").click()
    page.wait_for_url(re.compile("preset=cifar_resnet20"))
    expect(page.get_by_role("tab", name="Architecture")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#graph svg g.node").first).to_be_visible()
    tab(page, "Classify")
    expect(panel.get_by_role("button", name="Find layer3.2 in the diagram")).to_be_visible()
    row(panel, "layer2.1").get_by_role("button").click()
    page.wait_for_url(re.compile("at=layer2.1"))
    page.locator("#graph svg").first.evaluate("svg => { svg.dataset.before = 'true'; }")
    panel.get_by_role("button", name="Find layer2.1 in the diagram").click()
    expect(page.locator("#graph svg[data-before]")).to_have_count(0)  # it is drawn again
    inside = """() => {
      const box = document.querySelector('#graph g.selected')?.getBoundingClientRect();
      const frame = document.querySelector('#graph .rx-canvas').getBoundingClientRect();
      return box && box.height && box.top >= frame.top && box.bottom <= frame.bottom;
    }"""
    page.wait_for_function(inside)
    page.locator('#graph g[id="layer3.0:add"]').focus()  # which brings it in
    page.locator('#graph g[id="layer3.0:add"]').click()
    page.wait_for_url(re.compile("at=layer3.0"))
    tab(page, "Classify")
    panel.scroll_into_view_if_needed()
    expect(row(panel, "layer3.0")).to_have_class("selected")
    expect(panel.locator(".rx-why-words")).to_contain_text("layer3.0")


def test_a_phone_has_no_sideways_scrolling(open_page: Open) -> None:
    page = open_page(width=390, height=844, dark=True)
    panel = classified(page)
    row(panel, "layer2.1").get_by_role("switch").uncheck()
    expect(panel.locator(".rx-why-answers section")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
