"""``export``: the network, its diagram, its tables, as a file whose name says which."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ExplorerError
from ..views.export.kinds import KINDS, suffixes_in_words
from .targets import Changes, Target, read_report
from .terminal import QUIET, console


class Table(str, Enum):
    """What a .csv file holds."""

    LAYERS = "layers"
    CHECKS = "checks"
    STAGES = "stages"


def export(
    target: Target,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"The file to write: {suffixes_in_words()}.",
        ),
    ],
    changes: Changes = None,
    opened: Annotated[
        str | None,
        typer.Option(
            "--open", metavar="IDS", help="What is open in the diagram, as 'layer1 layer1.0'; all for everything."
        ),
    ] = None,
    table: Annotated[Table, typer.Option(help="Which table a .csv file holds.")] = Table.LAYERS,
) -> None:
    """Take the network away as a file; the ending of its name decides what is in it."""
    from ..views.diagram.model import default_open, everything

    path = Path(output)
    suffix = path.suffix.lower()
    kind = table.value if suffix == ".csv" else suffix[1:]
    if kind not in KINDS or KINDS[kind].suffix != suffix:
        suffixes = dict.fromkeys(kind.suffix for kind in KINDS.values())
        raise ExplorerError(f"{output}: a name ending {', '.join(suffixes)} is expected")
    report, notes = read_report(target, changes)
    named = default_open(report) if opened is None else frozenset(opened.split())
    KINDS[kind].write(report, everything(report) if opened == "all" else named, path)
    typer.echo(f"{report.name}: wrote {output}")
    for note in notes:
        console().print(note, style=QUIET, soft_wrap=True)
