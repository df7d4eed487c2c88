"""The Classify tab: a photo in, top-5 out; pretrained weights fetched only when asked."""

from __future__ import annotations

import base64
import io
import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
from PIL import Image

from ..errors import ExplorerError, ImageError
from ..inference import (
    Photo,
    Prediction,
    Progress,
    Variant,
    available_devices,
    decode,
    fetch,
    find,
    is_cached,
    load_variant,
    variants,
)
from ..inference.classifier import DEFAULT
from ..inference.images import MAX_BYTES
from ..spec import title
from ..views import numbers
from ..views.markup import banner, tag, text
from ..views.prediction import answer, download_progress
from . import files
from .failures import told
from .held import FILE, SHELF, Held
from .style import ASSETS

# A 40-megapixel photo takes up to a gigabyte while it is decoded.
_DECODING = threading.BoundedSemaphore(2)

_TEMPLATE = """
<div class="rx-classify">
  <div class="rx-drop" aria-label="Photo">
    <img class="rx-photo" alt="Your photo" hidden>
    <video playsinline muted hidden></video>
    <div class="rx-idle"><p><strong>Drop a photo here</strong>, or paste one.</p>
      <p class="rx-note">JPEG, PNG, WebP, GIF, AVIF or HEIC, up to 20 MiB. It stays on this machine.</p></div>
    <div class="rx-buttons">
      <button type="button" class="rx-button" data-do="pick">Choose a photo</button>
      <button type="button" class="rx-button" data-do="camera">Use the camera</button>
      <button type="button" class="rx-button" data-do="shoot" hidden>Take the photo</button>
      <button type="button" class="rx-button" data-do="close" hidden>Close the camera</button>
    </div>
    <input type="file" accept="image/*,.heic,.heif,.avif" aria-label="Photo file" hidden>
  </div>
  <div class="rx-answer" aria-live="polite"></div>
</div>
"""


def build_tab(opened: Any) -> gr.Dropdown:
    """Lay the tab out in the current Gradio context; returns the choice of network.

    Args:
        opened: the panel of model files (``files.panel``); what it opens is among the choices.
    """
    devices = [("Automatic", "auto"), *((device.label, device.name) for device in available_devices())]
    with gr.Row():
        variant = gr.Dropdown(
            _choices(), value=DEFAULT, label="Network", interactive=True, scale=3, min_width=280, elem_id="variant"
        )
        device = gr.Radio(devices, value="auto", label="Device", interactive=True, scale=2, min_width=280)
    about = gr.HTML(_about(DEFAULT), elem_id="variant-about", padding=False)
    with gr.Row(elem_id="download-row"):
        start = gr.Button(
            "Download", visible=False, variant="primary", size="sm", scale=0, min_width=200, elem_id="download"
        )
        stop = gr.Button("Cancel", visible=False, size="sm", scale=0, min_width=120, elem_id="cancel-download")
    status = gr.HTML("", padding=False, elem_id="download-status")
    panel = gr.HTML(
        value="",
        variant=DEFAULT,
        device="auto",
        ready=0,
        max_bytes=MAX_BYTES,
        html_template=_TEMPLATE,
        js_on_load=(ASSETS / "classify.js").read_text(),
        server_functions=[classify],
        apply_default_css=False,
        padding=False,
        elem_id="classify-panel",
    )
    chosen: dict[str, Any] = {"inputs": variant, "outputs": [about, start, panel], "show_progress": "hidden"}
    variant.input(_chosen, **chosen, trigger_mode="always_last")
    variant.input(lambda: "", None, status, show_progress="hidden")
    device.input(lambda name: gr.update(device=name), device, panel, show_progress="hidden")
    # The choice is held while its weights arrive: what is shown when they do is what was asked for.
    busy = [status, start, stop, variant]
    download = start.click(_download, variant, busy, show_progress="hidden")
    download.then(_chosen, **chosen)
    stop.click(_cancelled, None, busy, cancels=download, show_progress="hidden")
    opened.input(_offered, [opened, variant], [variant, *chosen["outputs"]], show_progress="hidden")
    return variant


def refreshed() -> Any:
    """The choices as they are now: what has been downloaded since the program started is on this machine."""
    return gr.update(choices=_choices())


def classify(request: Any) -> str:
    """Browser's ``{"photo": base64, "variant", "device", "network"}`` -> JSON ``{"html", "photo"}``.

    ``network``: the page's address, which says of a model file what its weights don't. The photo comes back re-encoded.
    """
    started = time.perf_counter()
    try:
        with _DECODING:
            photo = decode(_bytes(request))
        decoding = (time.perf_counter() - started) * 1000
        name, device = str(request.get("variant", DEFAULT))[:100], str(request.get("device", "auto"))[:20]
        if name.startswith(FILE):
            prediction = _with_file(_file(name), str(request.get("network", "")), device, photo)
        else:
            variant = find(name)
            if not is_cached(variant):
                size = numbers.size(variant.size_bytes)
                message = f"{variant.title} is not on this machine yet. Download it above ({size})."
                return json.dumps({"html": banner(message, "note"), "photo": _data_uri(photo.image)})
            prediction = load_variant(variant, device).classify(photo)
    except Exception as error:
        return json.dumps({"html": banner(told(error))})
    html = answer(prediction, decoding, _data_uri(prediction.seen, lossless=True))
    return json.dumps({"html": html, "photo": _data_uri(photo.image)})


