"""Rows of many photos, and their CSV."""

from __future__ import annotations

import csv
import io

from explorer.views.classify import many_photos as many
from tests.support.predictions import EVIL, prediction


def test_rows_are_escaped_and_told_apart() -> None:
    row = many.row(EVIL, prediction((EVIL, 0.75), ("dog", 0.25)))
    assert "<img" not in row
    assert "75.0 %" in row
    assert "dog 25.0 %" in row
    assert "<img" not in many.failed_row(EVIL, EVIL)


def test_the_csv_has_a_row_for_every_photo_and_no_formula() -> None:
    text = many.CSV_HEAD + many.csv_line("=a.jpg", prediction(("cat", 2 / 3), ("dog", 1 / 3)))
    text += many.csv_line("b.jpg", "It is damaged, badly.")
    good, bad = csv.DictReader(io.StringIO(text))
    assert good["file"] == "'=a.jpg"
    assert [good[f"{word}_{n}"] for n in (1, 2, 3) for word in ("class", "score")] == [
        *("cat", "0.666667", "dog", "0.333333"),
        *("", ""),
    ]
    assert (good["ms"], good["network"], good["error"]) == ("3.5", "cifar10_resnet20", "")
    assert (bad["file"], bad["class_1"], bad["error"]) == ("b.jpg", "", "It is damaged, badly.")
