"""The tables as CSV (RFC 4180): exact numbers, shapes as 64x56x56, a header that names the unit."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from ...inspection import Report
from ...inspection.stages import stages as stages_of

Value = str | float | None
# A spreadsheet takes text that starts so for a formula, which may fetch and send.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def layers(report: Report) -> str:
    """Every call of every module, torchinfo's table: empty where nothing is counted twice or was never called."""
    head = ("layer", "type", "depth", "input", "output", "kernel", "parameters", "macs", "repeated")
    rows = (
        (
            layer.path,
            layer.kind,
            layer.depth,
            _shape(layer.in_shape[1:]),
            _shape(layer.out_shape[1:]),
            _shape(layer.kernel),
            None if layer.repeated else layer.params,
            None if layer.repeated else report.macs_by_module.get(layer.path, 0),
            "yes" if layer.repeated else "no",
        )
        for layer in report.layers
        if layer.depth > 0
    )
    return _text(head, rows)


def checks(report: Report) -> str:
    """Every sum of two paths, in execution order."""
    head = ("block", "verdict", "shortcut", "branch_shape", "shortcut_shape", "explanation")
    rows = (
        (
            merge.path or "the network",
            merge.verdict.value,
            merge.kind,
            _shape(merge.branch_shape),
            _shape(merge.shortcut_shape),
            merge.explanation.replace("×", "x"),
        )
        for merge in report.merges
    )
    return _text(head, rows)


def stages(report: Report) -> str:
    """Cost of stem, stages and head, one image, float32."""
    head = ("stage", "blocks", "output", "parameters", "macs", "activation_bytes")
    rows = ((s.name, s.blocks, _shape(s.output), s.params, s.macs, s.bytes) for s in stages_of(report))
    return _text(head, rows)


def lines(rows: Iterable[Sequence[Value]]) -> str:
    """Rows as they are, one a line."""
    out = StringIO()
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def _shape(sides: Iterable[int]) -> str:
    return "x".join(map(str, sides))


def _text(head: Sequence[str], rows: Iterable[Sequence[Value]]) -> str:
    return lines([head, *rows])


def cell(value: Value) -> Value:
    """A value as it stands in the file."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
