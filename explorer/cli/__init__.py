"""``python -m explorer``: the commands, one file for each group.

Exit codes: 0, it is so; 1, it is not (``check``), or some file failed (``classify``); 2, the command was not
understood or cannot be done, which one line on stderr explains; 130, stopped by Ctrl-C.

What takes seconds to import is imported inside the commands, so that help comes at once.
"""

from __future__ import annotations

import errno
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import ExplorerError
from .check import check
from .classify import classify
from .compare import compare
from .export import export
from .gradients import gradients
from .networks import code, diagram, inspect
from .serve import serve
from .train import train
from .transfer import transfer


class _Commands(TyperGroup):
    """Turns what a person can cause into one line and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ExplorerError as error:
            reason = str(error)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader has seen enough: typer ends quietly
                raise
            reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        typer.echo(f"Error: {' '.join(reason.split())}", err=True)
        raise typer.Exit(2)


app = typer.Typer(
    cls=_Commands,
    help="Residual networks: check their shapes, measure their gradients, train them, ask them about photos.",
    # Boxes are hard to read in a log.
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (inspect, check, compare, diagram, code, export, gradients, classify, transfer, train, serve):
    app.command()(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ResNet Explorer {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of all commands."""


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without ✓ shows a ? instead of a traceback
            stream.reconfigure(errors="replace")
    app()