def _bytes(request: Any) -> bytes:
    encoded = request.get("photo") if isinstance(request, dict) else None
    if not isinstance(encoded, str) or len(encoded) > MAX_BYTES * 4 // 3 + 4:
        raise ImageError("A photo of at most 20 MiB is expected.")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:  # binascii's own error is one
        raise ImageError("The photo did not arrive whole; drop it once more.") from None


def _data_uri(image: Image.Image, *, lossless: bool = False, side: int = 800) -> str:
    """Decoded pixels as a fresh file the page can show: nothing of the upload itself goes back."""
    small = image.copy()
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    kind = "PNG" if lossless else "JPEG"
    small.save(buffer, kind, quality=88)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _with_file(held: Held, network: str, device: str, photo: Photo) -> Prediction:
    """The answer of a file's weights, and how they were read."""
    spec = held.chosen(network.removeprefix("?"))
    prediction = held.classifier(spec, device).classify(photo)
    return replace(prediction, notes=(*prediction.notes, *files.assumed(held, spec)))


def _file(name: str) -> Held:
    return SHELF.find(name.removeprefix(FILE))


def _choices(session: str = "") -> list[tuple[str, str]]:
    """Labels and names; the files that a page has opened come first."""
    own = [(f"your file: {held.shown}", FILE + token) for token, held in SHELF.of(session) if held.classifies]
    return [*own, *((_label(variant), variant.name) for variant in variants())]


def _label(variant: Variant) -> str:
    if variant.builtin:
        return f"{variant.title} · built in"
    return f"{variant.title} · {'on this machine' if is_cached(variant) else numbers.size(variant.size_bytes)}"


def _about(name: str) -> str:
    if name.startswith(FILE):
        return tag("p", text(_about_file(name)), css="rx-note")
    variant = find(name)
    score = f"{variant.top1:.1f} % top-1 on {variant.dataset}. " if variant.top1 is not None else ""
    names = ", ".join(variant.classes) if len(variant.classes) <= 12 else f"{len(variant.classes):,} classes"
    return tag("p", text(f"{score}Knows {names}. {numbers.count(variant.params)} parameters."), css="rx-note")


def _about_file(name: str) -> str:
    try:
        held = _file(name)
        spec = held.checkpoint.spec
    except ExplorerError as error:
        return told(error)
    size = numbers.size(held.checkpoint.size_bytes)
    return (
        f"{held.shown}: {title(spec)}, {spec.num_classes:,} classes, {size}. "
        "What its weights don't tell is as in the builder while the builder shows this network."
    )


def _chosen(name: str) -> list[Any]:
    if name.startswith(FILE):
        return [_about(name), gr.update(visible=False), gr.update(variant=name, ready=time.time())]
    variant = find(name)
    missing = not is_cached(variant)
    button = gr.update(visible=missing, value=f"Download {numbers.size(variant.size_bytes)}")
    return [_about(name), button, gr.update(variant=name, ready=time.time())]


def _offered(wish: Any, now: str, request: gr.Request) -> list[Any]:
    """After the panel of files asked for something: choices, and the one it asked for; a file that went is let go."""
    session = str(request.session_hash)
    try:
        do, token, held = files.wished(wish, session)
        wanted = FILE + token if do == "classify" and held and held.classifies else now
    except ExplorerError:
        wanted = now
    choices = _choices(session)
    if wanted not in (name for _, name in choices):
        wanted = DEFAULT
    rest = [gr.skip()] * 3 if wanted == now else _chosen(wanted)
    return [gr.update(choices=choices, value=wanted), *rest]


def _download(name: str, request: gr.Request) -> Iterator[list[Any]]:
    """Fetch in a thread; the progress line follows four times a second. Closing the generator cancels the download."""
    variant = find(name)
    latest: queue.SimpleQueue[Progress | Exception | None] = queue.SimpleQueue()
    cancelled = threading.Event()

    def work() -> None:
        try:
            fetch(variant, on_progress=latest.put, cancelled=cancelled.is_set)
            latest.put(None)
        except Exception as error:  # handed to the page's thread, which tells errors apart
            latest.put(error)

    threading.Thread(target=work, daemon=True).start()
    shown = 0.0
    held = gr.update(interactive=False)
    yield [download_progress(variant, None), gr.update(visible=False), gr.update(visible=True), held]
    try:
        while isinstance(event := latest.get(), Progress):
            if time.monotonic() - shown > 0.25:
                shown = time.monotonic()
                yield [download_progress(variant, event), gr.skip(), gr.skip(), gr.skip()]
    finally:
        cancelled.set()
    free = gr.update(interactive=True, choices=_choices(str(request.session_hash)))
    yield [banner(told(event)) if event else "", gr.update(visible=bool(event)), gr.update(visible=False), free]


def _cancelled() -> list[Any]:
    message = banner("Download cancelled. What has arrived is kept; Download goes on from there.", "note")
    return [message, gr.update(visible=True), gr.update(visible=False), gr.update(interactive=True)]
