"""Charts that keep their zoom between updates: plotly's own script, served by this program, in a Gradio component."""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

import gradio as gr
from fastapi import FastAPI, Request, Response

from ...views.kit.markup import tag, text
from . import scripts
from .panel import create_panel

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# The version is part of the name, so that a browser may keep the file for good.
_NAME = f"plotly-{version('plotly')}.js"
ROUTE = f"/{_NAME}"


def chart(elem_id: str, label: str, height: int = 400, empty: str = "Nothing has been measured yet.") -> gr.HTML:
    """A chart whose value is ``payload(figure)``; "" shows ``empty`` in its place.

    Zoom and the legend's choices stay as long as the figure's ``uirevision`` does (``theme.plotly_layout``). A click on
    a point with ``customdata`` triggers ``point`` (``EventData.point``) and selects that layer in the diagram. A band
    marks the points, by their ``customdata``, of what is selected in the diagram. Nothing is drawn, nor plotly's script
    fetched, before it is looked at.

    Args:
        label: what a screen reader calls it; a constant, like ``empty``.
        height: px.
    """
    place = tag("div", "", css="rx-plot")
    words = tag("figcaption", text(empty), css="rx-empty")
    return create_panel(
        elem_id,
        tag("figure", place + words, css="rx-chart", aria_label=label, style=f"height:{height}px"),
        scripts.mount("kit/plot.js", source=_NAME),
    )


def payload(figure: Figure) -> str:
    """What a chart takes for its value: the figure's JSON, with the uids that tie the legend's choices to traces."""
    return str(figure.to_json(remove_uids=False))


def add_route(app: FastAPI) -> None:
    """``GET ROUTE``: plotly.js as plotly.py brings it, compressed where that is understood."""

    @app.get(ROUTE)
    def plotly_script(request: Request) -> Response:
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(_script()), media_type="text/javascript", headers=headers)
        return Response(_script(), media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})


@lru_cache(maxsize=1)
def _script() -> bytes:
    """plotly.js, compressed: 1.4 MB instead of 4.8."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6)
