"""Shapes only: what a network is, costs and sees, and what is wrong with it, on the meta device."""

from .diagnosis import Finding, Producer
from .fixes import Fix
from .merges import Merge, Verdict
from .operations import Op
from .receptive_field import ReceptiveField
from .replay import Layer, Trace
from .report import Report, inspect

__all__ = [
    "Finding",
    "Fix",
    "Layer",
    "Merge",
    "Op",
    "Producer",
    "ReceptiveField",
    "Report",
    "Trace",
    "Verdict",
    "inspect",
]
