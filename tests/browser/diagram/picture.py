"""What the tests of the diagram read of its picture."""

from __future__ import annotations

from playwright.sync_api import Locator, Page


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
