"""The weights of a pretrained network are downloaded: the buttons for it, progress, and cancelling."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...inference import Progress, fetch, find
from ...views.classify.prediction import download_progress
from ...views.kit import numbers
from ...views.kit.markup import banner
from ..kit.bridge import error_message
from . import networks

_PAUSE = 0.25  # seconds between two progress lines
Updates = dict[Any, Any]


@dataclass(frozen=True)
class DownloadRow:
    """Download, Cancel and the status below.

    Attributes:
        variant: the choice of network. It cannot be changed while weights arrive: what is shown when they have arrived
            is what was asked for.
    """

    start: gr.Button
    stop: gr.Button
    status: gr.HTML
    variant: gr.Dropdown

    @property
    def outputs(self) -> list[Any]:
        return [self.status, self.start, self.stop, self.variant]

    def offer(self, name: str) -> Updates:
        """Download, if the network lacks weights."""
        missing = networks.to_download(name)
        label = f"Download {numbers.size(missing.file.size_bytes)}" if missing else "Download"
        return {self.start: gr.update(visible=bool(missing), value=label)}

    def fetch(self, name: str, request: gr.Request) -> Iterator[Updates]:
        """Download the weights of ``name`` in a thread; closing the generator cancels that."""
        variant = find(networks.base_of(name))
        latest: queue.SimpleQueue[Progress | Exception | None] = queue.SimpleQueue()
        stopped = threading.Event()

        def work() -> None:
            try:
                fetch(variant.file, variant.title, on_progress=latest.put, cancelled=stopped.is_set)
                latest.put(None)
            except Exception as error:  # handed to the page's thread, which tells errors apart
                latest.put(error)

        threading.Thread(target=work, daemon=True).start()
        shown = 0.0
        yield self._update(download_progress(variant, None), start=False, stop=True, interactive=False)
        try:
            while isinstance(event := latest.get(), Progress):
                if time.monotonic() - shown > _PAUSE:
                    shown = time.monotonic()
                    yield {self.status: download_progress(variant, event)}
        finally:
            stopped.set()
        words = banner(error_message(event)) if event else ""
        choices = networks.choices(str(request.session_hash))
        yield self._update(words, start=bool(event), interactive=True, choices=choices)

    def cancel(self) -> Updates:
        """Cancel was pressed."""
        words = "Download cancelled. The part that has arrived was saved; Download resumes there."
        return self._update(banner(words, "note"), start=True, interactive=True)

    def _update(self, status: str, *, start: bool, stop: bool = False, **variant: Any) -> Updates:
        return {
            self.status: status,
            self.start: gr.update(visible=start),
            self.stop: gr.update(visible=stop),
            self.variant: gr.update(**variant),
        }


def build_row(variant: gr.Dropdown) -> DownloadRow:
    """Lay the buttons and the status out in the current Gradio context."""
    with gr.Row(elem_id="download-row"):
        start = gr.Button(
            "Download", visible=False, variant="primary", size="sm", scale=0, min_width=200, elem_id="download"
        )
        stop = gr.Button("Cancel", visible=False, size="sm", scale=0, min_width=120, elem_id="cancel-download")
    status = gr.HTML("", padding=False, elem_id="download-status")
    return DownloadRow(start, stop, status, variant)
