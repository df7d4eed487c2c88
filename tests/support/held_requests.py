"""Requests of the page to its server that a test holds back until it has seen what the page shows meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Request, Route

_SERVER = re.compile("/component_server")  # a glob's * does not match the / at its end


class HeldRequests:
    """Holds back the requests that are ``wanted``, until ``release``; others pass."""

    def __init__(self, page: Page, wanted: Callable[[Request], bool]) -> None:
        self.routes: list[Route] = []
        self._wanted = wanted
        self._is_released = False
        page.route(_SERVER, self._handle)

    def _handle(self, route: Route) -> None:
        if self._is_released or not self._wanted(route.request):
            route.continue_()
        else:
            self.routes.append(route)

    def release(self) -> list[Route]:
        """Let later requests pass. Returns those that were held, for the test to continue; there is at least one."""
        self._is_released = True
        assert self.routes, "nothing was held back"
        return self.routes


def calls(name: str) -> Callable[[Request], bool]:
    """Whether a request calls the server function ``name``."""
    return lambda request: bool(_SERVER.search(request.url)) and f'"{name}"' in (request.post_data or "")
