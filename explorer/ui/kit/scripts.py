"""The page's scripts: ES modules beside their panels, served from one address that changes with their content."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI, Request, Response

_UI = Path(__file__).parents[1]
_FIRST = ("page.js", "builder.js", "kit/", "diagram/", "inspector/", "history/", "start/")  # needed for the first view
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@lru_cache(maxsize=1)
def sources() -> dict[str, bytes]:
    """Path below ``ui`` ("diagram/diagram.js") -> the module's text, UTF-8."""
    return {path.relative_to(_UI).as_posix(): path.read_bytes() for path in sorted(_UI.rglob("*.js"))}


@lru_cache(maxsize=1)
def folder() -> str:
    """ "static/1f3a…": where the modules are on the server; another one as soon as any module differs, so that a
    browser may keep each for good, and one page never mixes two versions."""
    digest = hashlib.sha256()
    for name, source in sources().items():
        digest.update(f"{name} {len(source)}\n".encode() + source)
    return f"static/{digest.hexdigest()[:16]}"


def add_route(app: FastAPI) -> None:
    """``GET /static/HASH/PATH``: one module, compressed if the browser reads that."""

    @app.get(f"/{folder()}/{{name:path}}")
    def module(name: str, request: Request) -> Response:
        if name not in sources():
            return Response("There is no such script.", 404, media_type="text/plain")
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(sources()[name], media_type="text/javascript", headers=_FOREVER)
        headers = _FOREVER | {"Content-Encoding": "gzip"}
        return Response(_compress(name), media_type="text/javascript", headers=headers)


def mount(name: str, **settings: object) -> str:
    """JavaScript for ``gr.HTML(js_on_load=…)``: the module's ``mount`` gets what Gradio hands over, and ``settings``.

    Args:
        name: of the module, as in ``sources``.
        settings: constants of the program that the module needs, as JSON.
    """
    given = f"{{element, props, server, trigger, watch, settings: {json.dumps(settings)}}}"
    return f"{_import(name)}.then(module => module.mount({given}));"


def call(name: str, function: str, *first: object) -> str:
    """JavaScript for the ``js=`` of an event: the module's ``function`` gets ``first``, then the inputs' values."""
    given = "".join(f"{json.dumps(value)}, " for value in first)
    return f"(...values) => {_import(name)}.then(module => module.{function}({given}...values))"


def head(settings: Mapping[str, object]) -> str:
    """For ``<head>``: every module is fetched while the page loads, the first look's first, and ``page.js`` runs.

    Args:
        settings: constants of the program for all scripts (``settings`` of ``lib.js``).
    """
    names = sorted(sources(), key=lambda name: not name.startswith(_FIRST))
    hints = "".join(f'<link rel="modulepreload" href="{folder()}/{name}">' for name in names)
    facts = json.dumps(settings).replace("<", "\\u003c")  # nothing in it may end the element
    return (
        f'{hints}<script type="application/json" id="rx-settings">{facts}</script>'
        f'<script type="module" src="{folder()}/page.js"></script>'
    )


def _import(name: str) -> str:
    # A path of its own, not the document's base: the app may be mounted below "/" without a slash at its end.
    return f'import(location.pathname.replace(/\\/?$/, "/") + {json.dumps(f"{folder()}/{name}")})'


@lru_cache(maxsize=64)
def _compress(name: str) -> bytes:
    return gzip.compress(sources()[name], 6)
