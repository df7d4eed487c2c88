"""The inspector in the page: its links, its copy button, and a block's own shortcut."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def overrides(page: Page) -> str:
    return page.get_by_label("Shortcuts of single blocks").input_value()


def test_a_block_gets_a_shortcut_of_its_own_and_gives_it_back(open_page: Open) -> None:
    page = open_page("?at=layer2.0:add")
    inspector, summary = page.get_by_label("Inspector"), page.locator("#summary")
    choice = page.get_by_label("Shortcut of this block")
    expect(inspector).to_contain_text("layer2.0: branch and shortcut both give 128×28×28.")
    expect(choice).to_have_value("as-network")

    choice.select_option("identity")
    expect(summary).to_contain_text("1 of 8 shortcuts does not match")
    expect(page.locator("g.node.merge.broken")).to_have_attribute("id", "layer2.0:add")
    expect(page.locator("g.node.selected")).to_have_attribute("id", "layer2.0:add")
    expect(inspector).to_contain_text("the branch gives 128×28×28, the shortcut 64×56×56")
    expect(choice).to_have_value("identity")
    page.get_by_role("button", name="More").click()
    assert overrides(page) == "layer2.0:identity"
    page.wait_for_url(re.compile("shortcut_overrides"))

    choice.select_option("none")  # the sum goes; its block stays selected in its stead
    expect(summary).to_contain_text("7 of 7 shortcuts match")
    expect(inspector).to_contain_text("No shortcut: a block of a plain network.")
    choice.select_option("as-network")
    expect(summary).to_contain_text("8 of 8 shortcuts match")
    expect(page.locator("g.node.merge.broken")).to_have_count(0)
    expect(inspector).to_contain_text("layer2.0: branch and shortcut both give 128×28×28.")
    assert overrides(page) == ""


def test_a_run_changes_as_one_and_other_overrides_stay(open_page: Open) -> None:
    page = open_page("?preset=resnet50&shortcut_overrides=layer4.0:identity&at=layer3.1-5")
    choice = page.get_by_label("Shortcut of these 5 blocks")
    choice.select_option("projection_all")
    expect(page.locator('g[id="layer3.1:shortcut"]')).to_have_count(1)
    expect(choice).to_have_value("projection_all")
    page.get_by_role("button", name="More").click()
    blocks = [f"layer3.{i}:projection_all" for i in range(1, 6)]
    assert overrides(page) == ", ".join([*blocks, "layer4.0:identity"])
    choice.select_option("as-network")
    expect(page.locator('g[id="layer3.1:shortcut"]')).to_have_count(0)
    assert overrides(page) == "layer4.0:identity"


def test_links_lead_into_the_diagram(open_page: Open) -> None:
    page = open_page("?at=layer2.0")
    inspector = page.get_by_label("Inspector")
    inspector.get_by_role("button", name="layer2.0.conv2", exact=True).click()
    expect(page.locator("g.node.selected")).to_have_attribute("id", "layer2.0.conv2")
    expect(inspector).to_contain_text("3 × 3 × 128 × 128 × 28 × 28 = 115,605,504")
    inspector.get_by_role("button", name="layer2.0.bn2", exact=True).click()
    expect(page.locator("g.node.selected")).to_have_attribute("id", "layer2.0.bn2")


def test_the_lines_are_copied(open_page: Open) -> None:
    page = open_page("?open=layer2+layer2.0&at=layer2.0.conv1")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
        "self.conv1 = nn.Conv2d(64, 128, 3, stride=2, padding=1, bias=False)",
        "",
        "out = self.relu(self.bn1(self.conv1(x)))",
    ]


def test_a_phone_has_no_sideways_scrolling(open_page: Open) -> None:
    page = open_page("?preset=resnet50&at=layer2.0", width=390, height=844)
    expect(page.get_by_label("Inspector")).to_contain_text("Bottleneck(256, 128, 512, stride=2")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_nothing_selected_shows_the_whole_network(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    inspector = page.get_by_label("Inspector")
    expect(inspector).to_contain_text("Click a box")
    expect(inspector).to_contain_text("25,557,032")
    expect(inspector).to_contain_text("y = ReLU(F(x) + x)")


def test_a_broken_network_lists_its_mismatches_wherever_one_looks(open_page: Open) -> None:
    page = open_page("?shortcut=identity")
    inspector, selected = page.get_by_label("Inspector"), page.locator("g.node.selected")
    expect(inspector).to_contain_text("3 of 8 shortcuts do not match:")
    expect(inspector).to_contain_text("PyTorch stops at layer2.0: RuntimeError: The size of tensor a (28) must match")
    inspector.get_by_role("button", name="layer3.0", exact=True).click()
    expect(selected).to_have_attribute("id", "layer3.0:add")
    expect(inspector).to_contain_text("PyTorch raises here: RuntimeError: The size of tensor a (14) must match")
    page.locator('g[id="layer1.0:add"]').focus()
    page.locator('g[id="layer1.0:add"]').click()
    expect(inspector).to_contain_text("✓ layer1.0")
    expect(inspector).to_contain_text("3 mismatches elsewhere: layer2.0, layer3.0, layer4.0")
    inspector.get_by_role("button", name="layer4.0", exact=True).click()
    expect(selected).to_have_attribute("id", "layer4.0:add")
