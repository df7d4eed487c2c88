"""The picture in its frame: wheel, fingers, buttons, map, and what stays in view."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.diagram.picture import frame, middle, tool

pytestmark = pytest.mark.browser


def test_ctrl_and_the_wheel_zoom_about_the_pointer(open_page: Open) -> None:
    page = open_page()
    stem = page.locator('#graph g[id="stem"]')
    x, y = middle(stem)
    before = frame(page)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
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
    assert frame(page) == pytest.approx(fitted, abs=1e-5)
    tool(page, "Fit all").click()
    last, canvas = page.locator('#graph g[id="head"]').bounding_box(), page.locator("#graph .rx-canvas").bounding_box()
    assert last is not None
    assert canvas is not None
    assert last["y"] + last["height"] <= canvas["y"] + canvas["height"]
    tool(page, "100 %").click()
    # A point of the drawing is 4/3 px, as in print.
    assert canvas["width"] / frame(page)[2] == pytest.approx(4 / 3, rel=0.01)
    tool(page, "Fit width").click()
    assert frame(page) == pytest.approx(fitted, abs=1e-5)


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
    tool(page, "Fit all").click()
    expect(small).to_be_hidden()


def test_another_network_keeps_what_one_looks_at_in_its_place(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    tool(page, "Zoom in").click()
    stem = page.locator('#graph g[id="stem"]')
    x, y = middle(stem)
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, 200)
    page.keyboard.up("Control")
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


def test_the_wheel_alone_scrolls_the_page_and_a_hint_says_once_how_to_zoom(open_page: Open) -> None:
    page = open_page(height=600)
    before, hint = frame(page), page.locator("#graph .rx-gesture-hint")
    page.mouse.move(*middle(page.locator("#graph .rx-canvas")))
    page.mouse.wheel(0, 120)
    page.wait_for_function("scrollY > 100")
    expect(hint).to_have_text("Ctrl + wheel zooms the diagram. Drag it to move it.")
    assert frame(page) == before
    expect(hint).to_have_count(0)
    page.mouse.wheel(0, -120)
    page.wait_for_function("scrollY < 20")
    expect(hint).to_have_count(0)


def test_one_finger_scrolls_the_page_and_a_hint_says_once_how_to_move(open_page: Open) -> None:
    page = open_page(width=390, height=700)
    canvas = page.locator("#graph .rx-canvas")
    assert canvas.evaluate("element => getComputedStyle(element).touchAction") == "pan-y"
    # What a browser sends when it takes a finger for scrolling.
    scrolled = """canvas => {
      const at = (type, y) => canvas.dispatchEvent(new PointerEvent(type, {
        button: 0, buttons: 1, pointerType: 'touch', pointerId: 7, bubbles: true, clientX: 150, clientY: y}));
      at('pointerdown', 500);
      at('pointercancel', 480);
    }"""
    canvas.evaluate(scrolled)
    expect(page.locator("#graph .rx-gesture-hint")).to_have_text("Two fingers move and zoom the diagram.")
    expect(page.locator("#graph .rx-gesture-hint")).to_have_count(0)
    canvas.evaluate(scrolled)
    expect(page.locator("#graph .rx-gesture-hint")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 800)])
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_an_opened_block_stays_in_view(open_page: Open, width: int, height: int, motion: str) -> None:
    page = open_page("?preset=resnet34", width=width, height=height)
    page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    for name in ("layer1.0-2", "layer1.1", "layer1.0"):
        box = page.locator(f'#graph g.node[id="{name}"]')
        box.focus()
        page.keyboard.press("Enter")
        opened = page.locator('#graph g[id="layer1.0"]' if name == "layer1.0-2" else f'#graph g[id="group:{name}"]')
        expect(opened).to_have_count(1)
        page.wait_for_function(
            """id => {
              const outer = document.querySelector('#graph .rx-canvas').getBoundingClientRect();
              const box = document.querySelector(`#graph g[id="${id}"]`).getBoundingClientRect();
              const fits = box.height < outer.height - 16;
              return box.top >= outer.top - 1 && box.left >= outer.left - 1
                && (box.bottom <= outer.bottom + 1 || !fits);
            }""",
            arg=opened.get_attribute("id"),
        )


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 800)])
def test_nothing_lies_over_the_drawing_or_is_cut_off(open_page: Open, width: int, height: int) -> None:
    page = open_page("?preset=resnet50", width=width, height=height)
    expect(page.locator("#graph .rx-map svg")).to_have_count(1)
    boxes = page.evaluate(
        """() => Object.fromEntries(['.rx-canvas', '.rx-map', '.rx-tint', '.rx-search', '.rx-legend', '.rx-tools']
          .map(name => [name, document.querySelector('#graph ' + name).getBoundingClientRect().toJSON()]))"""
    )
    apart = [(".rx-tint", ".rx-search"), (".rx-legend", ".rx-tools"), (".rx-canvas", ".rx-tint")]
    apart += [(".rx-canvas", ".rx-search"), (".rx-canvas", ".rx-legend"), (".rx-canvas", ".rx-tools")]
    if width < 1440:
        apart.append((".rx-canvas", ".rx-map"))
    for first, second in apart:
        a, b = boxes[first], boxes[second]
        beside = a["right"] <= b["left"] + 1 or b["right"] <= a["left"] + 1
        assert beside or a["bottom"] <= b["top"] + 1 or b["bottom"] <= a["top"] + 1, (first, second)
    stage = page.locator("#graph .rx-stage").bounding_box()
    assert stage is not None
    for part in page.locator("#graph :is(.rx-legend span, .rx-tools button)").all():
        box = part.bounding_box()
        assert box is not None
        assert stage["x"] <= box["x"]
        assert box["x"] + box["width"] <= stage["x"] + stage["width"]
        assert box["y"] + box["height"] <= stage["y"] + stage["height"]


def test_the_map_of_a_very_long_picture_can_be_read(open_page: Open) -> None:
    page = open_page(
        "?preset=resnet152&open=" + "+".join(["layer3", "layer3.1-35", *(f"layer3.{i}" for i in range(20))])
    )
    small = page.locator("#graph .rx-map")
    expect(small.locator("svg")).to_have_attribute("preserveAspectRatio", "none")
    window, whole = small.locator(".window").bounding_box(), small.bounding_box()
    assert window is not None
    assert whole is not None
    assert window["width"] > whole["width"] / 2
    assert window["height"] > 4


def test_a_change_of_the_builder_is_marked_for_a_moment(open_page: Open) -> None:
    page = open_page("?preset=resnet18")
    marked = page.locator("#graph g.node.changed")
    expect(marked).to_have_count(0)
    page.evaluate(
        """() => {
          window.marked = new Set();
          const changed = () => document.querySelectorAll('#graph g.changed');
          const observer = new MutationObserver(() => changed().forEach(g => window.marked.add(g.id)));
          observer.observe(document.querySelector('#graph'), {subtree: true, childList: true, attributes: true});
        }"""
    )
    page.get_by_label("Identity only").check()
    page.wait_for_function("window.marked.size > 0")
    assert set(page.evaluate("[...window.marked]")) == {f"layer{stage}.0:add" for stage in (2, 3, 4)}
    expect(marked).to_have_count(0)
    page.locator('#graph g[id="layer2.1"]').focus()
    page.evaluate("window.marked.clear()")
    page.keyboard.press("Enter")
    expect(page.locator('#graph g[id="layer2.1.conv1"]')).to_have_count(1)
    assert page.evaluate("window.marked.size") == 0
