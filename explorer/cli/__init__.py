"""``python -m explorer``: the commands, one file for each group.

Exit codes: 0, success; 1, a check failed (``check``) or a file could not be read (``classify``, ``transfer``); 2, the
command is invalid or cannot run, with one line on stderr that says why; 130, stopped by Ctrl-C.

Modules that take seconds to import are imported inside the commands, so that ``--help`` is fast.
"""

from __future__ import annotations

import errno
import sys
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import ExplorerError
from ..extras import explained_imports
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
    """Without the name of a command it serves the page, on a target if there is one. Prints errors that a user can
    cause as one line and exits with code 2."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = {name for option in self.get_params(ctx) for name in option.opts}
        first = args[0] if args else ""
        # The name of a command, or of one misspelt, consists of letters; compare.onnx is a file.
        is_command = first.isalpha() and get_close_matches(first, self.commands, cutoff=0.75)
        if first not in own and not is_command:
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            with explained_imports():
                return super().invoke(ctx)
        except ExplorerError as error:
            reason = str(error)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader closed the pipe: typer ends quietly
                raise
            reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        typer.echo(f"Error: {' '.join(reason.split())}", err=True)
        raise typer.Exit(2)


app = typer.Typer(
    cls=_Commands,
    help="Residual networks: check their shapes, measure their gradients, train them, classify photos with them.",
    # Boxes are hard to read in a log.
    rich_markup_mode=None,
    add_completion=False,
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
    """Options that all commands share."""


def main() -> None:
    """Run the command in ``sys.argv``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that has no ✓ shows ? instead of raising an error
            stream.reconfigure(errors="replace")
    app()
