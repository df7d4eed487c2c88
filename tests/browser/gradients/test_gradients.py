"""The Gradients tab: every switch, setting and button, on networks small enough to be quick."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Open, choose_preset

pytestmark = pytest.mark.browser

TINY = "?depths=2,2&widths=4,8&stem=cifar&image_size=8&num_classes=10"
FINISHED = re.compile("the gradient (holds|grows|shrinks|vanishes|explodes)")
EARLIER_NETWORK = "These results are for an earlier network (ResNet-10)."
EARLIER_SETTINGS = "These results are for earlier settings."


def open_tab(open_page: Open, query: str = TINY, **window: object) -> Page:
    page = open_page(query, **window)
    page.get_by_role("tab", name="Gradients").click()
    expect(page.locator("#gradient-verdict")).to_contain_text(FINISHED)
    page.locator("#gradient-fold .rx-fold-head button").click()
    return page


def verdict(page: Page, name: str = "gradient") -> Locator:
    return page.locator(f"#{name}-verdict")


def outdated(page: Page, name: str = "gradient") -> Locator:
    return page.locator(f"#{name}-result .rx-outdated")


def opacity(page: Page, name: str) -> str:
    found: str = plot(page, name).evaluate("chart => getComputedStyle(chart.closest('.rx-result > *')).opacity")
    return found


def switch(page: Page, field: str) -> Locator:
    return page.locator(f"#gradient-switches select[data-field={field}]")


def plot(page: Page, name: str = "gradient") -> Locator:
    return page.locator(f"#{name}-plot .rx-plot")


def range_of(page: Page, axis: str) -> list[float]:
    found: list[float] = plot(page).evaluate(f"chart => chart._fullLayout.{axis}.range.slice()")
    return found


def test_the_default_network_is_measured_too(open_page: Open) -> None:
    """Its name is empty, as that of a place nobody sees once was."""
    page = open_page("")
    page.get_by_role("tab", name="Gradients").click()
    expect(verdict(page)).to_contain_text("ResNet-18: the gradient")


def test_every_switch_is_the_builder_s_own_and_is_measured(open_page: Open) -> None:
    page = open_tab(open_page)
    status = page.locator("#gradient-facts")
    page.get_by_role("button", name="More").click()
    before = status.inner_text()
    for field, label, query in (
        ("norm", "Group", "norm=group"),
        ("init", "Xavier", "init=xavier"),
        ("activation", "SiLU", "activation=silu"),
        ("shortcut", "C · project everywhere", "shortcut=projection_all"),
    ):
        switch(page, field).select_option(label=label)
        page.wait_for_url(re.compile(query))
        expect(page.locator("#builder").get_by_label(label, exact=True)).to_be_checked()
        expect(status).not_to_have_text(before, use_inner_text=True)
        expect(outdated(page)).to_be_hidden()
        before = status.inner_text()
    # Two in a row, before the program has answered for the first: both count.
    switch(page, "block").select_option(label="pre-activation")
    switch(page, "zero_init_residual").select_option(label="starts at 0")
    page.wait_for_url(lambda url: "block=preact_basic" in url and "zero_init_residual=true" in url)
    expect(switch(page, "norm").locator("option:checked")).to_have_text("Group")
    expect(switch(page, "zero_init_residual").locator("option:checked")).to_have_text("starts at 0")
    page.get_by_role("tab", name="Along depth").focus()
    page.keyboard.press("Control+z")
    expect(switch(page, "zero_init_residual").locator("option:checked")).to_have_text("as the others")
    assert "norm=group" in page.url


def test_the_chart_shows_what_is_chosen_on_the_images_and_seeds_that_are_chosen(open_page: Open) -> None:
    page = open_tab(open_page)
    facts, table = page.locator("#gradient-facts"), page.locator("#gradient-table table")
    expect(page.get_by_label("Gradient of the block outputs", exact=True)).to_be_checked()
    expect(plot(page)).to_contain_text("gradient of a block's output")
    expect(plot(page)).to_contain_text("Plain-10 · batch norm, He (fan-out) weights")
    for label, head, heads, axis in (
        ("Gradient ÷ weights", "First layer", "‖∂L/∂W‖₂ ÷ ‖W‖₂ here", "gradient ÷ weights"),
        ("Spread of the activations", "First block", "σ(y) here", "standard deviation of a block's output"),
        ("Gradient of the weights", "First layer", "‖∂L/∂W‖₂ here", "gradient of a layer's weights"),
        ("Gradient of the block outputs", "First block", "‖∂L/∂y‖₂ here", "gradient of a block's output"),
    ):
        page.get_by_label(label, exact=True).check()
        expect(table.get_by_role("columnheader", name=heads)).to_be_visible()
        expect(facts.get_by_role("columnheader", name=head)).to_be_visible()
        expect(plot(page)).to_contain_text(axis)
    facts.get_by_text("How this was measured").click()
    expect(facts).to_contain_text("In these verdicts a signal holds if it changes less than 10-fold")
    settings = page.locator("#gradient-settings")
    settings.get_by_label("3", exact=True).check()
    expect(facts).to_contain_text("Mean of 3 initialisations, each of 3 × 8 images")
    expect(table).to_contain_text("over 3 seeds")
    settings.get_by_label("1", exact=True).check()
    expect(facts).not_to_contain_text("initialisations")
    first = facts.inner_text()
    settings.get_by_label("First seed").fill("7")
    settings.get_by_label("First seed").press("Enter")
    expect(facts).not_to_have_text(first, use_inner_text=True)
    expect(outdated(page)).to_be_hidden()
    settings.get_by_label("Digits").check()
    expect(facts).to_contain_text("On 24 digits (scikit-learn's), with their labels.")
    settings.get_by_label("Your photos").check()
    expect(page.locator("#gradient-status")).to_contain_text("This page has no photos yet.")
    expect(outdated(page)).to_have_text(EARLIER_SETTINGS)
    settings.get_by_label("Noise").check()
    expect(facts).to_contain_text("On noise, with random labels.")
    expect(outdated(page)).to_be_hidden()
    expect(page.locator("#gradient-status")).not_to_contain_text("photos")


def test_the_textbook_cases_are_built_measured_and_undone(open_page: Open) -> None:
    page = open_tab(open_page, "?preset=cifar_resnet20&widths=4,8,8&image_size=16&num_classes=10")
    cases = page.locator("#gradient-cases")
    expect(cases).to_contain_text("These settings change your network on every tab.")
    expect(cases.get_by_role("button", name="Put the shortcuts back")).to_be_disabled()

    cases.get_by_role("button", name="Make it vanish").click()
    expect(verdict(page)).to_contain_text("Plain-20: the gradient vanishes. From the last block back to the first")
    expect(verdict(page)).to_contain_text("In ResNet-20, the same network with shortcuts, the gradient holds")
    expect(verdict(page)).to_contain_text("The shortcuts make the difference")
    expect(plot(page)).to_contain_text("Plain-20 · no normalisation, PyTorch default weights")
    expect(page.locator("#summary")).to_contain_text("No shortcuts")
    drawn = plot(page).evaluate("chart => chart.data.find(trace => trace.uid === 'here-path').y")
    assert drawn[0] < drawn[-1] / 1000

    cases.get_by_role("button", name="Put the shortcuts back").click()
    expect(verdict(page)).to_contain_text("ResNet-20: the gradient holds.")
    expect(page.locator("#summary")).to_contain_text("9 of 9 shortcuts match")
    page.get_by_role("button", name="Undo").click()
    expect(verdict(page)).to_contain_text("Plain-20: the gradient vanishes.")

    cases.get_by_role("button", name="Make it explode").click()
    expect(verdict(page)).to_contain_text("Plain-56: the gradient explodes.", timeout=150_000)
    expect(page.locator("#gradient-facts")).to_contain_text("He et al. 2015 (§4.1) say the same")
    expect(plot(page)).to_contain_text("Plain-56 · batch norm, He (fan-out) weights")
    page.get_by_role("button", name="Undo").click()
    expect(verdict(page)).to_contain_text("Plain-20: the gradient vanishes.")
    page.get_by_role("tab", name="Along depth").focus()
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(page.locator("#summary")).to_contain_text("9 of 9 shortcuts match")


def test_a_result_of_another_network_or_setting_is_greyed_until_it_is_measured_again(open_page: Open) -> None:
    page = open_tab(open_page)
    page.get_by_role("tab", name="Paths").click()
    page.get_by_role("button", name="Measure").click()
    expect(verdict(page, "paths")).to_contain_text("ResNet-10: ")
    expect(outdated(page, "paths")).to_be_hidden()
    assert opacity(page, "paths") == "1"

    switch(page, "init").select_option(label="Orthogonal")
    expect(outdated(page, "paths")).to_have_text(f"{EARLIER_NETWORK} Measure again to update them.")
    assert opacity(page, "paths") == "0.45"
    switch(page, "init").select_option(label="He (fan-out)")
    expect(outdated(page, "paths")).to_be_hidden()

    page.locator("#gradient-settings").get_by_label("3", exact=True).check()
    expect(outdated(page, "paths")).to_have_text(f"{EARLIER_SETTINGS} Measure again to update them.")
    page.get_by_role("button", name="Measure").click()
    expect(outdated(page, "paths")).to_be_hidden()
    assert opacity(page, "paths") == "1"


def test_the_chart_is_on_the_first_screen(open_page: Open) -> None:
    page = open_page("?preset=cifar_resnet20&tab=gradients", width=1024, height=768)
    expect(verdict(page)).to_contain_text(FINISHED)
    expect(plot(page)).to_contain_text("Plain-20")
    box = plot(page).bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768


def test_layers_are_selected_from_chart_and_table_and_the_other_way_round(open_page: Open) -> None:
    page = open_tab(open_page)
    page.get_by_label("Gradient of the weights", exact=True).check()
    expect(plot(page)).to_contain_text("projections")
    table = page.locator("#gradient-table tbody")
    expect(table.locator("tr").first).to_contain_text("conv1")
    page.locator("#gradient-table").get_by_role("button", name="‖∂L/∂W‖₂ here").click()
    cells = "rows => rows.map(row => Number(row.cells[2].dataset.key))"
    keys = table.locator("tr").evaluate_all(cells)
    assert keys == sorted(keys)
    page.locator("#gradient-table").get_by_role("button", name="‖∂L/∂W‖₂ here").click()
    assert table.locator("tr").evaluate_all(cells) == keys[::-1]

    table.get_by_role("button", name="layer2.1.conv1", exact=True).click()
    page.wait_for_url(re.compile("at=layer2.1.conv1"))
    expect(table.locator("tr.selected")).to_contain_text("layer2.1.conv1")
    marked = "chart => chart.layout.shapes.filter(s => s.name === 'selected').map(s => [s.x0, s.x1])"
    page.wait_for_function(f"({marked})(document.querySelector('#gradient-plot .rx-plot')).length === 1")
    assert plot(page).evaluate(marked) == [[7.5, 8.5]]

    plot(page).locator(".scatterlayer .points path").first.scroll_into_view_if_needed()
    box = plot(page).locator(".scatterlayer .trace").last.locator(".points path").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("at=layer2.0.downsample.0|at=conv1"))
    page.get_by_role("tab", name="Architecture").click()
    expect(page.locator("#graph g.node.selected")).to_be_in_viewport()


def test_zoom_and_legend_stay_while_the_network_changes(open_page: Open) -> None:
    page = open_tab(open_page)
    page.get_by_label("Gradient of the weights", exact=True).check()
    expect(plot(page)).to_contain_text("projections")
    plot(page).scroll_into_view_if_needed()
    box = plot(page).locator(".nsewdrag").first.bounding_box()
    assert box is not None
    whole = range_of(page, "xaxis")
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    page.mouse.up()
    page.wait_for_function(
        f"document.querySelector('#gradient-plot .rx-plot')._fullLayout.xaxis.range[0] > {whole[0] + 0.5}"
    )
    zoomed = range_of(page, "xaxis")
    plot(page).locator(".legendtoggle").nth(1).click()
    hidden = "document.querySelector('#gradient-plot .rx-plot')._fullData.some(t => t.visible === 'legendonly')"
    page.wait_for_function(hidden)
    switch(page, "init").select_option(label="Orthogonal")
    expect(plot(page)).to_contain_text("Orthogonal weights")
    expect(outdated(page)).to_be_hidden()
    assert range_of(page, "xaxis") == zoomed
    assert page.evaluate(hidden)


def test_a_depth_sweep_fills_its_chart_is_cancelled_and_downloaded(open_page: Open, tmp_path: Path) -> None:
    page = open_tab(open_page)
    page.get_by_role("tab", name="Depth sweep").click()
    expect(page.locator("#sweep-plot")).to_contain_text("Measures four networks of each depth")
    page.get_by_role("button", name="Measure").click()
    status = page.locator("#sweep-status")
    expect(verdict(page, "sweep")).to_contain_text("With 74 layers, the gradient ", timeout=150_000)
    expect(page.get_by_label("Weakest ÷ strongest block", exact=True)).to_be_checked()
    for kind in ("residual", "plain"):
        for norm in ("batch norm", "no normalisation"):
            expect(plot(page, "sweep")).to_contain_text(f"{kind} · {norm}, He (fan-out) weights")
    expect(plot(page, "sweep")).to_contain_text("weakest block's output ÷ the strongest's")
    page.get_by_label("First ÷ last layer", exact=True).check()
    expect(plot(page, "sweep")).to_contain_text("first layer's weights ÷ the last's")
    page.get_by_label("First block", exact=True).check()
    expect(plot(page, "sweep")).to_contain_text("gradient of the first block's output")
    with page.expect_download() as download:
        page.locator("#sweep-table").get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "sweep.csv")
    rows = list(csv.DictReader((tmp_path / "sweep.csv").open()))
    assert download.value.suggested_filename == "depth_sweep.csv"
    assert len(rows) == 20
    assert page.locator("#sweep-table tbody tr").count() == 20

    page.get_by_label("18, 34, 50, 101, 152 · ImageNet").check()
    page.get_by_role("button", name="Measure").click()
    expect(status).to_contain_text("Building the first network")
    page.get_by_role("button", name="Cancel").click()
    expect(status).to_contain_text("Cancelled.")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_path_lengths_are_measured_and_cancelled(open_page: Open) -> None:
    page = open_tab(open_page)
    page.get_by_role("tab", name="Paths").click()
    expect(page.locator("#paths-plot")).to_contain_text("Veit, Wilber & Belongie 2016")
    page.locator("#paths-controls").get_by_label("1", exact=True).check()
    page.get_by_role("button", name="Measure").click()
    status = page.locator("#paths-status")
    expect(verdict(page, "paths")).to_contain_text("of 4 branches on average; counted equally, 2.0.")
    expect(page.locator("#paths-facts")).to_contain_text("Veit et al. 2016")
    expect(plot(page, "paths")).to_contain_text("share of the gradient")
    expect(page.locator("#paths-table tbody tr")).to_have_count(5)
    expect(page.locator("#paths-table tbody tr").nth(2)).to_contain_text("37.5 %")

    choose_preset(page, "CIFAR ResNet-32")  # long enough to be cancelled
    expect(page.locator("#summary")).to_contain_text("CIFAR ResNet-32")
    expect(outdated(page, "paths")).to_contain_text(EARLIER_NETWORK)
    page.get_by_label("8", exact=True).check()
    page.get_by_label("50", exact=True).check()
    page.get_by_role("button", name="Measure").click()
    expect(status).to_contain_text("backward passes")
    page.get_by_role("button", name="Cancel").click()
    expect(status).to_contain_text("Cancelled. The chart still shows the previous measurement.")

    page.get_by_label("None (plain)").check()
    expect(page.locator("#summary")).to_contain_text("No shortcuts")
    page.get_by_role("button", name="Measure").click()
    expect(status).to_contain_text("A plain network has one path")


def test_a_second_page_is_told_that_it_waits_and_a_closed_one_makes_room(
    open_page: Open, browser: Browser, address: str
) -> None:
    first = browser.new_page()  # its console complains of the answer it is closed amid
    first.goto(f"{address}?preset=cifar_resnet20")
    # What has been measured once is known: another network than the other tests have.
    second = open_page(TINY.replace("4,8", "4,12"))
    first.get_by_role("tab", name="Gradients").click()
    first.get_by_role("tab", name="Depth sweep").click()
    first.get_by_role("button", name="Measure").click()
    expect(first.locator("#sweep-status")).to_contain_text("of 20 networks")
    second.get_by_role("tab", name="Gradients").click()
    expect(second.locator("#gradient-status")).to_contain_text("In the queue, position 2")
    first.close()
    expect(second.locator("#gradient-verdict")).to_contain_text(FINISHED)


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_has_all_of_it_without_sideways_scrolling(open_page: Open, dark: bool) -> None:
    page = open_page(TINY + ("&__theme=dark" if dark else ""), width=390, height=844)
    page.get_by_role("tab", name="Gradients").click()
    expect(verdict(page)).to_contain_text(FINISHED)
    expect(plot(page)).to_contain_text("Plain-10")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    colour = plot(page).locator(".legendtext").first.evaluate("text => getComputedStyle(text).fill")
    assert colour == ("rgb(156, 163, 175)" if dark else "rgb(91, 100, 114)")
