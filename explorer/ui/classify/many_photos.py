"""Many photos, one network: each is sent, classified and listed on its own; unreadable files stop nothing."""

from __future__ import annotations

from typing import Annotated, Any

import gradio as gr

from ...errors import ImageError
from ...views.classify.many_photos import CSV_HEAD, csv_line, failed_row, row
from ..kit import scripts
from ..kit.bridge import answers, error_message
from ..kit.panel import create_panel
from . import networks
from .file_input import PICK
from .requests import PhotoRequest, clipped
from .upload import MAX_NAME

_TEMPLATE = f"""
<details class="rx-section rx-many">
  <summary>Many photos <small>one network, a table, a CSV</small></summary>
  <div class="rx-row">
    <button type="button" class="rx-button" data-do="photos">Choose photos</button>
    <button type="button" class="rx-button" data-do="folder">Choose a folder</button>
    <button type="button" class="rx-button" data-do="csv" disabled>Download CSV</button>
    <button type="button" class="rx-button" data-do="stop" hidden>Stop</button>
    <input type="file" multiple aria-label="Photo files" {PICK}>
    <input type="file" webkitdirectory aria-label="Folder of photos" hidden>
  </div>
  <p class="rx-note">Or drop several at once above. Files that cannot be read are listed with the reason.</p>
  <progress aria-label="Photos classified" hidden></progress>
  <p class="rx-told" role="status"></p>
  <p class="rx-earlier" role="status" hidden>These answers are of the network that was chosen before.</p>
  <div class="rx-scroll" tabindex="0" role="region" aria-label="Many photos" hidden>
    <table class="rx-table"><thead><tr><th scope="col"><span class="rx-unseen">Photo</span></th>
      <th scope="col">File</th><th scope="col">Answer</th><th scope="col" class="num">Score</th>
      <th scope="col">Then</th><th scope="col" class="num">Time</th></tr></thead><tbody></tbody></table>
  </div>
</details>
"""


def build_panel() -> gr.HTML:
    """Lay the panel out in the current Gradio context."""
    script = scripts.mount("classify/many_photos.js", columns=CSV_HEAD)
    return create_panel("many-panel", _TEMPLATE, script, [classify_row])


class RowRequest(PhotoRequest):
    """
    Attributes:
        name: of the file.
        error: why the photo has no token.
    """

    name: Annotated[str, clipped(MAX_NAME)] = ""
    error: Annotated[str, clipped(300)] | None = None


@answers(RowRequest)
def classify_row(request: RowRequest) -> dict[str, Any]:
    """-> ``{"row", "csv", "ok"}``, also for a photo without an answer."""
    try:
        if request.error is not None:
            raise ImageError(request.error)
        prediction = networks.predict(request, request.photo)
    except Exception as error:
        words = error_message(error)
        return {"row": failed_row(request.name, words), "csv": csv_line(request.name, words), "ok": False}
    return {"row": row(request.name, prediction), "csv": csv_line(request.name, prediction), "ok": True}
