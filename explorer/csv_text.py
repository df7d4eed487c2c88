"""Rows as CSV (RFC 4180) which a spreadsheet can open without running anything in it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

Value = str | float | None
# A spreadsheet takes text that starts so for a formula, which may fetch and send.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(rows: Iterable[Sequence[Value]], end: str = "\r\n") -> str:
    """A line for each row, all digits; None is an empty cell.

    Args:
        end: of every line; the RFC asks for the default.
    """
    out = StringIO()
    csv.writer(out, lineterminator=end).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Value) -> Value:
    """A value as it is written: text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
