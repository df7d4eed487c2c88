"""CSV that a spreadsheet may open."""

import csv

import pytest

from explorer.csv_text import lines


def test_a_line_for_each_row_with_all_digits() -> None:
    assert lines([("a", "b"), (1, None), (0.1 + 0.2, "x,y")]) == 'a,b\r\n1,\r\n0.30000000000000004,"x,y"\r\n'
    assert lines([(1, 2)], end="\n") == "1,2\n"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_starts_a_formula_is_marked(text: str) -> None:
    assert next(csv.reader([lines([(text,)])]))[0] == f"'{text}"


def test_numbers_are_not_formulas() -> None:
    assert lines([(-1, -2.5)]) == "-1,-2.5\r\n"
