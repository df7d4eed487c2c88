"""The web server: the page mounted in FastAPI, with limits, health checks and an icon to install."""

from __future__ import annotations

import gc
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from functools import partial

# The page's server looks two hosts up unless this is set before Gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import ExplorerError
from ..folders import ASSETS
from ..inference.images.decode import MAX_BYTES
from ..model_files import Opened
from .classify import tab as classify
from .export import panel as export
from .glossary import panel as glossary
from .kit import plot, scripts, style
from .kit.model_files import OpenFile
from .model_file import panel as files
from .page import TITLE, build_page, head
from .training import tab as training

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
MAX_BODY = MAX_BYTES * 4 // 3 + 64 * 1024  # a photo in base64, and its frame


class Guard:
    """Refuse what the page never sends.

    413: bodies above ``limit`` bytes (``limits``: of some paths), declared or streamed. 404: uploads to disk (photos
    travel in the request, to one decoder). 403: posts that another site's page makes a browser send.
    """

    def __init__(self, app: ASGIApp, limit: int, limits: Mapping[str, int]) -> None:
        self.app, self.limit, self.limits = app, limit, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = self.limits.get(scope["path"], self.limit)
        if "/upload" in scope["path"]:
            await PlainTextResponse("Nothing is uploaded here.", 404)(scope, receive, send)
            return
        if scope["method"] == "POST" and headers.get(b"sec-fetch-site") == b"cross-site":
            await PlainTextResponse("Only this page may ask.", 403)(scope, receive, send)
            return
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            words = f"The request is too large; at most {limit // 2**20} MiB are taken."
            await PlainTextResponse(words, 413)(scope, receive, send)
            return
        received = 0

        async def counted() -> dict[str, object]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                # To the app the client is gone: it stops reading and frees its memory.
                return {"type": "http.disconnect"}
            return dict(message)

        await self.app(scope, counted, send)


def create_app(
    hosts: Sequence[str] = ("*",),
    build: Callable[[], gr.Blocks] | None = None,
    *,
    model_files: bool = False,
    started: OpenFile | None = None,
) -> FastAPI:
    """The whole web app; ``/healthz`` answers ``ok``.

    Args:
        hosts: names the app answers to; others (a foreign name pointed at this machine) get 400.
        build: makes another page than ``build_page``.
        model_files: whether people may open weight and ONNX files: who reaches the app is trusted that far.
        started: the network that the program was started on, which the page opens with.
    """
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, limit=MAX_BODY, limits={files.ROUTE: files.max_bytes(), classify.ROUTE: MAX_BYTES})
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    @app.get("/healthz", response_class=PlainTextResponse)
    def health() -> str:
        return "ok"

    export.add_route(app)
    classify.add_route(app)
    files.add_route(app, model_files, started)
    glossary.add_route(app)
    plot.add_route(app)
    scripts.add_route(app)
    training.add_route(app)
    page = (build or partial(build_page, model_files))().queue(max_size=32, api_open=False, default_concurrency_limit=4)
    # What is loaded by now stays for good: looking through all of torch again and again is a pause of 0.3 s.
    gc.collect()
    gc.freeze()
    return gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=style.theme(),
        css=style.css(),
        head=head(),
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        max_file_size=MAX_BYTES,
        ssr_mode=False,
        pwa=True,
        favicon_path=str(ASSETS / "icon.png"),
    )


def may_open_files(host: str, wanted: bool | None = None) -> bool:
    """Whether model files may be opened: as ``wanted``, else as ``RESNET_EXPLORER_MODEL_FILES`` (1, 0) says, else where
    only this machine reaches the app.

    Raises:
        ExplorerError: the variable is neither.
    """
    if wanted is not None:
        return wanted
    word = os.environ.get("RESNET_EXPLORER_MODEL_FILES", "")
    if word not in ("", "0", "1"):
        raise ExplorerError(f"RESNET_EXPLORER_MODEL_FILES: got {word[:40]!a}, expected 1 (on) or 0 (off)")
    return host in LOOPBACK if not word else word == "1"


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    model_files: bool | None = None,
    *,
    query: str = "",
    opened: tuple[str, Opened] | None = None,
    browser: bool = False,
) -> None:
    """Run the app until interrupted.

    Args:
        model_files: as in ``may_open_files``.
        query: of the network that the printed address shows; empty for the default.
        opened: name and contents of a model file, or of the caller's own network, that the page opens with.
        browser: whether that address is opened in the browser.
    """
    allowed = may_open_files(host, model_files)
    if opened and not allowed:
        raise ExplorerError("Other machines can reach this address. Add --model-files to show them the network too.")
    started = OpenFile(*opened) if opened else None
    app = create_app(LOOPBACK if host in LOOPBACK else ("*",), model_files=allowed, started=started)
    address = f"http://{host}:{port}" + (f"/?{query}" if query else "")
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=30)
    _Server(config, address, browser).run()


class _Server(uvicorn.Server):
    """Says where the page is once it answers, and opens it there."""

    def __init__(self, config: uvicorn.Config, address: str, browser: bool) -> None:
        super().__init__(config)
        self._address, self._browser = address, browser

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:  # the port is used
            return
        print(f"{TITLE} is on {self._address}", flush=True)
        if self._browser:
            threading.Thread(target=webbrowser.open, args=(self._address,), daemon=True).start()
