"""Fetching a pretrained network's weights for the Classify tab: progress, and cancelling."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from ...inference import Progress, fetch, find
from ...views.classify.prediction import download_progress
from ...views.kit.markup import banner
from ..kit.bridge import error_message
from .networks import base_of, choices

_PAUSE = 0.25  # seconds between two progress lines


def download(name: str, request: gr.Request) -> Iterator[list[Any]]:
    """Updates of status, Download, Cancel and the choice of network. The weights come in a thread; closing the
    generator cancels that."""
    variant = find(base_of(name))
    latest: queue.SimpleQueue[Progress | Exception | None] = queue.SimpleQueue()
    stopped = threading.Event()

    def work() -> None:
        try:
            fetch(variant, on_progress=latest.put, cancelled=stopped.is_set)
            latest.put(None)
        except Exception as error:  # handed to the page's thread, which tells errors apart
            latest.put(error)

    threading.Thread(target=work, daemon=True).start()
    shown = 0.0
    held = gr.update(interactive=False)
    yield [download_progress(variant, None), gr.update(visible=False), gr.update(visible=True), held]
    try:
        while isinstance(event := latest.get(), Progress):
            if time.monotonic() - shown > _PAUSE:
                shown = time.monotonic()
                yield [download_progress(variant, event), gr.skip(), gr.skip(), gr.skip()]
    finally:
        stopped.set()
    free = gr.update(interactive=True, choices=choices(str(request.session_hash)))
    yield [
        banner(error_message(event)) if event else "",
        gr.update(visible=bool(event)),
        gr.update(visible=False),
        free,
    ]


def cancelled() -> list[Any]:
    """The same updates, once Cancel was pressed."""
    message = banner("Download cancelled. What has arrived is kept; Download goes on from there.", "note")
    return [message, gr.update(visible=True), gr.update(visible=False), gr.update(interactive=True)]
