"""What people do on the page, done by clicking."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.paths import DATA

from .conftest import Open, choose_preset

pytestmark = pytest.mark.browser

PHOTOS = DATA / "photos"


def photo() -> bytes:
    """A picture of a ship on the sea, if the photos are here; else a made-up scene of the same colours."""
    real = PHOTOS / "n04147183_schooner.JPEG"
    if real.is_file():
        return real.read_bytes()
    image = Image.new("RGB", (640, 480), "#9fb8d0")
    image.paste("#20405f", (0, 300, 640, 480))
    image.paste("#ffffff", (240, 120, 400, 320))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("#classify-panel input[type=file]").set_input_files(
        {"name": name, "mimeType": "image/jpeg", "buffer": data}
    )


def test_the_main_job_from_builder_to_prediction(open_page: Open) -> None:
    page = open_page()
    summary = page.locator("#summary")
    expect(summary).to_contain_text("ResNet-18")
    expect(summary).to_contain_text("8 of 8 shortcuts match")

    choose_preset(page, "ResNet-50")
    expect(summary).to_contain_text("25.6 M params")
    expect(summary).to_contain_text("4.09 GMACs")
    expect(summary).to_contain_text("RF 427 px")
    expect(summary).to_contain_text("16 of 16 shortcuts match")
    expect(page.locator("g.node.merge.broken")).to_have_count(0)

    page.get_by_label("Identity only").check()
    expect(summary).to_contain_text("4 of 16 shortcuts do not match")
    broken = page.locator("g.node.merge.broken")
    expect(broken).to_have_count(4)
    broken.nth(1).focus()
    broken.nth(1).click()
    inspector = page.get_by_label("Inspector")
    expect(inspector).to_contain_text("the branch gives 512×28×28, the shortcut 256×56×56")
    expect(inspector).to_contain_text("+132,096 parameters")
    expect(page.locator("#checks tbody tr.broken")).to_have_count(4)

    page.get_by_label("B · project on change").check()
    expect(summary).to_contain_text("16 of 16 shortcuts match")
    expect(broken).to_have_count(0)

    choose_preset(page, "CIFAR ResNet-20")
    page.get_by_role("tab", name="Gradients").click()
    expect(page.locator("#gradient-verdict")).to_contain_text("CIFAR ResNet-20: the gradient ")
    expect(page.locator("#gradient-plot .js-plotly-plot")).to_be_visible()
    expect(page.locator("#gradient-plot")).to_contain_text("Plain-20")

    page.get_by_role("tab", name="Classify").click()
    upload(page, "ship.jpg", photo())
    answer = page.locator(".rx-answer")
    expect(answer.locator(".score")).to_have_count(5)
    scores = [float(text.rstrip(" %")) for text in answer.locator(".score").all_text_contents()]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) <= 100.5
    expect(answer).to_contain_text("decode")
    expect(answer).to_contain_text("forward")


def test_the_address_restores_the_network_and_bad_values_are_said(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("34", exact=True).check()
    page.get_by_label("A · zero-pad").check()
    expect(page.locator("#summary")).to_contain_text("ResNet-34")
    page.wait_for_url(re.compile("shortcut=zero_pad"))
    again = open_page("?" + page.url.partition("?")[2])
    expect(again.locator("#summary")).to_contain_text("ResNet-34")
    expect(again.get_by_label("A · zero-pad")).to_be_checked()
    wrong = open_page("?preset=resnet50&groups=0")
    expect(wrong.locator("#message")).to_contain_text("groups: got 0; a whole number from 1 to 1024 is allowed")
    expect(wrong.locator("#summary")).to_contain_text("ResNet-50")


def test_a_list_of_choices_closes_when_the_keyboard_leaves_it(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Preset").focus()
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Open a model file")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("18", exact=True)).to_be_focused()
    expect(page.get_by_label("Preset")).to_have_attribute("aria-expanded", "false")


def test_the_address_restores_the_tab(open_page: Open) -> None:
    page = open_page("?preset=resnet34")
    page.get_by_role("tab", name="Gradients").click()
    page.wait_for_url(re.compile("tab=gradients"))
    again = open_page("?" + page.url.partition("?")[2])
    expect(again.get_by_role("tab", name="Gradients")).to_have_attribute("aria-selected", "true")
    expect(again.locator("#summary")).to_contain_text("ResNet-34")
    again.get_by_role("tab", name="Architecture").click()
    expect(again.locator("#graph svg g.node").first).to_be_visible()
    assert "tab=" not in again.url
    nonsense = open_page("?tab=nonsense")
    expect(nonsense.get_by_role("tab", name="Architecture")).to_have_attribute("aria-selected", "true")


def test_an_error_names_the_field_and_keeps_the_diagram(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="More").click()
    groups = page.get_by_label("Groups of the 3×3")
    groups.fill("32")
    groups.press("Enter")
    expect(page.locator("#message")).to_contain_text("groups: got 32 with block=basic")
    expect(groups).to_have_value("32")
    expect(page.locator('g[id="layer4.0"]')).to_have_count(1)
    page.get_by_label("Bottleneck", exact=True).check()
    expect(page.locator("#message")).not_to_contain_text("groups")
    expect(page.locator("#summary")).to_contain_text("ResNet-26")


def test_a_network_that_does_not_add_up_gets_a_sentence_for_its_gradients(open_page: Open) -> None:
    page = open_page("?preset=cifar_resnet20&shortcut=identity")
    page.get_by_role("tab", name="Gradients").click()
    expect(page.locator("#gradient-status")).to_contain_text("layer2.0")
    expect(page.locator("#gradient-status")).to_contain_text("32×16×16")


def test_files_that_are_no_photos_are_refused_by_content(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Classify").click()
    upload(page, "photo.jpg", b"%PDF-1.7 not a photo")
    answer = page.locator(".rx-answer")
    expect(answer).to_contain_text("PDF")
    upload(page, "photo.jpg", photo()[: len(photo()) // 2])
    expect(answer.locator(".rx-banner")).to_be_visible()
    expect(answer.locator(".score")).to_have_count(0)
    upload(page, "photo.jpg", photo())
    expect(answer.locator(".score")).to_have_count(5)


def test_a_photo_is_dropped_pasted_or_taken(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Classify").click()
    answer = page.locator(".rx-answer")
    make_file = """data => {
      const bytes = Uint8Array.from(atob(data), char => char.charCodeAt(0)), transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "photo.jpg", {type: "image/jpeg"}));
      return transfer;
    }"""
    handle = page.evaluate_handle(make_file, base64.b64encode(photo()).decode())
    paste = "t => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: t, bubbles: true}))"
    handle.evaluate(paste)
    expect(answer.locator(".score")).to_have_count(5)
    upload(page, "text.jpg", b"no photo")
    expect(answer.locator(".score")).to_have_count(0)
    drop = "t => document.querySelector('.rx-drop').dispatchEvent(new DragEvent('drop', {dataTransfer: t}))"
    handle.evaluate(drop)
    expect(answer.locator(".score")).to_have_count(5)
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function("document.querySelector('.rx-drop video').videoWidth > 0")
    page.get_by_role("button", name="Take the photo").click()
    expect(page.locator(".rx-drop video")).to_be_hidden()
    expect(answer.locator(".score")).to_have_count(5)
    # A camera that is closed gives the photo before its place back.
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function("document.querySelector('.rx-drop video').videoWidth > 0")
    expect(page.locator(".rx-photo")).to_be_hidden()
    page.get_by_role("button", name="Close the camera").click()
    expect(page.locator(".rx-photo")).to_be_visible()
    expect(answer.locator(".score")).to_have_count(5)
    # Beside the box a file is a photo too, while this tab is open.
    beside = """t => document.querySelector('#variant-about').dispatchEvent(
      new DragEvent('drop', {dataTransfer: t, bubbles: true, cancelable: true}))"""
    upload(page, "text.jpg", b"no photo")
    expect(answer.locator(".score")).to_have_count(0)
    handle.evaluate(beside)
    expect(answer.locator(".score")).to_have_count(5)
    expect(page.locator(".rx-file-status")).to_be_empty()


def test_offline_a_pretrained_variant_says_so_and_names_what_works(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Classify").click()
    page.locator("#variant input").click()
    page.get_by_role("option", name=re.compile(r"ResNet-50 \(V2\)")).click()
    page.locator("#download").click()
    status = page.locator("#download-status")
    expect(status).to_contain_text("ResNet-50 (V2) could not be downloaded")
    expect(status).to_contain_text("The built-in networks work offline.")


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_the_diagram_first_and_the_builder_in_a_drawer(open_page: Open, dark: bool) -> None:
    page = open_page(width=390, height=844, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator("#builder")).to_be_hidden()
    page.get_by_role("button", name="Builder").click()
    expect(page.locator("#builder")).to_be_visible()
    page.get_by_label("None (plain)").check()
    expect(page.locator("#summary")).to_contain_text("Plain-18")
    expect(page.locator("#summary")).to_contain_text("No shortcuts")
    # The drawer leaves the header free: what a change does, Undo, and the way out.
    expect(page.get_by_role("button", name="Undo")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#summary")).to_contain_text("8 of 8 shortcuts match")
    expect(page.locator("#builder")).to_be_visible()
    page.get_by_role("button", name="Close the builder").click()
    expect(page.locator("#builder")).to_be_hidden()
    page.get_by_role("button", name="Builder").click()
    page.keyboard.press("Escape")
    expect(page.locator("#builder")).to_be_hidden()


def test_a_phone_has_every_tab_on_the_screen(open_page: Open) -> None:
    page = open_page(width=390, height=844)
    for name in ("Architecture", "Compare", "Gradients", "Training", "Classify"):
        expect(page.get_by_role("tab", name=name, exact=True)).to_be_in_viewport(ratio=1)


def test_the_header_stays_except_on_a_low_screen(open_page: Open) -> None:
    top = "document.querySelector('#top').getBoundingClientRect().bottom"
    page = open_page()
    page.mouse.move(1400, 600)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate(top) > 0
    low = open_page(width=720, height=450)  # 1440×900 at 200 %
    low.evaluate("scrollTo(0, 400)")
    assert low.evaluate(top) <= 0
    low.evaluate("scrollTo(0, 0)")
    low.get_by_role("button", name="Builder").click()
    low.evaluate("scrollTo(0, 400)")
    assert low.evaluate(top) > 0  # the drawer is below it


def test_the_verdict_shows_the_first_mismatch_from_any_tab(open_page: Open) -> None:
    page = open_page("?shortcut=identity&tab=compare")
    page.get_by_role("button", name="3 of 8 shortcuts do not match").click()
    expect(page.get_by_role("tab", name="Architecture")).to_have_attribute("aria-selected", "true")
    selected = page.locator("g.node.selected")
    expect(selected).to_have_attribute("id", "layer2.0:add")
    expect(selected).to_be_in_viewport()
    page.get_by_label("B · project on change").check()
    expect(page.locator("#summary")).to_contain_text("8 of 8 shortcuts match")
    expect(page.locator("#summary button.rx-verdict")).to_have_count(0)


def test_it_can_be_installed(open_page: Open, address: str) -> None:
    page = open_page()
    manifest = page.request.get(f"{address}manifest.json").json()
    assert manifest["name"] == "ResNet Explorer"
    assert manifest["display"] == "standalone"
    icon = page.request.get(f"{address}pwa_icon/192")
    assert Image.open(io.BytesIO(icon.body())).size == (192, 192)


def test_an_address_with_nothing_but_a_bad_value_still_shows_a_network(open_page: Open) -> None:
    page = open_page("?groups=0")
    expect(page.locator("#message")).to_contain_text("groups: got 0")
    expect(page.locator("#summary")).to_contain_text("ResNet-18")
    page.wait_for_url(lambda url: "groups" not in url)


def test_the_gradient_chart_survives_a_look_at_another_tab_and_follows_the_network(open_page: Open) -> None:
    page = open_page("?preset=cifar_resnet20")
    status, verdict = page.locator("#gradient-status"), page.locator("#gradient-verdict")
    plot = page.locator("#gradient-plot")
    page.get_by_role("tab", name="Gradients").click()
    expect(verdict).to_contain_text("CIFAR ResNet-20: the gradient ")
    finding = verdict.inner_text()
    page.get_by_role("tab", name="Architecture").click()
    page.get_by_role("tab", name="Gradients").click()
    expect(plot).to_contain_text("Plain-20")
    expect(verdict).to_have_text(finding, use_inner_text=True)
    # A long measurement gives way to the network chosen after it.
    choose_preset(page, "ResNet-152")
    expect(status).to_contain_text("Measuring")
    choose_preset(page, "CIFAR ResNet-32")
    expect(plot).to_contain_text("Plain-32", timeout=150_000)  # after a batch of ResNet-152
    expect(verdict).to_contain_text("CIFAR ResNet-32: the gradient ")
    expect(status).to_be_empty()


TYPE_AT_ONCE = """async ([tab, fold, label, value]) => {
  [...document.querySelectorAll('[role=tab]')].find(each => each.textContent.trim() === tab)?.click();
  [...document.querySelectorAll('.rx-fold-head button')].find(each => each.textContent.includes(fold)).click();
  const field = [...document.querySelectorAll('label')].find(each => each.textContent.trim() === label)
    .querySelector('input, textarea');
  field.focus();
  field.value = value;
  field.dispatchEvent(new InputEvent('input', {bubbles: true}));
  for (let frame = 0; frame < 10; frame++) await new Promise(requestAnimationFrame);
  return field.value;
}"""


@pytest.mark.parametrize(
    ("tab", "fold", "label", "value"),
    [("Training", "More settings", "Momentum", "0.5"), ("Architecture", "More", "Classes", "17")],
)
def test_what_is_typed_the_moment_a_tab_or_fold_opens_stays(
    open_page: Open, tab: str, fold: str, label: str, value: str
) -> None:
    page = open_page()
    assert page.evaluate(TYPE_AT_ONCE, [tab, fold, label, value]) == value
    page.get_by_role("tab", name="Architecture").click()
    page.get_by_role("tab", name=tab).click()
    expect(page.get_by_label(label, exact=True)).to_have_value(value)


@pytest.mark.parametrize("name", ["Architecture", "Compare", "Gradients", "Training", "Classify"])
def test_every_tab_opens_from_its_address(open_page: Open, name: str) -> None:
    page = open_page(f"?tab={name.lower()}")
    expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#tabs > .rx-panel.open")).to_have_count(1)
