"""Output for terminals and logs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import ExplorerError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn
    from rich.text import Text

# A log has no width; rich would cut its lines at 80 characters.
_LOG_WIDTH = 160
_GAP = 2
GOOD, BAD, QUIET = "green", "red", "dim"


@dataclass(frozen=True)
class Column:
    """Numbers are aligned right; optional columns are omitted in a narrow terminal."""

    title: str
    number: bool = False
    optional: bool = False


def console(*, err: bool = False) -> Console:
    """Standard output or standard error; colours only in a terminal. Text is never parsed as markup."""
    from rich.console import Console

    shown = Console(stderr=err, markup=False, highlight=False, emoji=False)
    if not shown.is_terminal:
        shown.width = _LOG_WIDTH
    return shown


def print_table(out: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text | str]]) -> None:
    """Print an aligned table without lines. If it is too wide, optional columns are omitted, the last one first."""
    from rich.table import Table

    kept = list(range(len(columns)))
    optional = [i for i in kept if columns[i].optional]
    while optional and sum(_width(columns[i], rows, i) + _GAP for i in kept) - _GAP > out.width:
        kept.remove(optional.pop())
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="bold", pad_edge=False)
    for i in kept:
        table.add_column(columns[i].title, justify="right" if columns[i].number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(row[i] for i in kept))
    out.print(table)


def _width(column: Column, rows: Sequence[Sequence[Text | str]], index: int) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, [column.title, *(str(row[index]) for row in rows)]))


def print_json(value: Any) -> None:
    """Print a JSON value to standard output."""
    typer.echo(json.dumps(value, indent=2))


def progress(shown: Console, *columns: ProgressColumn) -> Progress:
    """A progress bar as a context manager; hidden if ``shown`` is not a terminal."""
    from rich.progress import Progress

    return Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)


@contextmanager
def count_progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; yields a function of the steps done and of all steps."""
    with progress(console(err=True)) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def output_path(path: str, suffix: str) -> Path:
    """Check the name of an output file.

    Raises:
        ExplorerError: the name does not end in ``suffix``.
    """
    if not path.lower().endswith(suffix):
        raise ExplorerError(f"{path}: expected a name that ends in {suffix}")
    return Path(path)
