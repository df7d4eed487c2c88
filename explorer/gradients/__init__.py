"""Gradients along depth, measured by real backward passes: a network and its twins, deeper ones, its paths."""

from .budget import Budget, Setting
from .options import Options, ProbeCancelled, ProbeOptions
from .path_lengths import PathLength, PathLengths, path_csv, path_lengths
from .probe import probe_beside, probe_gradients, probe_with_twin
from .results import BlockGradient, GradientProbe, LayerGradient
from .sweep import SweepPoint, depth_sweep, sweep_csv, sweep_depths, sweep_specs

__all__ = [
    "BlockGradient",
    "Budget",
    "GradientProbe",
    "LayerGradient",
    "Options",
    "PathLength",
    "PathLengths",
    "ProbeCancelled",
    "ProbeOptions",
    "Setting",
    "SweepPoint",
    "depth_sweep",
    "path_csv",
    "path_lengths",
    "probe_beside",
    "probe_gradients",
    "probe_with_twin",
    "sweep_csv",
    "sweep_depths",
    "sweep_specs",
]
