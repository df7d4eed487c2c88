"""Classify as people use it: one photo, several, several networks, and transfer learning."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

BLUE, GREEN = "#2050a0", "#50a020"
BROKEN: Any = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"%PDF-1.7 no photo"}


def jpeg(colour: str, seed: int) -> bytes:
    """A photo of one colour under noise."""
    plain = np.asarray(Image.new("RGB", (96, 80), colour)).astype(int)
    noise = np.random.default_rng(seed).integers(-50, 51, plain.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(plain + noise, 0, 255).astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def photos(colour: str, seeds: Sequence[int], name: str) -> list[Any]:
    return [{"name": f"{name}{seed}.jpg", "mimeType": "image/jpeg", "buffer": jpeg(colour, seed)} for seed in seeds]


def classify_tab(page: Page) -> Page:
    page.get_by_role("tab", name="Classify").click()
    return page


def test_one_photo_is_dropped_or_an_example_and_others_hear_of_it(open_page: Open) -> None:
    page = classify_tab(open_page())
    page.evaluate(
        """async () => {
          const scripts = document.querySelector('script[type=module][src*="static/"]').src.replace(/\\/[^/]*$/, '');
          const lib = await import(`${scripts}/kit/lib.js`);
          lib.on('photo', photo => { if (photo) window.heard = photo; });
        }"""
    )
    page.get_by_role("button", name="Example photo 2").click()
    answer = page.locator(".rx-answer")
    expect(answer.locator(".score")).to_have_count(5)
    page.wait_for_function("window.heard")
    heard = page.evaluate("window.heard")
    assert heard["variant"] == "everyday200_resnet14"
    assert heard["device"] == "auto"
    first = heard["token"]
    page.locator("#classify-panel input[type=file]").set_input_files(photos(BLUE, [1], "sea"))
    page.wait_for_function("first => window.heard.token !== first", arg=first)
    expect(answer.locator(".score")).to_have_count(5)
    page.get_by_label("CPU").check()
    page.wait_for_function("window.heard.device === 'cpu'")
    assert page.evaluate("window.heard.variant") == "everyday200_resnet14"


def test_the_network_is_introduced_before_an_answer_and_the_first_sample_is_right(open_page: Open) -> None:
    page = classify_tab(open_page())
    about = page.locator("#variant-about p").first
    expect(about).to_have_text(
        "ResNet-14 answers, with trained weights: it is not the builder's network. Knows 200 everyday classes; right "
        "for 41 of 100 test images at 32×32 pixels."
    )
    page.get_by_role("button", name="Example photo 1").click()
    expect(page.locator(".rx-answer h3")).to_have_text("lion")
    expect(page.locator(".rx-answer")).to_contain_text("This is all the network receives of your photo: 32×32 pixels.")
    expect(page.get_by_text("standard deviation")).to_be_hidden()
    page.get_by_text("Preprocessing", exact=True).click()
    expect(page.get_by_text("standard deviation")).to_be_visible()


def test_several_files_at_once_become_a_table_that_no_bad_file_ends(open_page: Open) -> None:
    page = classify_tab(open_page())
    given = [*photos(BLUE, [1, 2], "sea"), BROKEN, *photos(GREEN, [3], "lawn")]
    page.locator("#classify-panel input[type=file]").set_input_files(given)
    rows = page.locator(".rx-many tbody tr:not([hidden])")
    expect(rows).to_have_count(4)
    several = page.locator(".rx-several")
    expect(several).to_contain_text("The first of 4 photos is shown here. All 4 are in “Many photos” below.")
    several.get_by_role("button", name="Show the table").click()
    expect(rows.first).to_be_in_viewport()
    expect(page.locator(".rx-many .rx-told")).to_contain_text("4 of 4 photos · 1 could not be read: its row says why")
    expect(rows.nth(2)).to_contain_text("broken.jpg")
    expect(rows.nth(2)).to_contain_text("PDF")
    expect(rows.locator("img")).to_have_count(3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text)))
    assert [row["file"] for row in found] == ["sea1.jpg", "sea2.jpg", "broken.jpg", "lawn3.jpg"]
    assert [bool(row["error"]) for row in found] == [False, False, True, False]
    # A row's name asks about that photo above.
    expect(page.locator(".rx-answer .score")).to_have_count(5)
    shown = page.locator(".rx-photo").get_attribute("src")
    rows.nth(3).get_by_role("button").click()
    page.wait_for_function("shown => document.querySelector('.rx-photo').src !== shown", arg=shown)
    expect(page.locator(".rx-answer h3")).to_have_text(rows.nth(3).locator("strong").inner_text())


def test_pasted_photos_are_answered_too(open_page: Open) -> None:
    page = classify_tab(open_page())
    page.evaluate(
        """photos => {
          const transfer = new DataTransfer();
          photos.forEach((data, place) => {
            const bytes = Uint8Array.from(atob(data), char => char.charCodeAt(0));
            transfer.items.add(new File([bytes], `${place}.jpg`, {type: 'image/jpeg'}));
          });
          document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true}));
        }""",
        [base64.b64encode(jpeg(BLUE, seed)).decode() for seed in range(2)],
    )
    expect(page.locator(".rx-answer .score")).to_have_count(5)
    expect(page.locator(".rx-many tbody tr:not([hidden])")).to_have_count(2)


def test_a_lesson_names_new_photos_stands_beside_others_and_opens_again(open_page: Open) -> None:
    page = classify_tab(open_page())
    page.locator(".rx-transfer > summary").click()
    slots = page.locator(".rx-slot")
    for place, (name, colour) in enumerate((("sea", BLUE), ("lawn", GREEN))):
        slots.nth(place).get_by_label("Name of the class").fill(name)
        given = [*photos(colour, range(5), name), *([BROKEN] if place else [])]
        slots.nth(place).locator("input[type=file]").set_input_files(given)
    expect(page.locator(".rx-slot-photos img")).to_have_count(10)
    expect(page.locator(".rx-transfer .rx-told")).to_contain_text("Left out: broken.jpg: ")
    page.get_by_role("button", name="Train the linear probe", exact=True).click()
    lesson = page.get_by_label("The linear probe", exact=True)
    expect(lesson).to_contain_text("Cross-validated accuracy: 100.0 %, 10 of 10 photos.")
    expect(lesson.locator("tbody tr")).to_have_count(2)
    network = page.locator("#variant input")
    expect(network).to_have_value("linear probe: lawn, sea · 10 photos")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this head").click()
    head = Path(download.value.path()).read_bytes()

    page.locator("#classify-panel input[type=file]").set_input_files(photos(BLUE, [77], "new"))
    answer = page.locator(".rx-answer")
    expect(answer.locator("h3")).to_have_text("sea")

    page.locator(".rx-beside-nets > summary").click()
    expect(page.locator(".rx-names label")).to_contain_text(["linear probe: lawn, sea", "CIFAR-10"])
    page.get_by_role("button", name="Classify with all").click()
    rows = page.locator(".rx-beside-nets tbody tr")
    expect(rows.first).to_contain_text("sea")
    expect(page.locator(".rx-agreement")).not_to_be_empty()

    again = classify_tab(open_page())
    again.locator(".rx-transfer > summary").click()
    again.get_by_label("Saved head").set_input_files(
        {"name": "head.safetensors", "mimeType": "application/octet-stream", "buffer": head}
    )
    expect(again.get_by_label("The linear probe", exact=True)).to_contain_text("This head knows lawn, sea.")
    expect(again.locator("#variant input")).to_have_value("linear probe: lawn, sea · 10 photos")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_all_columns_of_the_networks_are_in_view(open_page: Open, width: int, height: int) -> None:
    page = classify_tab(open_page(width=width, height=height))
    page.locator(".rx-nets > summary").click()
    table = page.locator(".rx-list .rx-scroll")
    expect(table.locator("tbody tr").first).to_be_visible()
    assert table.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_answers_of_an_earlier_network_are_marked(open_page: Open) -> None:
    page = classify_tab(open_page())
    page.locator("#classify-panel input[type=file]").set_input_files(photos(BLUE, [1, 2], "sea"))
    expect(page.locator(".rx-many .rx-told")).to_contain_text("2 of 2 photos")
    note = page.get_by_text("These answers are of the network that was chosen before.")
    expect(note).to_be_hidden()
    page.locator("#variant input").click()
    page.get_by_role("option", name="CIFAR-10 ResNet-20 · built in").click()
    expect(note).to_be_visible()


def test_all_networks_sort_and_one_is_chosen(open_page: Open) -> None:
    page = classify_tab(open_page())
    page.locator(".rx-nets > summary").click()
    rows = page.locator(".rx-list tbody tr")
    expect(page.locator(".rx-list caption")).to_contain_text("networks")
    page.locator(".rx-list thead").get_by_role("button", name="Top-1").click()
    page.locator(".rx-list thead").get_by_role("button", name="Top-1").click()
    keys = [float(key) for key in rows.evaluate_all("rows => rows.map(row => row.cells[1].dataset.key)")]
    assert keys == sorted(keys, reverse=True)
    expect(page.locator(".rx-published tbody tr").first).to_contain_text("Plain-34")
    page.get_by_role("button", name="ResNet-50 (V2)").click()
    expect(page.locator("#variant-about")).to_contain_text(
        "Knows 1,000 classes; right for 81 of 100 test images at 224×224 pixels."
    )
    expect(page.locator("#download")).to_have_text("Download 97.8 MiB")


def test_throughput_is_measured_and_can_be_stopped(open_page: Open) -> None:
    page = classify_tab(open_page())
    page.get_by_role("button", name="Throughput images").click()
    page.locator("#measure-throughput").click()
    page.locator("#stop-throughput").click()
    expect(page.locator("#throughput-status")).to_contain_text("Stopped before")
    page.locator("#measure-throughput").click()
    expect(page.locator("#throughput-status")).to_contain_text("200 everyday classes, ResNet-14 on cpu: at most")
    expect(page.locator("#throughput-chart .js-plotly-plot")).to_be_visible()
    expect(page.locator("#measure-throughput")).to_be_enabled()
    # Another network: what was measured is marked as of an earlier choice until it is measured again.
    status = page.locator("#throughput-status")
    expect(status).not_to_have_class(re.compile("rx-stale"))
    page.locator("#variant input").click()
    page.get_by_role("option", name="CIFAR-10 ResNet-20 · built in").click()
    expect(status).to_have_class(re.compile("rx-stale"))
    expect(page.locator("#throughput-chart")).to_have_class(re.compile("rx-stale"))
    label = "status => getComputedStyle(status, '::before').content"
    assert status.evaluate(label) == '"Measured for an earlier choice above. Measure again."'
    page.locator("#measure-throughput").click()
    expect(status).not_to_have_class(re.compile("rx-stale"))
    expect(status).to_contain_text("CIFAR-10 ResNet-20 on cpu: at most")


def test_a_phone_has_every_part_without_scrolling_sideways(open_page: Open) -> None:
    page = classify_tab(open_page(width=390, height=844, dark=True))
    page.locator("#classify-panel input[type=file]").set_input_files(photos(BLUE, [1, 2], "sea"))
    expect(page.locator(".rx-many tbody tr:not([hidden])")).to_have_count(2)
    for part in page.locator(".rx-section:not([open]) > summary").all()[::-1]:
        part.click()
    expect(page.locator(".rx-list caption")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_whole_folders_are_asked_about_and_taught(open_page: Open, tmp_path: Path) -> None:
    for name, colour in (("sea", BLUE), ("lawn", GREEN)):
        folder = tmp_path / "places" / name
        folder.mkdir(parents=True)
        for seed in range(4):
            (folder / f"{seed}.jpg").write_bytes(jpeg(colour, seed))
    (tmp_path / "places" / "notes.txt").write_text("no photo")
    page = classify_tab(open_page())
    page.locator(".rx-many > summary").click()
    page.get_by_label("Folder of photos").set_input_files(tmp_path / "places")
    rows = page.locator(".rx-many tbody tr:not([hidden])")
    expect(rows).to_have_count(8)
    expect(page.locator(".rx-many .rx-told")).to_contain_text("8 of 8 photos")
    page.locator(".rx-transfer > summary").click()
    page.get_by_label("Folder with a subfolder for each class").set_input_files(tmp_path / "places")
    expect(page.locator(".rx-slot-photos img")).to_have_count(8)
    page.get_by_role("button", name="Train the linear probe", exact=True).click()
    expect(page.get_by_label("The linear probe", exact=True)).to_contain_text("of 8 photos.")
    expect(page.locator("#variant input")).to_have_value("linear probe: lawn, sea · 8 photos")


def test_what_is_said_of_one_photo_never_stands_beside_another(open_page: Open) -> None:
    page = classify_tab(open_page())
    page.get_by_role("button", name="Example photo 2").click()
    expect(page.locator(".rx-answer .score")).to_have_count(5)
    page.locator(".rx-beside-nets > summary").click()
    page.get_by_role("button", name="Classify with all").click()
    rows = page.locator(".rx-beside-nets tbody tr")
    expect(rows.first).to_be_visible()
    page.locator("#classify-panel input[type=file]").set_input_files([BROKEN])
    expect(page.locator(".rx-answer")).to_contain_text("PDF")
    expect(rows).to_have_count(0)
    expect(page.locator(".rx-photo")).to_be_hidden()
    expect(page.locator(".rx-idle")).to_be_visible()


def test_a_part_below_the_answer_opens_and_comes_into_view(open_page: Open) -> None:
    page = open_page("?tab=classify")
    contents = page.get_by_role("navigation", name="On this page")
    parts = {"Transfer learning": "#transfer-panel details[open]", "Throughput": "#throughput.open"}
    for name, inside in parts.items():
        contents.get_by_role("button", name=name).click()
        expect(page.locator(inside)).to_be_in_viewport()
        header = page.locator("#top").bounding_box()
        place = page.locator(inside).bounding_box()
        assert header
        assert place
        assert place["y"] >= header["y"] + header["height"]
        contents.scroll_into_view_if_needed()
