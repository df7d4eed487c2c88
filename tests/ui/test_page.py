"""The page as a whole, without a browser."""

from __future__ import annotations

from explorer.ui.kit import sessions
from explorer.ui.page import build_page


def test_one_handler_closes_the_page() -> None:
    page = build_page()
    handlers = [event.fn for event in page.fns.values() if any(name == "unload" for _, name in event.targets)]
    assert handlers == [sessions.on_close]
