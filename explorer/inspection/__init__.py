"""Shapes only: what a network is, costs and sees, on the meta device."""

from .merges import Merge, Verdict
from .operations import Op
from .receptive_field import ReceptiveField
from .replay import Layer, Trace
from .report import Report, inspect

__all__ = ["Layer", "Merge", "Op", "ReceptiveField", "Report", "Trace", "Verdict", "inspect"]
