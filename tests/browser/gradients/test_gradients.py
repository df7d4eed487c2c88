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
FINISHED = re.compile("First layer|First block")


def open_tab(open_page: Open, query: str = TINY, **window: object) -> Page:
    page = open_page(query, **window)
    page.get_by_role("tab", name="Gradients").click()
    expect(page.locator("#gradient-status")).to_contain_text(FINISHED)
    return page


def switch(page: Page, field: str) -> Locator:
    return page.locator(f"#gradient-switches select[data-field={field}]")


def plot(page: Page, name: str = "gradient") -> Locator:
    return page.locator(f"#{name}-plot .rx-plot")


def range_of(page: Page, axis: str) -> list[float]:
    found: list[float] = plot(page).evaluate(f"chart => chart._fullLayout.{axis}.range.slice()")
    return found


def test_every_switch_is_the_builder_s_own_and_is_measured(open_page: Open) -> None:
    page = open_tab(open_page)
    status = page.locator("#gradient-status")
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
        expect(status).to_contain_text(FINISHED)
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
    status, table = page.locator("#gradient-status"), page.locator("#gradient-table table")
    for label, words, heads, axis in (
        ("Gradient ÷ weights", "divided by the norm of the weights", "‖∂L/∂W‖₂ ÷ ‖W‖₂ here", "÷ ‖W‖₂"),
        ("Gradient of the block outputs", "First block (layer1.0)", "‖∂L/∂y‖₂ here", "per unit of activation"),
        (
            "Spread of the activations",
            "Standard deviation of the outputs",
            "σ(y) here",
            "standard deviation of the block",
        ),
        ("Gradient of the weights", "First layer (conv1)", "‖∂L/∂W‖₂ here", "per unit of weight"),
    ):
        page.get_by_label(label, exact=True).check()
        expect(status).to_contain_text(words)
        expect(table.get_by_role("columnheader", name=heads)).to_be_visible()
        expect(plot(page)).to_contain_text(axis)
    settings = page.locator("#gradient-settings")
    settings.get_by_label("3", exact=True).check()
    expect(status).to_contain_text("Mean of 3 initialisations, each of 3 × 8 images")
    expect(table).to_contain_text("over 3 seeds")
    settings.get_by_label("1", exact=True).check()
    expect(status).not_to_contain_text("initialisations")
    first = status.inner_text()
    settings.get_by_label("First seed").fill("7")
    settings.get_by_label("First seed").press("Enter")
    expect(status).not_to_have_text(first, use_inner_text=True)
    expect(status).to_contain_text(FINISHED)
    settings.get_by_label("Digits").check()
    expect(status).to_contain_text("On 24 digits (scikit-learn's), with their labels.")
    settings.get_by_label("Your photos").check()
    expect(status).to_contain_text("This page has been given no photo yet.")
    settings.get_by_label("Noise").check()
    expect(status).to_contain_text("On noise, with random labels.")


def test_layers_are_selected_from_chart_and_table_and_the_other_way_round(open_page: Open) -> None:
    page = open_tab(open_page)
    expect(plot(page)).to_contain_text("Plain-10")
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
    before = page.locator("#gradient-status").inner_text()
    switch(page, "init").select_option(label="Orthogonal")
    expect(page.locator("#gradient-status")).not_to_have_text(before, use_inner_text=True)
    expect(page.locator("#gradient-status")).to_contain_text(FINISHED)
    assert range_of(page, "xaxis") == zoomed
    assert page.evaluate(hidden)


def test_a_depth_sweep_fills_its_chart_is_cancelled_and_downloaded(open_page: Open, tmp_path: Path) -> None:
    page = open_tab(open_page)
    page.get_by_role("tab", name="Depth sweep").click()
    expect(page.locator("#sweep-plot")).to_contain_text("Four networks of each depth are measured")
    page.get_by_role("button", name="Measure").click()
    status = page.locator("#sweep-status")
    expect(status).to_contain_text("Plain, without normalisation:", timeout=150_000)  # networks of up to 74 layers
    for name in ("residual, with", "residual, without", "plain, with", "plain, without"):
        expect(plot(page, "sweep")).to_contain_text(f"{name} normalisation")
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
    page.get_by_label("1", exact=True).last.check()
    page.get_by_role("button", name="Measure").click()
    status = page.locator("#paths-status")
    expect(status).to_contain_text("4 residual blocks make 2⁴ paths, 2.0 branches long on average")
    expect(plot(page, "paths")).to_contain_text("share of the gradient")
    expect(page.locator("#paths-table tbody tr")).to_have_count(5)
    expect(page.locator("#paths-table tbody tr").nth(2)).to_contain_text("37.5 %")

    choose_preset(page, "CIFAR ResNet-32")  # long enough to be cancelled
    expect(page.locator("#summary")).to_contain_text("CIFAR ResNet-32")
    page.get_by_label("8", exact=True).check()
    page.get_by_label("50", exact=True).check()
    page.get_by_role("button", name="Measure").click()
    expect(status).to_contain_text("backward passes")
    page.get_by_role("button", name="Cancel").click()
    expect(status).to_contain_text("Cancelled. The chart still shows the last network measured.")

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
    expect(second.locator("#gradient-status")).to_contain_text("First layer (conv1)")


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_has_all_of_it_without_sideways_scrolling(open_page: Open, dark: bool) -> None:
    page = open_page(TINY + ("&__theme=dark" if dark else ""), width=390, height=844)
    page.get_by_role("tab", name="Gradients").click()
    expect(page.locator("#gradient-status")).to_contain_text(FINISHED)
    expect(plot(page)).to_contain_text("Plain-10")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    colour = plot(page).locator(".legendtext").first.evaluate("text => getComputedStyle(text).fill")
    assert colour == ("rgb(156, 163, 175)" if dark else "rgb(91, 100, 114)")
