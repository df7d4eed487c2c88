"""Every kind of file that a report can be exported as: what it is called, what it is, and what writes it.

What writes a file is imported when it is written: importing this table takes no time, and the command line's help
reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from ...errors import ExplorerError
from ...spec import ResNetSpec, preset_of, to_json

if TYPE_CHECKING:
    from ...inspection import Report

Open = frozenset[str]
Write = Callable[["Report", Open, Path], None]


class Section(str, Enum):
    """Sections of the export menu, in its order."""

    DIAGRAM = "Diagram, as it is open"
    EVERYTHING = "Everything"
    TABLES = "Tables"
    NETWORK = "Network"


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        section: the part of the menu.
        title: for the menu: "PNG".
        contents: the rest of the menu's line: "the diagram as a picture".
        help_text: its contents, for the help of the command: "the diagram". Neighbours in the table share it.
        media: its media type.
        ending: of the file's name, behind the network's.
        write: writes a report, what is open in its diagram, to a path; raises ``ExplorerError`` if it cannot.
        write_apart: does the same in a process of its own, for a program with other threads; None if ``write`` may
            run there.
    """

    section: Section
    title: str
    contents: str
    help_text: str
    media: str
    ending: str
    write: Write
    write_apart: Write | None = None

    @property
    def suffix(self) -> str:
        return Path(f"network{self.ending}").suffix


def file_name(report: Report, kind: str) -> str:
    """ "resnet50.svg", "plain-18-layers.csv": lower-case ASCII, of the preset's name or the title."""
    name = (preset_of(report.spec) if report.spec else None) or report.name.replace("×", "x")
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return (re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:80] or "network") + KINDS[kind].ending


def save(report: Report, path: Path, opened: Iterable[str] | None = None, table: str = "layers") -> None:
    """Write the kind of file that the ending of ``path`` says.

    Args:
        opened: boxes that are open in the diagram; default: the stages.
        table: of a .csv file: "layers", "checks" or "stages".

    Raises:
        ExplorerError: there is no such kind, or none of this network.
    """
    from ..diagram.model import default_open

    suffix = path.suffix.lower()
    kind = table if suffix == ".csv" else suffix[1:]
    if kind not in KINDS or KINDS[kind].suffix != suffix:
        suffixes = dict.fromkeys(kind.suffix for kind in KINDS.values())
        raise ExplorerError(f"{path}: expected a name that ends in {', '.join(suffixes)}")
    KINDS[kind].write(report, default_open(report) if opened is None else frozenset(opened), path)


def suffixes_in_words() -> str:
    """ ".svg, .png, .pdf (the diagram), … or .onnx (random initial weights)"."""
    parts = [
        f"{', '.join(dict.fromkeys(kind.suffix for kind in same))} ({help_text})"
        for help_text, same in groupby(KINDS.values(), key=lambda kind: kind.help_text)
    ]
    return f"{', '.join(parts[:-1])} or {parts[-1]}"


def require_spec(report: Report) -> ResNetSpec:
    """The spec of a report; a module that was built elsewhere has none."""
    if report.spec is None:
        raise ExplorerError(f"{report.name} was not built from a description: there is neither JSON nor code of it.")
    return report.spec


def require_runnable(report: Report) -> ResNetSpec:
    """The spec of a network that computes something; the error names the first shape mismatch."""
    from ...network.onnx_export import check_size

    if report.broken:
        raise ExplorerError(f"A network that cannot run has no ONNX file. {report.broken[0].explanation}")
    spec = require_spec(report)
    check_size(spec)
    return spec


def _svg(report: Report, opened: Open, path: Path) -> None:
    from ..diagram.svg import render, standalone

    path.write_bytes(standalone(render(report, opened)).encode())


def _png(report: Report, opened: Open, path: Path) -> None:
    from ..diagram.raster import png

    path.write_bytes(png(report, opened))


def _pdf(report: Report, opened: Open, path: Path) -> None:
    from ..diagram.raster import pdf

    path.write_bytes(pdf(report, opened))


def _html(report: Report, opened: Open, path: Path) -> None:
    from .report_html import report_html

    path.write_bytes(report_html(report, opened).encode())


def _layers(report: Report, _: Open, path: Path) -> None:
    from . import tables

    path.write_bytes(tables.layers(report).encode())


def _checks(report: Report, _: Open, path: Path) -> None:
    from . import tables

    path.write_bytes(tables.checks(report).encode())


def _stages(report: Report, _: Open, path: Path) -> None:
    from . import tables

    path.write_bytes(tables.stages(report).encode())


def _json(report: Report, _: Open, path: Path) -> None:
    path.write_bytes(f"{to_json(require_spec(report))}\n".encode())


def _code(report: Report, _: Open, path: Path) -> None:
    from ...network.codegen import source

    path.write_bytes(source(require_spec(report)).encode())


def _onnx(report: Report, _: Open, path: Path) -> None:
    from ...network.onnx_export import write

    write(require_runnable(report), path)


def _onnx_apart(report: Report, _: Open, path: Path) -> None:
    from ...network.onnx_export import write_apart

    write_apart(require_runnable(report), path)


_CSV = "text/csv"
KINDS: dict[str, Kind] = {
    "svg": Kind(Section.DIAGRAM, "SVG", "the diagram as drawn", "the diagram", "image/svg+xml", ".svg", _svg),
    "png": Kind(Section.DIAGRAM, "PNG", "the diagram as a picture", "the diagram", "image/png", ".png", _png),
    "pdf": Kind(Section.DIAGRAM, "PDF", "the diagram on a page", "the diagram", "application/pdf", ".pdf", _pdf),
    "html": Kind(Section.EVERYTHING, "Report", "one HTML file, works offline", "a report", "text/html", ".html", _html),
    "layers": Kind(Section.TABLES, "Layers", "CSV, exact numbers", "a table", _CSV, "-layers.csv", _layers),
    "checks": Kind(Section.TABLES, "Shortcut checks", "CSV", "a table", _CSV, "-checks.csv", _checks),
    "stages": Kind(Section.TABLES, "Cost by stage", "CSV", "a table", _CSV, "-stages.csv", _stages),
    "json": Kind(Section.NETWORK, "JSON", "the description", "the description", "application/json", ".json", _json),
    "py": Kind(Section.NETWORK, "PyTorch", "code for just this network", "PyTorch code", "text/x-python", ".py", _code),
    "onnx": Kind(
        Section.NETWORK,
        "ONNX",
        "random initial weights",
        "random initial weights",
        "application/octet-stream",
        ".onnx",
        _onnx,
        _onnx_apart,
    ),
}
