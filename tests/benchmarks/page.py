"""In the browser: from a click to what it shows, against the round trip of an event that does nothing.

The real app, with one more button that does nothing, and Chromium. Every figure is from one run, taking turns, so that
a busy machine slows all alike; what is judged is the 95th percentile in no-op round trips.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles

import gradio as gr
import uvicorn
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from explorer.ui import page as ui
from explorer.ui.server import create_app
from tests.browser.conftest import FLAGS, chromium_path

from .structure import start_cold

TARGET = 10  # no-op round trips, for the 95th percentile
WARM_UP = 2

# Each waits in the page itself for what the click must show, and gives the milliseconds that took. What the last
# click still has to do (tables, address) is let finish first, as a reader's eyes would.
_TIMED = """async argument => {{
  await new Promise(settled => requestIdleCallback(() => setTimeout(settled, 150)));
  {setup}
  const start = performance.now();
  return new Promise(done => {{
    const watcher = new MutationObserver(() => {{
      if (!({shown})) return;
      watcher.disconnect();
      requestAnimationFrame(() => done(performance.now() - start));
    }});
    watcher.observe({watched}, {{attributes: true, childList: true, subtree: true, characterData: true}});
    {click}
  }});
}}"""
NO_OP = _TIMED.format(
    setup="const status = document.querySelector('#bench-status'), before = status.textContent.trim();",
    shown="!['', before].includes(status.textContent.trim())",
    watched="status",
    click="document.querySelector('#bench-button').click();",
)
TOGGLE = _TIMED.format(
    setup="""const canvas = document.querySelector('#graph .rx-canvas'), before = canvas.dataset.query;
      const choice = [...document.querySelectorAll('#builder label')].find(l => l.textContent.trim() === argument);""",
    shown="canvas.dataset.query !== before",
    watched="canvas",
    click="choice.querySelector('input').click();",
)
INSPECT = _TIMED.format(
    setup="""const sums = document.querySelectorAll('#graph g.node.merge:not(.selected)');
      const sum = sums[argument % sums.length];
      const inspector = document.querySelector('#graph .rx-inspector'), before = inspector.innerHTML;""",
    shown="inspector.innerHTML !== before",
    watched="inspector",
    click="sum.dispatchEvent(new MouseEvent('click', {bubbles: true}));",
)


def run(console: Console, repeat: int) -> None:
    rounds = max(40, 8 * repeat)
    with _app() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_selector("#graph svg g.node")
        times = measure(page, rounds)
        browser.close()
    unit = median(times["no-op event"])
    table = Table("what", "p50", "p95", "p95 in no-ops", "target", "", title=f"in the browser, {rounds} of each")
    for name, values in times.items():
        p95 = quantiles(values, n=20)[-1]
        judged = name != "no-op event"
        verdict = ("met" if p95 < TARGET * unit else "[bold]not met[/]") if judged else ""
        asked = f"< {TARGET}×" if judged else ""
        table.add_row(name, f"{median(values):.0f} ms", f"{p95:.0f} ms", f"{p95 / unit:.1f}×", asked, verdict)
    console.print(table)


def measure(page: Page, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of event; no network is remembered from before."""
    toggles = ("50", "101", "152", "18", "34")
    shortcuts = ("C · project everywhere", "A · zero-pad", "Identity only", "B · project on change")
    steps: dict[str, Callable[[int], float]] = {
        "no-op event": lambda i: page.evaluate(NO_OP, i),
        "shortcut toggled → diagram": lambda i: page.evaluate(TOGGLE, shortcuts[i % len(shortcuts)]),
        "depth toggled → diagram": lambda i: page.evaluate(TOGGLE, toggles[i % len(toggles)]),
        "sum clicked → inspector": lambda i: page.evaluate(INSPECT, i),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(WARM_UP + rounds):
        for name, step in steps.items():
            start_cold()
            spent = step(number)
            if number >= WARM_UP:
                times[name].append(spent)
    return times


@contextmanager
def _app() -> Iterator[str]:
    """The app with a button that does nothing, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(build=_page_with_no_op), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.1)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


def _page_with_no_op() -> gr.Blocks:
    page = ui.build_page()
    with page:
        count = gr.Number(0, visible="hidden")
        status = gr.HTML("0", elem_id="bench-status")
        button = gr.Button("no-op", elem_id="bench-button")
        button.click(lambda n: (n + 1, str(n + 1)), count, [count, status], show_progress="hidden")
    return page
