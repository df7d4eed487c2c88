"""Gradients along depth, measured by real backward passes: a network and its twins, deeper ones, its paths."""

from .budget import Budget, Setting
from .cases import Case, apply_case, counterpart
from .options import Options, ProbeCancelled, ProbeOptions
from .path_lengths import PathLength, PathLengths, path_csv, path_lengths
from .probe import probe_beside, probe_gradients, probe_with_twin
from .results import BlockGradient, GradientProbe, LayerGradient
from .signal import Signal, Trend, activation_signal, gradient_signal, signal_trend, trend
from .sweep import Span, SweepPoint, depth_sweep, sweep_csv, sweep_depths, sweep_specs

__all__ = [
    "BlockGradient",
    "Budget",
    "Case",
    "GradientProbe",
    "LayerGradient",
    "Options",
    "PathLength",
    "PathLengths",
    "ProbeCancelled",
    "ProbeOptions",
    "Setting",
    "Signal",
    "Span",
    "SweepPoint",
    "Trend",
    "activation_signal",
    "apply_case",
    "counterpart",
    "depth_sweep",
    "gradient_signal",
    "path_csv",
    "path_lengths",
    "probe_beside",
    "probe_gradients",
    "probe_with_twin",
    "signal_trend",
    "sweep_csv",
    "sweep_depths",
    "sweep_specs",
    "trend",
]
