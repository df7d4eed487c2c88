"""Model files on the page: the panel that takes them, and the route that reads them.

A file travels to a folder of its own, is read in a child process with limits, and is gone before the answer is sent;
what was read stays in memory (``model_files.py``) under a token that only the page that sent it knows.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import gradio as gr
from anyio import fail_after
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from ...errors import ExplorerError
from ...inference.weights import sandbox
from ...inspection import Graph
from ...model_files import Opened, open_model_file
from ...spec import FIELD_LABELS, ResNetSpec
from ...views.kit.markup import tag, text
from ...views.model_file import panel as opened
from ..kit import bridge, scripts
from ..kit.bridge import error_message
from ..kit.model_files import OPEN_FILES, OpenFile
from ..kit.panel import create_panel

ROUTE = "/model"
STARTED = "/model/started"
ENDINGS = (".safetensors", ".pth", ".pt", ".th", ".ckpt", ".bin", ".tar", ".pkl", ".model", ".onnx")
OFF = (
    "Opening model files is disabled because other machines can reach this page. "
    "Start the app with --model-files to allow it."
)
BUSY = "Two files are being read. Try again in a moment."
# Fields that weights do not determine, and the labels of their controls in the builder.
LABELS = {name: FIELD_LABELS[name].name for name in ("shortcut", "zero_pad", "stride_on")}
_SLOTS = BoundedSemaphore(2)
_SILENCE, _WHOLE = 30.0, 900.0  # seconds without a byte, and for all of them

_TEMPLATE = """
<div class="rx-files">
  <div class="rx-file-drop">
    <button type="button" class="rx-button" data-do="pick">Open a model file</button>
    <p class="rx-note">Weights (safetensors, .pth) or ONNX; drop it anywhere.</p>
  </div>
  <input type="file" accept="{endings}" aria-label="Model file" hidden>
  <div class="rx-file-status" role="status"></div>
  <section class="rx-read" aria-label="Model file" hidden></section>
</div>
"""


def panel(allowed: bool) -> gr.HTML:
    """Takes model files; not rendered yet. Its ``input`` event brings an action (see ``parse_action``).

    Args:
        allowed: whether files may be opened; where not, the reason is shown instead.
    """
    off = tag("div", tag("p", text(OFF), css="rx-note"), css="rx-files")
    return create_panel(
        "files",
        _TEMPLATE.replace("{endings}", ",".join(ENDINGS)) if allowed else off,
        scripts.mount("model_file/model_file.js") if allowed else "",
        max_bytes=max_bytes(),
        render=False,
    )


def max_bytes() -> int:
    """How large a file may be: ``RESNET_EXPLORER_MAX_MODEL_MB``, by default 600 MiB, at most what is ever opened.

    Raises:
        ExplorerError: the variable is not such a number.
    """
    word = os.environ.get("RESNET_EXPLORER_MAX_MODEL_MB", "600")
    if not (word.isascii() and word.isdigit() and 0 < int(word) <= 10**6):
        raise ExplorerError(f"RESNET_EXPLORER_MAX_MODEL_MB: got {word[:40]!a}, expected a whole number of MiB")
    return min(int(word) * 2**20, sandbox.MAX_FILE)


def add_route(app: FastAPI, allowed: bool, started: OpenFile | None = None) -> None:
    """``POST /model?name=NAME`` with a file as its body -> ``{"token", "html"}``; ``{"error"}`` where it is refused.

    403: files are switched off; 408: it came too slowly; 503: two are being read.
    ``GET`` says beforehand, with 204, 403 or 503, whether a file would be taken. ``POST /model/started`` opens what the
    program was started on; 204 if that is nothing.
    """

    @app.post(STARTED)
    def open_started() -> Response:
        if started is None:
            return Response(status_code=204)
        token = OPEN_FILES.put(OpenFile(started.name, started.content))
        return JSONResponse({"token": token, "html": _html(started.name, started.content)})

    @app.get(ROUTE)
    async def ready() -> Response:
        if not allowed:
            return PlainTextResponse(OFF, 403)
        if not _SLOTS.acquire(blocking=False):
            return _busy()
        _SLOTS.release()
        return Response(status_code=204)

    @app.post(ROUTE)
    async def take(request: Request, name: str = "") -> Response:
        if not allowed:
            return PlainTextResponse(OFF, 403)
        if not _SLOTS.acquire(blocking=False):
            return _busy()
        try:
            return await _answer(request, name)
        except (ClientDisconnect, TimeoutError):
            return PlainTextResponse("The upload was interrupted. Open the file again.", 408)
        except ExplorerError as error:
            return JSONResponse({"error": str(error)})
        except OSError:
            return PlainTextResponse("The disk is full, so the file cannot be read.", 507)
        except Exception as error:
            return PlainTextResponse(error_message(error), 500)
        finally:
            _SLOTS.release()


def _busy() -> Response:
    return PlainTextResponse(BUSY, 503, {"Retry-After": "2"})


async def _answer(request: Request, name: str) -> Response:
    with tempfile.TemporaryDirectory(prefix="resnet-explorer-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "file"
        await _receive(request, path)
        content = await run_in_threadpool(open_model_file, path, name)
    if await request.is_disconnected():
        raise ClientDisconnect
    html = _html(name, content)
    return JSONResponse({"token": OPEN_FILES.put(OpenFile(name[:200], _without_unused_state(content))), "html": html})


async def _receive(request: Request, path: Path) -> None:
    chunks = request.stream().__aiter__()
    with path.open("wb") as file:
        with fail_after(_WHOLE):
            while True:
                try:
                    with fail_after(_SILENCE):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                await run_in_threadpool(file.write, chunk)


def _html(name: str, content: Opened) -> str:
    if isinstance(content, Graph):
        return opened.graph(name, content)
    return opened.weights(name, content, LABELS)


def _without_unused_state(content: Opened) -> Opened:
    """Drop weights that cannot classify photos, to free their memory."""
    return content if OpenFile("", content).can_classify or isinstance(content, Graph) else replace(content, state={})


class FileAction(bridge.Request):
    """What the panel asks for: ``open`` follows an upload; ``show``, ``classify``, ``builder`` and ``close`` are its
    buttons."""

    expected = "Invalid request. Open the file again."
    do: str
    token: str = Field(max_length=100)


def parse_action(value: Any, session: str) -> tuple[str, str, OpenFile | None]:
    """The panel's value, an ``FileAction`` as JSON -> what to do, with which file. ``close`` forgets the file.

    Raises:
        ExplorerError: no such action, or the file is not kept any more.
    """
    action = bridge.parse_json(FileAction, value, 1000)
    if action.do == "close":
        OPEN_FILES.drop(action.token)
        return action.do, action.token, None
    return action.do, action.token, OPEN_FILES.claim(action.token, session)


def network_of(held: OpenFile, do: str) -> ResNetSpec | None:
    """The network that a weight file brings to the builder; None where what is shown stays."""
    if isinstance(held.content, Graph) or do not in ("open", "show"):
        return None
    recognition = held.content.recognition
    return recognition.spec or (recognition.nearest if do == "show" else None)


def assumption_sentences(held: OpenFile, spec: ResNetSpec) -> tuple[str, ...]:
    """A sentence on what ``spec`` has that the file's weights don't tell; none where a prediction hangs on nothing."""
    fields = [name for name in held.checkpoint.recognition.unknown if name in LABELS]
    words = "; ".join(f"{LABELS[name]}: {getattr(spec, name).label}" for name in fields)
    return (f"Not in the file, and read as: {words}.",) if words else ()
