"""The diagram under a finger: levels, walking, search, zoom, map and tint."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.conftest import Open, choose_preset

pytestmark = pytest.mark.browser


def test_blocks_open_and_close_where_they_stand_by_mouse_and_by_keyboard(open_page: Open) -> None:
    page = open_page()
    block = page.locator('g[id="layer2.0"]')
    block.focus()
    before = block.bounding_box()
    assert before is not None
    page.keyboard.press("Enter")
    conv = page.locator('g[id="layer2.0.conv1"]')
    expect(conv).to_have_attribute("aria-label", re.compile("3×3 conv, 128, stride 2"))
    frame = page.locator('g[id="group:layer2.0"]')
    after = frame.bounding_box()
    assert after is not None
    assert abs(after["y"] - before["y"]) < 3
    assert "open=" in page.url
    expect(page.get_by_label("Inspector")).to_contain_text("layer2.0")
    conv.click()
    expect(page.get_by_label("Inspector")).to_contain_text("73,728")
    frame.focus()
    page.keyboard.press("Enter")
    expect(conv).to_have_count(0)


def test_search_finds_what_is_folded_away_and_shows_it(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Find in the diagram")
    expect(field).to_be_focused()
    field.fill("layer3.4.conv2")
    expect(page.locator(".rx-count")).to_contain_text("1 found")
    field.press("Enter")
    expect(page.locator('g[id="layer3.4.conv2"]')).to_have_class(re.compile("selected"))
    expect(page.locator(".rx-count")).to_have_text("1 of 1")
    expect(page.get_by_label("Inspector")).to_contain_text("589,824")
    field.fill("no such thing")
    expect(page.locator(".rx-count")).to_have_text("nothing found")


def test_arrow_keys_walk_the_main_path_and_the_shortcut(open_page: Open) -> None:
    page = open_page()
    page.locator('g[id="stem"]').focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator('g[id="layer1.0-1"]')).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator('g[id="layer1.0:add"]')).to_be_focused()
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
    page.locator('g[id="layer2.0:add"]').click()
    expect(words).to_contain_text("layer2.0 · addition")
    page.locator("#graph g.edge text").first.click()
    expect(page.locator("#graph g.selected")).to_have_attribute("id", "layer2.0:add")
    page.mouse.click(frame["x"] + 8, frame["y"] + frame["height"] / 2)
    expect(words).to_contain_text("The whole network")
    expect(page.locator("#graph g.selected")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("at="))
    page.locator('g[id="stem"]').focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#graph g.selected")).to_have_attribute("id", "stem")
    page.keyboard.press("Escape")
    expect(words).to_contain_text("The whole network")


def test_everything_opens_and_folds_back(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Expand").click()
    expect(page.locator('g[id="layer4.1.bn2"]')).to_have_count(1)
    page.get_by_role("button", name="Fold").click()
    expect(page.locator('g[id="layer4.1.bn2"]')).to_have_count(0)
    expect(page.locator('g[id="layer4.1"]')).to_have_count(1)
    choose_preset(page, "CIFAR ResNet-1202")
    expect(page.locator("#summary")).to_contain_text("600 of 600 shortcuts match")
    page.get_by_role("button", name="Expand").click()
    expect(page.locator("#graph .rx-notice")).to_contain_text("are too many to read; at most 700 are drawn")
    # It stays usable: what fits opens.
    page.locator('g[id="layer1.0-199"]').click()
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


def frame(page: Page) -> list[float]:
    """x, y, width, height of what is seen of the drawing, in its units."""
    text = page.locator("#graph .rx-canvas > svg").get_attribute("viewBox")
    assert text is not None
    return [float(number) for number in text.split()]


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def tool(page: Page, name: str) -> Locator:
    return page.get_by_role("toolbar", name="Diagram").get_by_role("button", name=name, exact=True)


def test_the_wheel_zooms_about_the_pointer(open_page: Open) -> None:
    page = open_page()
    stem = page.locator('#graph g[id="stem"]')
    x, y = middle(stem)
    before = frame(page)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    page.wait_for_function("width => document.querySelector('#graph svg').viewBox.baseVal.width < width", arg=before[2])
    assert middle(stem) == pytest.approx((x, y), abs=2)
    assert frame(page)[2] == pytest.approx(before[2] * 2.718281828 ** (-300 * 0.0015), rel=0.01)


def test_a_drag_moves_the_picture_and_selects_nothing(open_page: Open) -> None:
    page = open_page()
    stem = page.locator('#graph g[id="stem"]')
    x, y = middle(stem)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 25)
    page.mouse.move(x + 80, y + 50)
    page.mouse.up()
    assert middle(stem) == pytest.approx((x + 80, y + 50), abs=3)
    expect(page.locator("#graph .selected")).to_have_count(0)


def test_two_fingers_zoom(open_page: Open) -> None:
    page = open_page()
    before = frame(page)
    page.evaluate(
        """() => {
          const fixed = {button: 0, buttons: 1, pointerType: 'touch', bubbles: true};
          const canvas = document.querySelector('#graph .rx-canvas'), box = canvas.getBoundingClientRect();
          const at = (type, id, dx) => canvas.dispatchEvent(new PointerEvent(type, {
            ...fixed, pointerId: id, clientX: box.left + box.width / 2 + dx, clientY: box.top + 200}));
          at('pointerdown', 7, -50);
          at('pointerdown', 8, 50);
          at('pointermove', 8, 150);
          at('pointerup', 8, 150);
          at('pointerup', 7, -50);
        }"""
    )
    assert frame(page)[2] == pytest.approx(before[2] / 2, rel=0.01)


def test_the_buttons_zoom_and_fit(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    fitted = frame(page)
    tool(page, "Zoom in").click()
    assert frame(page)[2] == pytest.approx(fitted[2] / 1.3)
    tool(page, "Zoom out").click()
    assert frame(page) == pytest.approx(fitted)
    tool(page, "Whole").click()
    last, canvas = page.locator('#graph g[id="head"]').bounding_box(), page.locator("#graph .rx-canvas").bounding_box()
    assert last is not None
    assert canvas is not None
    assert last["y"] + last["height"] <= canvas["y"] + canvas["height"]
    tool(page, "100 %").click()
    # A point of the drawing is 4/3 px, as in print.
    assert canvas["width"] / frame(page)[2] == pytest.approx(4 / 3, rel=0.01)
    tool(page, "Fit").click()
    assert frame(page) == pytest.approx(fitted)


def test_the_map_shows_where_one_is_and_goes_elsewhere(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    small = page.locator("#graph .rx-map")
    expect(small).to_be_visible()
    expect(small.locator("rect:not(.window)")).to_have_count(page.locator("#graph .rx-canvas g.node").count())
    box = small.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 12)
    head, canvas = middle(page.locator('#graph g[id="head"]')), page.locator("#graph .rx-canvas").bounding_box()
    assert canvas is not None
    assert canvas["y"] < head[1] < canvas["y"] + canvas["height"]
    tool(page, "Whole").click()
    expect(small).to_be_hidden()


def test_search_goes_to_the_next_and_back(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    page.keyboard.press("Control+f")
    field = page.get_by_role("searchbox", name="Find in the diagram")
    expect(field).to_be_focused()
    field.fill("max-pool")
    count = page.locator("#graph .rx-count")
    expect(count).to_contain_text("found")
    field.fill("conv, 512")
    expect(count).to_contain_text("5 found")
    field.press("Enter")
    expect(count).to_have_text("1 of 5")
    field.press("Enter")
    expect(count).to_have_text("2 of 5")
    field.press("Shift+Enter")
    expect(count).to_have_text("1 of 5")
    expect(page.locator("#graph g.selected")).to_have_attribute("aria-label", re.compile("conv, 512"))
    field.press("Escape")
    expect(field).to_have_value("")


@pytest.mark.parametrize(
    ("by", "words", "spoken"),
    [
        ("parameters", "0 … 4.72 M parameters", "4.72 M parameters"),
        ("multiply-adds", "0 … 462 MMACs", "MACs"),
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
    expect(page.locator('#graph g[id="layer3.1-5"]')).to_have_attribute("aria-label", re.compile("BasicBlock × 5"))
    page.get_by_role("tab", name="Layers").click()
    expect(page.locator("#layers")).to_contain_text("layer3.5.bn2")


def draws(request: Request) -> bool:
    """Whether a request asks for a drawing."""
    return "component_server" in request.url and '"draw"' in (request.post_data or "")


def test_the_last_choice_stands_though_its_drawing_comes_first(open_page: Open) -> None:
    page = open_page()
    held: list[Route] = []
    page.route("**/component_server*", lambda route: held.append(route) if draws(route.request) else route.continue_())
    for depth in ("50", "101", "34"):
        with page.expect_request(draws):
            page.get_by_role("radio", name=depth, exact=True).check(force=True)
    page.unroute("**/component_server*")
    for route in reversed(held):
        with page.expect_response(lambda answer, sent=route.request: answer.request == sent):  # type: ignore[misc]
            route.continue_()
    expect(page.locator("#summary")).to_contain_text("ResNet-34")
    expect(page.locator("#graph .rx-canvas")).to_have_attribute("data-query", re.compile("resnet34|C3$"))


def test_another_network_keeps_what_one_looks_at_in_its_place(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    tool(page, "Zoom in").click()
    stem = page.locator('#graph g[id="stem"]')
    x, y = middle(stem)
    page.mouse.move(x, y)
    page.mouse.wheel(0, 200)
    before, width = middle(stem), frame(page)[2]
    page.get_by_label("Identity only").check()
    expect(page.locator("#graph g.node.merge.broken")).to_have_count(4)
    assert middle(stem) == pytest.approx(before, abs=60)
    assert frame(page)[2] == pytest.approx(width)


def test_what_the_address_selects_is_brought_into_view(open_page: Open) -> None:
    page = open_page("?preset=resnet152&open=layer1+layer2+layer3+layer4+layer4.0&at=layer4.0.conv2")
    chosen, canvas = page.locator('#graph g[id="layer4.0.conv2"]'), page.locator("#graph .rx-canvas").bounding_box()
    expect(chosen).to_have_class(re.compile("selected"))
    expect(page.get_by_label("Inspector")).to_contain_text("2,359,296")
    assert canvas is not None
    assert canvas["y"] < middle(chosen)[1] < canvas["y"] + canvas["height"]
