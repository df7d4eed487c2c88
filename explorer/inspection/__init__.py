"""Shapes only: what a network is, costs and sees, and what is wrong with it, on the meta device."""

from .fixes.propose import Fix, propose_fixes
from .joins.additions import Merge, Verdict
from .joins.findings import Finding, Producer
from .receptive_field import ReceptiveField
from .report import Graph, Report, inspect
from .tracing.operations import Op
from .tracing.repeats import Layer, Trace

__all__ = [
    "Finding",
    "Fix",
    "Graph",
    "Layer",
    "Merge",
    "Op",
    "Producer",
    "ReceptiveField",
    "Report",
    "Trace",
    "Verdict",
    "inspect",
    "propose_fixes",
]
