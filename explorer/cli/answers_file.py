"""Write predictions for many photos to a file, one by one, so that an interrupted run can resume."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from ..csv_text import lines
from ..errors import ExplorerError

Row = Mapping[str, Any]


@dataclass
class AnswersFile:
    """``FILE.jsonl`` with one JSON object per line, or ``FILE.csv`` with one row per photo.

    Attributes:
        top: number of classes in a row of a CSV.
        done: files that already have predictions; unreadable files are tried again.
    """

    path: Path
    model: str
    top: int
    done: set[str] = field(default_factory=set)
    _stream: TextIO | None = field(default=None, repr=False)

    @property
    def _is_csv(self) -> bool:
        return self.path.suffix.lower() == ".csv"

    @property
    def _head(self) -> list[str]:
        pairs = [word for n in range(1, self.top + 1) for word in (f"class_{n}", f"probability_{n}")]
        return ["file", "model", *pairs, "milliseconds", "error"]

    def has_answer(self, file: Path) -> bool:
        """Whether the file already has predictions for ``file`` under this path."""
        return str(file) in self.done

    def add(self, row: Row) -> None:
        """Write a result and flush it. ``row`` has the form of ``classify --json``."""
        assert self._stream is not None, "call it inside `writing`"
        self._stream.write(self._format_row({**row, "model": self.model}))
        self._stream.flush()

    @contextmanager
    def writing(self) -> Iterator[AnswersFile]:
        """Open the file to append to it.

        Raises:
            ExplorerError: the file has other contents, or predictions of another network.
            OSError: the file cannot be read or written.
        """
        answers = self._read_answers()
        self.done = {name for name, _ in answers}
        whole = (_csv_line(self._head) if self._is_csv else "") + "".join(line for _, line in answers)
        if not self.path.exists() or whole != self._text():
            part = self.path.with_name(self.path.name + ".part")
            part.write_text(whole, encoding="utf-8", newline="")
            part.replace(self.path)
        with self.path.open("a", encoding="utf-8", newline="") as self._stream:
            yield self

    def _text(self) -> str:
        with self.path.open(encoding="utf-8", newline="") as opened:
            return opened.read()

    def _read_answers(self) -> list[tuple[str, str]]:
        """Read the complete, error-free rows: the photo's name and the line."""
        if not self.path.exists():
            return []
        try:
            text = self._text()
            whole = text[: text.rfind("\n") + 1]  # a killed run may leave half a line
            rows = self._csv_rows(whole) if self._is_csv else [json.loads(line) for line in whole.splitlines()]
            wrong = next((row["model"] for row in rows if row["model"] != self.model), None)
            answers = [(str(row["file"]), self._format_answer(row)) for row in rows if not row.get("error")]
        except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
            raise ExplorerError(
                f"{self.path} exists and contains no predictions of this kind. Choose another file."
            ) from error
        if wrong is not None:
            raise ExplorerError(
                f"{self.path} contains predictions of {str(wrong)[:60]!a}, not of {self.model!a}. Choose another file."
            )
        return answers

    def _csv_rows(self, text: str) -> list[dict[str, str]]:
        reader = csv.DictReader(StringIO(text, newline=""), strict=True)
        if text and reader.fieldnames != self._head:
            raise ValueError("unexpected columns")
        rows = list(reader)
        if any(None in row or None in row.values() for row in rows):
            raise ValueError("a row has another length")
        # Names that a spreadsheet would read as formulas have an apostrophe in front.
        return [row | {"file": self._remove_mark(row["file"])} for row in rows]

    @staticmethod
    def _remove_mark(name: str) -> str:
        return name[1:] if name.startswith("'") and _csv_line([name[1:]]) == _csv_line([name]) else name

    def _format_answer(self, row: Row) -> str:
        return _csv_line([row[name] for name in self._head]) if self._is_csv else json.dumps(row) + "\n"

    def _format_row(self, row: Row) -> str:
        if not self._is_csv:
            return json.dumps(row) + "\n"
        pairs = [(one["class"], f"{one['probability']:.6f}") for one in row.get("top", ())]
        pairs += [("", "")] * (self.top - len(pairs))
        values = [value for pair in pairs for value in pair]
        spent = f"{row['milliseconds']:.1f}" if "milliseconds" in row else ""
        return _csv_line([row["file"], row["model"], *values, spent, row.get("error", "")])


def _csv_line(values: list[str]) -> str:
    return lines([values])
