"""Model files on the page: picked, dropped, refused, shown, asked about a photo."""

from __future__ import annotations

import base64
import re

import pytest
import torch
from onnx import TensorProto, helper
from playwright.sync_api import Page, expect
from safetensors.torch import save

from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec
from tests.browser.conftest import Open, choose_preset
from tests.browser.test_page import photo, upload
from tests.support.paths import DATA

pytestmark = pytest.mark.browser

SPEC = ResNetSpec().with_(depths=(2, 3, 1), widths=(16, 32, 64), block="bottleneck", num_classes=7)
PADDED = PRESETS["cifar_resnet20"].with_(depths=(1, 1), widths=(4, 8))
PORT = DATA / "checkpoints" / "cifar10-resnet20-optionA-12fca82f.th"


def weights(spec: ResNetSpec, **more: torch.Tensor) -> bytes:
    return save({**build(spec, seed=1).state_dict(), **more})


def graph() -> bytes:
    """x + conv(x), named as an attacker would."""
    made = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1]), helper.make_node("Add", ["y", "x"], ["sum"])],
        "<img src=x onerror=alert(1)>",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor("w", TensorProto.FLOAT, [3, 3, 3, 3], [0.0] * 81)],
    )
    return bytes(helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString())


def pick(page: Page, name: str, data: bytes) -> None:
    page.locator("#files input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def drop(page: Page, selector: str, name: str, data: bytes) -> None:
    """Drop a file on an element, as a person does."""
    page.evaluate(
        """([selector, name, data]) => {
          const transfer = new DataTransfer(), bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
          transfer.items.add(new File([bytes], name));
          const target = document.querySelector(selector);
          for (const kind of ['dragover', 'drop'])
            target.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
        }""",
        [selector, name, base64.b64encode(data).decode()],
    )


def test_dropped_weights_become_the_network_of_the_page(open_page: Open) -> None:
    page = open_page()
    drop(page, "#graph .rx-canvas", "mine.safetensors", weights(SPEC))
    read = page.locator(".rx-read")
    expect(read).to_contain_text("bottleneck blocks 2-3-1; widths 16, 32, 64")
    expect(page.locator("#summary")).to_contain_text("ResNet-20")
    expect(page.locator("#summary")).to_contain_text("6 of 6 shortcuts match")
    expect(page.get_by_label("Bottleneck", exact=True)).to_be_checked()
    expect(page.get_by_label("Network diagram")).to_contain_text(re.compile(r"layer2\s+3 blocks"))
    expect(page).to_have_url(re.compile("depths=2%2C3%2C1"))

    read.get_by_role("button", name="Choose “Bottleneck strides in”").click()
    expect(page.get_by_label("v1.5 · the 3×3")).to_be_focused()

    choose_preset(page, "ResNet-50")
    expect(page.locator("#summary")).to_contain_text("ResNet-50")
    read.get_by_role("button", name="Show it again").click()
    expect(page.locator("#summary")).to_contain_text("ResNet-20")


def test_a_wrong_file_changes_nothing_else(open_page: Open) -> None:
    page = open_page("?preset=resnet34&at=stem")
    address = page.url
    name = "<img src=x onerror=console.error(1)>.pth"
    pick(page, name, b"no weights")
    status = page.locator(".rx-file-status")
    expect(status).to_contain_text(f"{name}: the weight file was refused: it starts with 'no weigh'")
    expect(page.locator("#summary")).to_contain_text("ResNet-34")
    expect(page.locator(".rx-read")).to_be_hidden()
    drop(page, "#graph .rx-canvas", "cat.jpg", b"\xff\xd8")
    expect(status).to_contain_text("“cat.jpg” is not a model file")
    assert page.url == address
    pick(page, name, weights(PADDED))
    expect(page.locator(".rx-read h3")).to_have_text(f"Read from {name}")
    expect(status).to_be_empty()


def test_other_weights_offer_the_nearest_network(open_page: Open) -> None:
    page = open_page("?preset=resnet34")
    pick(page, "more.safetensors", weights(PRESETS["resnet18"], **{"layer1.0.se.weight": torch.zeros(3)}))
    expect(page.locator(".rx-read")).to_contain_text("'layer1.0.se.weight': expected nothing, got 3")
    expect(page.locator("#summary")).to_contain_text("ResNet-34")
    page.get_by_role("button", name="Show the nearest: ResNet-18").click()
    expect(page.locator("#summary")).to_contain_text("ResNet-18")


def test_what_is_left_over_beside_a_network_is_named(open_page: Open) -> None:
    page = open_page("?preset=resnet34")
    pick(page, "more.safetensors", weights(PRESETS["resnet18"], extra=torch.zeros(3)))
    expect(page.locator(".rx-read")).to_contain_text("Left over, and not part of this network: 'extra' (1 tensor).")
    expect(page.locator("#summary")).to_contain_text("ResNet-18")


def test_sending_can_be_cancelled(open_page: Open) -> None:
    page = open_page()
    page.route("**/model?*", lambda route: None)  # never answered
    pick(page, "slow.pth", b"0" * 1000)
    page.locator("#files").get_by_role("button", name="Cancel").click()
    expect(page.locator(".rx-file-status")).to_have_text("Cancelled. Nothing was changed.")
    page.unroute("**/model?*")
    pick(page, "mine.pth", weights(PADDED))
    expect(page.locator("#summary")).to_contain_text("ResNet-6")


def test_a_graph_is_shown_in_the_diagram_until_it_is_left(open_page: Open) -> None:
    page = open_page("?preset=resnet34")
    address = page.url
    pick(page, "net.onnx", graph())
    summary, message = page.locator("#summary"), page.locator("#message")
    expect(summary).to_contain_text("1 of 1 shortcuts match")
    expect(message).to_contain_text(
        "The diagram and its tables show net.onnx. The builder and the other tabs still have ResNet-34."
    )
    expect(page.get_by_label("Network diagram")).to_contain_text("3×8×8")
    page.locator("#checks").scroll_into_view_if_needed()
    expect(page.locator("#checks tbody tr")).to_have_count(1)
    page.locator("#checks tbody .rx-link").first.click()
    expect(page.get_by_label("Inspector")).to_contain_text("branch and shortcut both give 3×8×8")
    assert page.url == address
    page.get_by_role("button", name="Back to the builder's network").click()
    expect(summary).to_contain_text("16 of 16 shortcuts match")
    expect(message).to_be_hidden()
    expect(page.get_by_label("Network diagram")).to_contain_text(re.compile(r"layer1\s+3 blocks"))
    page.get_by_role("button", name="Show it again").click()
    expect(summary).to_contain_text("1 of 1 shortcuts match")
    page.get_by_label("Identity only").check()
    expect(summary).to_contain_text("3 of 16 shortcuts do not match")
    page.locator("#checks").scroll_into_view_if_needed()
    expect(page.locator("#checks tbody tr")).to_have_count(16)


def test_a_file_is_asked_about_a_photo_as_the_builder_says(open_page: Open) -> None:
    page = open_page()
    drop(page, "#builder", "mine.safetensors", weights(PADDED))
    page.get_by_role("button", name="Use it in Classify").click()
    choice, answer = page.locator("#variant input"), page.locator(".rx-answer")
    expect(choice).to_have_value("your file: mine.safetensors")
    upload(page, "ship.jpg", photo())
    expect(answer.locator(".score")).to_have_count(5)
    expect(answer).to_contain_text("Option A puts zeros: After the channels.")
    page.get_by_role("button", name="Choose “Option A puts zeros”").click()
    page.get_by_label("Half on each side").check()
    expect(answer).to_contain_text("Option A puts zeros: Half on each side.")
    page.get_by_role("button", name="Close the file").click()
    expect(choice).to_have_value("200 everyday classes, ResNet-14 · built in")
    expect(page.locator(".rx-read")).to_be_hidden()


@pytest.mark.skipif(not PORT.exists(), reason="the third party's checkpoint is not here")
def test_the_third_partys_checkpoint_names_the_ship(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Classify").click()
    drop(page, "#classify-panel .rx-drop", PORT.name, PORT.read_bytes())
    expect(page.locator(".rx-read")).to_contain_text("half on each side is assumed")
    expect(page.locator("#summary")).to_contain_text("9 of 9 shortcuts match")
    page.get_by_role("button", name="Use it in Classify").click()
    upload(page, "ship.jpg", photo())
    expect(page.locator(".rx-answer h3")).to_have_text("ship")
