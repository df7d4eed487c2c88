"""Share, export and ?: the right end of the summary bar, and the route that answers with files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse
from starlette.background import BackgroundTask

from ...errors import DiagramError, ExplorerError
from ...inspection import Report, inspect
from ...network import onnx_export
from ...spec import ResNetSpec, from_query
from ...spec.codec import MAX_TEXT
from ...views.diagram.model import default_open
from ...views.export.kinds import KINDS, Section, file_name
from ...views.kit.markup import tag, text
from ..kit.bridge import error_message
from ..kit.requests import MAX_NAME, MAX_OPEN

_HELP = "Glossary and keyboard shortcuts"


def buttons(spec: ResNetSpec) -> str:
    """The Share, Export and ? buttons for the network ``spec``."""
    name = file_name(inspect(spec), "json").removesuffix(".json")
    return tag(
        "div",
        tag("button", "Share", type="button", id="rx-share", title="Copy a link to this network and tab")
        + tag("button", "Export", type="button", id="rx-export-button", popovertarget="rx-export", data_name=name)
        + tag("button", "?", type="button", id="rx-help-button", title=_HELP, aria_label=_HELP),
        css="rx-actions",
    )


def overlays() -> str:
    """The menu, which stays while the bar changes."""
    sections = "".join(map(_section, Section))
    status = '<p class="rx-export-status" role="status"></p>'
    return tag("div", sections + status, id="rx-export", popover="auto", role="dialog", aria_label="Export")


def _section(section: Section) -> str:
    items = "".join(
        tag(
            "button",
            tag("b", text(kind.title)) + " " + tag("span", text(kind.contents)),
            type="button",
            data_kind=name,
            data_ending=kind.ending,
        )
        for name, kind in KINDS.items()
        if kind.section is section
    )
    return tag("section", tag("h3", text(section.value)) + items)


def add_route(app: FastAPI) -> None:
    """``GET /export/KIND?NETWORK&open=IDS``: the file, or a sentence that says why there is none (4xx; 503: busy)."""

    @app.get("/export/{kind}")
    def export(kind: str, request: Request) -> Response:
        if request.headers.get("sec-fetch-site") == "cross-site":
            return PlainTextResponse("Only this page may ask.", 403)
        if kind not in KINDS:
            return PlainTextResponse(f"There is no such file. Available: {', '.join(KINDS)}.", 404)
        try:
            return _file(kind, request.url.query)
        except onnx_export.Busy as error:
            return PlainTextResponse(str(error), 503, {"Retry-After": "2"})
        except ExplorerError as error:
            return PlainTextResponse(str(error), 400)
        except Exception as error:
            return PlainTextResponse(error_message(error), 500)


def _file(kind: str, query: str) -> Response:
    """Written to a folder of its own, which is gone once the file is sent."""
    report, opened = _parse(query)
    folder = Path(tempfile.mkdtemp(prefix="resnet-explorer-"))
    path, discard = folder / f"file.{kind}", BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        write = KINDS[kind].write_apart or KINDS[kind].write
        write(report, opened, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    headers = {"Cache-Control": "no-store"}
    return FileResponse(
        path, media_type=KINDS[kind].media, filename=file_name(report, kind), headers=headers, background=discard
    )


def _parse(query: str) -> tuple[Report, frozenset[str]]:
    """The address's query -> a report and what is open in it: ids between spaces, or the first look."""
    if len(query) > MAX_TEXT:
        raise DiagramError(f"The address is too long; at most {MAX_TEXT:,} characters are read.")
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    report, names = inspect(from_query(pairs)), pairs.get("open")
    if names is None:
        return report, default_open(report)
    return report, frozenset(name[:MAX_NAME] for name in names.split()[:MAX_OPEN])
