"""Charts after the page's address changed."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def hatched(page: Page) -> int:
    """Orange pixels in the chart of costs, which has only the hatching of the projections' bars in that colour."""
    chart = Image.open(io.BytesIO(page.locator("#cost-plot .rx-plot").screenshot())).convert("RGB")
    red, _, blue = np.moveaxis(np.asarray(chart, dtype=int), -1, 0)
    return int((red > blue + 60).sum())


def test_hatching_is_painted_after_the_address_changed(open_page: Open) -> None:
    page = open_page("?preset=resnet50")
    page.get_by_role("tab", name="What A, B and C cost").click()
    bars = page.locator('#cost-plot .rx-plot path[style*="url("]')
    expect(bars).not_to_have_count(0)
    before = hatched(page)
    assert before > 1000
    page.get_by_label("Tint the boxes by").select_option(label="parameters")
    expect(page).to_have_url(re.compile("tint=params"))
    # Laid out again, the bars look up their patterns again.
    page.get_by_role("tab", name="Layers").click()
    expect(page.locator("#cost-plot")).to_be_hidden()
    page.get_by_role("tab", name="What A, B and C cost").click()
    expect(page.locator("#cost-plot")).to_be_visible()
    assert hatched(page) == pytest.approx(before, rel=0.05)
