"""``export``: write the network, its diagram or its tables to a file; the file name decides the format."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..views.export.kinds import save, suffixes_in_words
from .inputs import Inputs, read_inputs
from .targets import Changes, Target, read_report
from .terminal import QUIET, console


class Table(str, Enum):
    """The table in a .csv file."""

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
    inputs: Inputs = None,
    opened: Annotated[
        str | None,
        typer.Option(
            "--open", metavar="IDS", help="Boxes to open in the diagram, for example 'layer1 layer1.0'; all opens all."
        ),
    ] = None,
    table: Annotated[Table, typer.Option(help="Table to write to a .csv file.")] = Table.LAYERS,
) -> None:
    """Export a network to a file. The ending of the file name decides the format."""
    from ..views.diagram.model import everything

    report, notes = read_report(target, changes, read_inputs(inputs))
    named = None if opened is None else frozenset(opened.split())
    save(report, Path(output), everything(report) if opened == "all" else named, table.value)
    typer.echo(f"{report.name}: wrote {output}")
    for note in notes:
        console().print(note, style=QUIET, soft_wrap=True)
