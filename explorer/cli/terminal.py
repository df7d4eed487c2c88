"""Writing for a terminal and for a log alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import ExplorerError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.table import Table

# A log has no width; rich would cut its lines at 80 characters.
_LOG_WIDTH = 160
GOOD, BAD, QUIET = "green", "red", "dim"


def console(*, err: bool = False) -> Console:
    """Standard output, or error; colours only in a terminal. Text is shown as it is, never read as markup."""
    from rich.console import Console

    shown = Console(stderr=err, markup=False, highlight=False, emoji=False)
    if not shown.is_terminal:
        shown.width = _LOG_WIDTH
    return shown


def table(*columns: tuple[str, bool]) -> Table:
    """A table without lines, of titles and whether they hold numbers, which are set right."""
    from rich.table import Table

    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for title, is_number in columns:
        made.add_column(title, justify="right" if is_number else "left", no_wrap=True)
    return made


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    typer.echo(json.dumps(value, indent=2))


def progress(shown: Console, *columns: ProgressColumn) -> Progress:
    """A progress bar, to be entered; nothing where ``shown`` is no terminal."""
    from rich.progress import Progress

    return Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)


@contextmanager
def counted(words: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, as a callback that takes what is done and the whole."""
    with progress(console(err=True)) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def output_path(path: str, suffix: str) -> Path:
    """Where to write.

    Raises:
        ExplorerError: the name has another ending than ``suffix``.
    """
    if not path.lower().endswith(suffix):
        raise ExplorerError(f"{path}: a name ending {suffix} is expected")
    return Path(path)
