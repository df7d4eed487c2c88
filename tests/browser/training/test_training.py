"""Training by clicking: every control of the form, curves that grow, pause and stop, and all a kept run can do."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Download, Locator, Page, expect
from safetensors.torch import load_file

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

TINY = "?depths=1,1&widths=4,8&stem=cifar&shortcut=zero_pad&num_classes=10&image_size=32"
CHARTS = ("training-accuracy", "training-loss", "training-norms", "training-rate")


def open_tab(page: Page) -> Page:
    page.get_by_role("tab", name="Training", exact=True).click()
    expect(page.get_by_text("No run is saved yet")).to_be_visible()
    return page


def fill(page: Page, **fields: str) -> None:
    for label, value in fields.items():
        field = page.get_by_label(label.replace("_", " "), exact=True)
        field.fill(value)
        field.press("Tab")


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def status(page: Page) -> Locator:
    return page.locator("#training-status")


def row(page: Page, name: str) -> Locator:
    return page.locator(".rx-runs tbody tr").filter(has=page.locator(f'input[value="{name}"]'))


def drawn(page: Page, chart: str) -> list[str]:
    """Names of the lines in a chart."""
    found = page.locator(f"#{chart} .rx-plot").evaluate("plot => (plot.data ?? []).map(trace => trace.name)")
    return list(dict.fromkeys(found))


def taken(page: Page, link: Locator) -> Download:
    with page.expect_download() as waiting:
        link.click()
    return waiting.value


def test_two_networks_train_and_everything_a_kept_run_can_do(open_page: Open, tmp_path: Path) -> None:
    page = open_tab(open_page(TINY))
    fill(page, Epochs="2", Learning_rate="0.1", Batch_size="128", Weight_decay="0.0005")
    choose(page, "Schedule", "Cosine")
    choose(page, "Augmentation", "None")
    choose(page, "Networks", "Builder's and plain counterpart")
    page.get_by_role("button", name="More settings").click()
    fill(page, Momentum="0.8", Label_smoothing="0.1", Seed_of_training="7")
    page.get_by_label("Nesterov's momentum").check()
    button(page, "Start").click()
    expect(status(page)).to_contain_text("Plain-6 after 2 epochs:")
    expect(button(page, "Start")).to_be_enabled()
    expect(button(page, "Stop")).to_be_hidden()
    button(page, "Learning rate").click()  # the only chart that is folded
    for chart in CHARTS:
        page.locator(f"#{chart}").scroll_into_view_if_needed()
        expect(page.locator(f"#{chart} .rx-plot .main-svg").first).to_be_visible()
        names = [name for name in drawn(page, chart) if not name.startswith(("bold", "thin"))]
        assert len(names) in (2, 4)
        assert names[0].startswith("ResNet-6")
        assert any(name.startswith("Plain-6") for name in names)
    # What it means comes first, computed from this run.
    expect(status(page).locator(".rx-verdict-words")).to_contain_text(
        re.compile("(Plain-6 is|ResNet-6 and Plain-6|Neither)")
    )
    expect(status(page)).to_contain_text("1,437 images of 8×8 pixels, 2 epochs (24 steps), one seed.")
    # The recipe as it was filled in, in the file that repeats it.
    file = taken(page, row(page, "ResNet-6").get_by_role("link", name="JSON"))
    saved = tmp_path / "run.json"
    file.save_as(saved)
    data = json.loads(saved.read_text())
    expected = {
        "epochs": 2,
        "batch_size": 128,
        "learning_rate": 0.1,
        "momentum": 0.8,
        "weight_decay": 0.0005,
        "nesterov": True,
        "schedule": "cosine",
        "pad": 0,
        "flip": False,
        "label_smoothing": 0.1,
        "seed": 7,
    }
    assert expected.items() <= data["recipe"].items()
    table = Path(taken(page, row(page, "Plain-6").get_by_role("link", name="CSV")).path()).read_text()
    assert len(list(csv.reader(io.StringIO(table)))) == 1 + 24
    weights = taken(page, row(page, "Plain-6").get_by_role("link", name="Weights"))
    assert weights.suggested_filename == "plain-6.safetensors"
    assert "conv1.weight" in load_file(weights.path())
    # Another name, which the charts show; one run less in them.
    name = row(page, "ResNet-6").get_by_label("Name of the run")
    name.fill("<b>mine</b>")
    name.press("Enter")
    page.locator("body").press("Tab")
    expect(row(page, "<b>mine</b>")).to_be_visible()
    row(page, "Plain-6").get_by_role("checkbox").uncheck()
    expect(page.locator("#training-legend")).to_contain_text("Charts: 1 of 2 saved runs (<b>mine</b>)")
    page.locator("#training-loss").scroll_into_view_if_needed()  # a chart is drawn when it is looked at
    page.wait_for_function(
        "() => JSON.stringify((document.querySelector('#training-loss .rx-plot').data ?? []).map(t => t.name))"
        " === JSON.stringify(['&lt;b&gt;mine&lt;/b&gt;'])"
    )
    row(page, "Plain-6").get_by_role("button", name=re.compile("Remove")).click()
    expect(row(page, "Plain-6")).to_have_count(0)
    # Once more, from the file: the same numbers.
    page.locator(".rx-runs input[type=file]").set_input_files(saved)
    expect(row(page, "ResNet-6")).to_be_visible()
    expect(row(page, "ResNet-6").get_by_role("link", name="Weights")).to_have_count(0)
    row(page, "ResNet-6").get_by_role("button", name=re.compile("Repeat")).click()
    expect(status(page)).to_contain_text("ResNet-6, run 2 repeats ResNet-6 to the last digit")
    # Earlier runs left the charts, but the one that is repeated is there to be compared.
    expect(row(page, "<b>mine</b>").get_by_role("checkbox")).not_to_be_checked()
    expect(page.locator("#training-legend")).to_contain_text("Charts: 2 of 3 saved runs (ResNet-6, ResNet-6, run 2)")
    # What it learnt is asked about photos.
    row(page, "ResNet-6, run 2").get_by_role("button", name=re.compile("Classify with it")).click()
    expect(page.get_by_role("tab", name="Classify")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#variant-about")).to_contain_text("ResNet-6, run 2: ResNet-6, 10 classes")
    # Runs outlive the page that showed them.
    page.reload()
    expect(page.get_by_role("tab", name="Classify")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Training", exact=True).click()
    expect(row(page, "ResNet-6, run 2")).to_be_visible()


def test_the_form_and_the_charts_share_the_first_screen(open_page: Open) -> None:
    page = open_tab(open_page("?preset=resnet50"))
    expect(page.locator("#training-introduction")).to_contain_text("Degradation means that a deeper plain network")
    expect(page.locator("#training-preview")).to_contain_text("Start trains ResNet-50 and Plain-50")
    for part in ("#training-accuracy", "#training-loss", "#training-preview"):
        box = page.locator(part).bounding_box()
        assert box
        assert box["y"] + box["height"] < 900
    start = button(page, "Start").bounding_box()
    chart = page.locator("#training-accuracy").bounding_box()
    assert start
    assert chart
    assert chart["x"] > start["x"] + start["width"]
    expect(page.locator("#training-rate")).to_be_hidden()
    choose(page, "Networks", "Degradation: 20 and 56")
    expect(page.locator("#training-preview")).to_contain_text("not ResNet-50, which the builder shows.")


def test_why_a_network_cannot_run_is_said_with_its_own_name_and_size(open_page: Open) -> None:
    page = open_tab(open_page("?shortcut=identity"))
    for _ in range(2):  # the second is no "run 2"
        button(page, "Start").click()
        expect(status(page)).to_contain_text("ResNet-18 cannot run. layer2.0:")
        expect(status(page)).to_contain_text("These are shapes for training images of 8×8 pixels;")
    expect(page.locator(".rx-runs tbody tr")).to_have_count(0)


def test_a_run_is_paused_goes_on_and_is_stopped_while_another_page_waits(open_page: Open) -> None:
    page = open_tab(open_page(TINY))
    choose(page, "Networks", "Its plain counterpart")
    fill(page, Epochs="10000")
    button(page, "Start").click()
    expect(status(page)).to_contain_text("left")
    expect(status(page)).to_contain_text("Plain-6 after epoch")
    expect(button(page, "Start")).to_be_disabled()
    other = open_tab(open_page(TINY))
    choose(other, "Networks", "The builder's network")
    fill(other, Epochs="1")
    button(other, "Start").click()
    expect(status(other)).to_contain_text("In the queue, position 2")
    button(page, "Pause").click()
    expect(status(page)).to_contain_text("Paused. Nothing is lost")
    expect(status(other)).to_contain_text("ResNet-6 after 1 epoch:")
    reached = int(re.findall(r"after epoch (\d+)", status(page).inner_text())[0])
    button(page, "Continue").click()
    page.wait_for_function(
        "least => +/after epoch ([0-9]+)/.exec(document.querySelector('#training-status').textContent)?.[1] >= least",
        arg=reached + 3,
    )
    button(page, "Stop").click()
    expect(status(page)).to_contain_text("It was stopped there.")
    expect(row(page, "Plain-6").get_by_role("link", name="Weights")).to_be_visible()
    # Paused and then stopped; and what cannot be is said.
    button(page, "Start").click()
    expect(button(page, "Pause")).to_be_visible()
    expect(status(page)).to_contain_text("Plain-6, run 2 after epoch")
    button(page, "Pause").click()
    expect(status(page)).to_contain_text("Paused.")
    button(page, "Stop").click()
    expect(status(page)).to_contain_text("It was stopped there.")
    fill(page, Epochs="0")
    button(page, "Start").click()
    expect(status(page)).to_contain_text("epochs: got '0', expected a whole number from 1 to 10,000")
    choose(page, "Images", "CIFAR-10, a tenth of it")
    expect(page.get_by_label("Augmentation", exact=True)).to_have_value("Shifts and mirror images")


def test_the_degradation_experiment_is_one_click_on_a_phone(open_page: Open) -> None:
    page = open_tab(open_page(TINY, width=390, height=844, dark=True))
    button(page, "Degradation experiment").click()
    for name in ("ResNet-20", "Plain-20", "ResNet-56", "Plain-56"):
        expect(row(page, name)).to_have_count(1)
    expect(status(page)).to_contain_text("left.")
    button(page, "Stop").click()
    expect(status(page)).to_contain_text(re.compile(r"Plain-56(:| after) epoch \d+ of 12\b.*It was stopped there\."))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
