"""What A, B and C cost, on screens of usual widths: every column and every button is in view."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_buttons_and_columns_are_in_view_and_zeros_are_counted(open_page: Open, width: int, height: int) -> None:
    page = open_page("?preset=resnet50", width=width, height=height)
    page.get_by_role("tab", name="What A, B and C cost").click()
    table = page.locator("#cost-table .rx-scroll").first
    expect(table.get_by_role("button", name="Use C · project everywhere")).to_be_visible()
    assert table.evaluate("box => box.scrollWidth - box.clientWidth") == 0
    for button in table.get_by_role("button").all():
        box = button.bounding_box()
        assert box
        assert box["x"] + box["width"] <= width
    expect(page.locator("#cost-table")).to_contain_text("192 of the 256 channels (75 %) that the shortcut of layer1.0")
    expect(page.locator("#cost-table .rx-zeros tbody tr")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
