"""The web server: the page mounted in FastAPI, with limits, health checks and an icon to install."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

# The page's server looks two hosts up unless this is set before Gradio is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from ..inference.images import MAX_BYTES
from . import export, style
from .page import TITLE, build_page

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
MAX_BODY = MAX_BYTES * 4 // 3 + 64 * 1024  # a photo in base64, and its frame


class Guard:
    """Refuse what the page never sends.

    413: bodies above ``limit`` bytes, declared or streamed. 404: uploads to disk (photos travel in the request, to
    one decoder). 403: posts that another site's page makes a browser send.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if "/upload" in scope["path"]:
            await PlainTextResponse("Nothing is uploaded here.", 404)(scope, receive, send)
            return
        if scope["method"] == "POST" and headers.get(b"sec-fetch-site") == b"cross-site":
            await PlainTextResponse("Only this page may ask.", 403)(scope, receive, send)
            return
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self.limit:
            await PlainTextResponse("The request is too large.", 413)(scope, receive, send)
            return
        received = 0

        async def counted() -> dict[str, object]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                # To the app the client is gone: it stops reading and frees what it holds.
                return {"type": "http.disconnect"}
            return dict(message)

        await self.app(scope, counted, send)


def create_app(hosts: Sequence[str] = ("*",), build: Callable[[], gr.Blocks] = build_page) -> FastAPI:
    """The whole web app; ``/healthz`` answers ``ok``.

    Args:
        hosts: names the app answers to; others (a foreign name pointed at this machine) get 400.
        build: makes the page.
    """
    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, limit=MAX_BODY)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))

    @app.get("/healthz", response_class=PlainTextResponse)
    def health() -> str:
        return "ok"

    export.add_route(app)
    page = build().queue(max_size=32, api_open=False, default_concurrency_limit=4)
    return gr.mount_gradio_app(
        app,
        page,
        path="/",
        theme=style.theme(),
        css=style.css(),
        head=style.head(),
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        max_file_size=MAX_BYTES,
        ssr_mode=False,
        pwa=True,
        favicon_path=str(style.ASSETS / "icon.png"),
    )


def serve(host: str = "127.0.0.1", port: int = 7860) -> None:
    """Run the app until interrupted."""
    print(f"{TITLE} is on http://{host}:{port}", flush=True)
    hosts = LOOPBACK if host in LOOPBACK else ("*",)
    uvicorn.run(create_app(hosts), host=host, port=port, log_level="warning", timeout_graceful_shutdown=30)
