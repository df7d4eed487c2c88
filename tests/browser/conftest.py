"""The page as a person meets it: the real server in a process of its own, and Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.support.paths import ROOT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A test picture instead of a camera, and no question whether it may be used.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
Open = Callable[..., Page]

expect.set_options(timeout=45_000)  # a busy machine is slow, and that is no failure


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running app whose weights can only come from a server that is not there."""
    with socket.socket() as free, socket.socket() as closed:
        free.bind(("127.0.0.1", 0))
        closed.bind(("127.0.0.1", 0))
        port, nobody = free.getsockname()[1], closed.getsockname()[1]
    cache = tmp_path_factory.mktemp("cache")
    environment = os.environ | {
        "RESNET_EXPLORER_CACHE": str(cache),
        "TORCH_HOME": str(cache),
        "RESNET_EXPLORER_MIRROR": f"http://127.0.0.1:{nobody}",
    }
    command = [sys.executable, "app.py", "--port", str(port)]
    log = (cache / "server.log").open("w")
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_until_up(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(40)
        log.close()


def _wait_until_up(url: str, server: subprocess.Popen[bytes]) -> None:
    """Poll the health check; the process ending first is a failure, not a wait."""
    for _ in range(240):
        assert server.poll() is None, "the app ended before it answered"
        try:
            with urllib.request.urlopen(url + "healthz", timeout=5) as answer:
                assert answer.read() == b"ok"
                return
        except (urllib.error.URLError, TimeoutError):
            try:
                server.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail("the app did not answer in two minutes")


def chromium_path() -> str | None:
    """The browser that the set-up found; None for playwright's own."""
    found = Path(sys.prefix, "browser-path")
    return (found.read_text().strip() if found.is_file() else shutil.which("chromium")) or None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Open the app; at the end of the test its console held no error and it asked no other host for anything."""
    pages: list[Page] = []
    errors: list[str] = []
    outside: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    def watch(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            outside.append(request.url)

    def open_it(query: str = "", *, width: int = 1440, height: int = 900, dark: bool = False) -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
        page.set_default_timeout(60_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", watch)
        pages.append(page)
        page.goto(f"{address}{query}")
        # An address may name another tab, over the diagram.
        page.wait_for_selector("#graph svg g.node", state="attached" if "tab=" in query else "visible")
        return page

    yield open_it
    for page in pages:
        page.evaluate("0")  # by its answer everything said before has arrived
    said = list(errors)  # a page that is closed amid an answer complains of that
    for page in pages:
        page.close()
    assert said == []
    assert outside == []


def choose_preset(page: Page, title: str) -> None:
    page.get_by_label("Preset").click()
    page.get_by_role("option", name=title, exact=True).click()
