"""Every kind of file that a report can be taken away as: what it is called, what it is, who writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unicodedata import normalize

from ...errors import ExplorerError
from ...inspection import Report
from ...network import onnx_export
from ...network.codegen import source
from ...spec import ResNetSpec, preset_of, to_json
from ..diagram import raster
from ..diagram.svg import render, standalone
from . import tables
from .report_html import report_html

Open = frozenset[str]


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        title: for a menu: "PNG".
        contents: the rest of the menu's line: "the diagram as a picture".
        media: its media type.
        write: writes a report, what is open in its diagram, to a path; raises ``ExplorerError`` where it cannot.
        ending: of the file's name, behind the network's.
    """

    title: str
    contents: str
    media: str
    write: Callable[[Report, Open, Path], None]
    ending: str

    @property
    def suffix(self) -> str:
        return Path(f"network{self.ending}").suffix


def file_name(report: Report, kind: str) -> str:
    """ "resnet50.svg", "plain-18-layers.csv": lower-case ASCII, of the preset's name or the title."""
    name = (preset_of(report.spec) if report.spec else None) or report.name.replace("×", "x")
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return (re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:80] or "network") + KINDS[kind].ending


def described(report: Report) -> ResNetSpec:
    """The spec of a report; a module that was built elsewhere has none."""
    if report.spec is None:
        raise ExplorerError(f"{report.name} was not built from a description: there is neither JSON nor code of it.")
    return report.spec


def runnable(report: Report) -> ResNetSpec:
    """The spec of a network that computes something; the error names the first sum that does not fit."""
    if report.broken:
        raise ExplorerError(f"A network that cannot run has no ONNX file. {report.broken[0].explanation}")
    spec = described(report)
    onnx_export.check_size(spec)
    return spec


def _text(make: Callable[[Report, Open], str], report: Report, opened: Open, path: Path) -> None:
    path.write_bytes(make(report, opened).encode())


def _bytes(make: Callable[[Report, Open], bytes], report: Report, opened: Open, path: Path) -> None:
    path.write_bytes(make(report, opened))


def _table(make: Callable[[Report], str], report: Report, _: Open, path: Path) -> None:
    path.write_bytes(make(report).encode())


def _onnx(report: Report, _: Open, path: Path) -> None:
    onnx_export.write(runnable(report), path)


def _svg(report: Report, opened: Open) -> str:
    return standalone(render(report, opened))


KINDS: dict[str, Kind] = {
    "svg": Kind("SVG", "the diagram as drawn", "image/svg+xml", partial(_text, _svg), ".svg"),
    "png": Kind("PNG", "the diagram as a picture", "image/png", partial(_bytes, raster.png), ".png"),
    "pdf": Kind("PDF", "the diagram on a page", "application/pdf", partial(_bytes, raster.pdf), ".pdf"),
    "html": Kind("Report", "one HTML file, works offline", "text/html", partial(_text, report_html), ".html"),
    "layers": Kind("Layers", "CSV, exact numbers", "text/csv", partial(_table, tables.layers), "-layers.csv"),
    "checks": Kind("Shortcut checks", "CSV", "text/csv", partial(_table, tables.checks), "-checks.csv"),
    "stages": Kind("Cost by stage", "CSV", "text/csv", partial(_table, tables.stages), "-stages.csv"),
    "json": Kind(
        "JSON", "the description", "application/json", partial(_table, lambda r: to_json(described(r)) + "\n"), ".json"
    ),
    "py": Kind(
        "PyTorch", "code for just this network", "text/x-python", partial(_table, lambda r: source(described(r))), ".py"
    ),
    "onnx": Kind("ONNX", "random initial weights", "application/octet-stream", _onnx, ".onnx"),
}
