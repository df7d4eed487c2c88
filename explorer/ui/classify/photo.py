"""The photo (dropped, pasted, chosen, taken or a sample) and the prediction of the chosen network."""

from __future__ import annotations

from typing import Annotated, Any

import gradio as gr
from pydantic import BeforeValidator

from ...errors import ImageError
from ...inference.classifier import DEFAULT, NotHere
from ...inference.images.decode import MAX_BYTES
from ...views.classify.prediction import answer
from ...views.kit.markup import banner
from ...views.kit.pictures import photo_picture
from ..kit import scripts
from ..kit.bridge import Request, answers, error_message
from ..kit.panel import create_panel
from . import networks, upload
from .file_input import PICK
from .requests import PhotoRequest, SessionRequest

_TEMPLATE = f"""
<div class="rx-classify">
  <div class="rx-given">
    <div class="rx-drop" aria-label="Photo">
      <img class="rx-photo" alt="Your photo" hidden>
      <video playsinline muted hidden></video>
      <div class="rx-idle"><p><strong>Drop a photo here</strong>, or paste one, or several.</p>
        <p class="rx-note">JPEG, PNG, WebP, GIF, AVIF or HEIC, up to 20 MiB. It stays on this machine.</p></div>
      <div class="rx-buttons">
        <button type="button" class="rx-button" data-do="pick">Choose a photo</button>
        <button type="button" class="rx-button" data-do="camera">Use the camera</button>
        <button type="button" class="rx-button" data-do="shoot" hidden>Take the photo</button>
        <button type="button" class="rx-button" data-do="close" hidden>Close the camera</button>
      </div>
      <input type="file" multiple aria-label="Photo file" {PICK}>
    </div>
    <div class="rx-several" role="status" hidden></div>
    <div class="rx-examples" role="group" aria-label="Example photos" hidden><span>Try one of these</span></div>
  </div>
  <div class="rx-answer" aria-live="polite"></div>
</div>
"""


def build_panel() -> gr.HTML:
    """Lay the panel out in the current Gradio context.

    Its value names the session; ``variant`` and ``device`` are the network and where it runs; a new ``ready`` makes it
    classify the photo again.
    """
    script = scripts.mount("classify/photo.js", max_bytes=MAX_BYTES)
    functions = [classify, list_examples, open_example]
    return create_panel("classify-panel", _TEMPLATE, script, functions, variant=DEFAULT, device="auto", ready=0)


def _milliseconds(value: Any) -> float:
    """A duration that a browser reports; 0 if it is not a sensible number."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1e6 else 0.0


class ClassifyRequest(PhotoRequest):
    """
    Attributes:
        decoding: time spent decoding the photo, ms, as the upload's answer said.
    """

    decoding: Annotated[float, BeforeValidator(_milliseconds)] = 0.0


class ExampleRequest(SessionRequest):
    """
    Attributes:
        number: of the example, as ``upload.open_example`` takes it.
    """

    number: Any = None


@answers(ClassifyRequest)
def classify(request: ClassifyRequest) -> dict[str, Any]:
    """-> ``{"html"}``, also for errors. ``answered``: there is a prediction. ``gone``: the photo must be sent again."""
    try:
        photo = request.photo
    except ImageError as error:
        return {"html": banner(error_message(error)), "gone": True}
    try:
        prediction = networks.predict(request, photo)
    except NotHere as error:
        return {"html": banner(error_message(error), "note")}
    except Exception as error:
        return {"html": banner(error_message(error))}
    html = answer(prediction, request.decoding, photo_picture(prediction.crop, lossless=True))
    return {"html": html, "answered": True}


@answers(Request)
def list_examples(request: Request) -> dict[str, Any]:
    """-> ``{"thumbs": [data URI]}``."""
    return {"thumbs": [thumb for _, thumb in upload.examples()]}


@answers(ExampleRequest)
def open_example(request: ExampleRequest) -> dict[str, Any]:
    """-> what ``POST /photo`` answers."""
    return upload.open_example(request.number, request.session)
