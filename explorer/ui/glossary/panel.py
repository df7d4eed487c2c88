"""The glossary's dialog, its texts, which are fetched once, and the way to a term's place in the page."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import lru_cache
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request, Response

from ...spec import from_query, to_query
from ...views.glossary.place import place_of
from ...views.glossary.texts import texts
from ...views.kit.glossary import find
from ...views.kit.markup import tag, text
from ..kit import bridge, scripts
from ..kit.panel import create_panel
from ..kit.requests import Name, NetworkRequest

KEYS = {
    "In the page": {
        "/ or Ctrl F": "find a layer, type or shape",
        "Enter, Shift Enter": "next and previous find",
        "Ctrl Z, Ctrl Shift Z": "undo and redo a change of the network",
        "?": "this glossary",
        "Escape": "close what is open",
    },
    "In the diagram": {
        "Tab": "from box to box",
        "↓ ↑": "along the main path",
        "→ ←": "along a shortcut",
        "Enter, Space": "select a box, open a block, close a frame",
        "Escape": "close the block around, else select nothing",
    },
}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


class PlaceRequest(NetworkRequest):
    """
    Attributes:
        query: the builder's network.
        term: key of a term.
    """

    expected = "A term of the glossary is expected."
    term: Name = ""


def glossary_panel() -> gr.HTML:
    """Closed at first; its list is fetched when it is opened."""
    return create_panel("glossary", _template(), scripts.mount("glossary/glossary.js"), [locate_term])


@bridge.answers(PlaceRequest)
def locate_term(request: PlaceRequest) -> dict[str, Any]:
    """-> ``{"query", "at", "selector", "name"}``: the network that shows the term, and where in the page it is."""
    try:
        term = find(request.term)
    except KeyError:
        return {"error": PlaceRequest.expected}
    place = place_of(term.show, from_query(request.query))
    return {"query": to_query(place.spec), "at": place.at, "selector": place.selector, "name": term.name}


def address() -> str:
    """The path of the texts, which changes with them, so that a browser may keep them for good."""
    return f"glossary-{hashlib.sha256(_body()).hexdigest()[:16]}.json"


def add_route(app: FastAPI) -> None:
    """``GET /glossary-HASH.json``: ``texts``, compressed if the browser reads that."""

    @app.get(f"/{address()}")
    def glossary(request: Request) -> Response:
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(_body(), media_type="application/json", headers=_FOREVER)
        headers = _FOREVER | {"Content-Encoding": "gzip"}
        return Response(_compressed(), media_type="application/json", headers=headers)


@lru_cache(maxsize=1)
def _body() -> bytes:
    return json.dumps(texts(), ensure_ascii=False).encode()


@lru_cache(maxsize=1)
def _compressed() -> bytes:
    return gzip.compress(_body(), 6)


def _template() -> str:
    close = '<form method="dialog"><button aria-label="Close">✕</button></form>'
    search = (
        '<input type="search" placeholder="Find a term" aria-label="Find a term" autofocus>'
        '<span class="rx-term-count" role="status"></span>'
    )
    heading = tag("header", tag("h3", "Glossary and keys", id="rx-help-title") + search + close)
    terms = tag("div", "", css="rx-terms", tabindex="0", role="region", aria_label="Terms")
    keys = tag("aside", "".join(_keys(title, keys) for title, keys in KEYS.items()), aria_label="Keyboard shortcuts")
    body = tag("div", terms + keys, css="rx-help-body")
    return tag("dialog", heading + body, id="rx-help", aria_labelledby="rx-help-title")


def _keys(title: str, keys: dict[str, str]) -> str:
    rows = "".join(tag("dt", tag("kbd", text(key))) + tag("dd", text(does)) for key, does in keys.items())
    return tag("h4", text(title)) + tag("dl", rows)
