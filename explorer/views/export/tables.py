"""The report's tables as CSV: exact numbers, shapes as 64x56x56, a header that names the unit."""

from __future__ import annotations

from collections.abc import Iterable

from ...csv_text import lines
from ...inspection import Report
from ...inspection.stages import stages as stages_of


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
    return lines([head, *rows])


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
    return lines([head, *rows])


def stages(report: Report) -> str:
    """Cost of stem, stages and head, one image, float32."""
    head = ("stage", "blocks", "output", "parameters", "macs", "activation_bytes")
    rows = ((s.name, s.blocks, _shape(s.output), s.params, s.macs, s.bytes) for s in stages_of(report))
    return lines([head, *rows])


def _shape(sides: Iterable[int]) -> str:
    return "x".join(map(str, sides))
