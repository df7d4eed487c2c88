"""Write rows as CSV (RFC 4180) that a spreadsheet opens without running formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

Value = str | float | None
# A spreadsheet reads text that starts with one of these as a formula, which may access the network.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(rows: Iterable[Sequence[Value]], end: str = "\r\n") -> str:
    """Write one line for each row, with all digits; None becomes an empty cell.

    Args:
        end: line ending; the default is the one of the RFC.
    """
    out = StringIO()
    csv.writer(out, lineterminator=end).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Value) -> Value:
    """Put an apostrophe before text that a spreadsheet would read as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
