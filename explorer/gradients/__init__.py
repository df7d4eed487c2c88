"""Gradients along depth, measured by real backward passes; a network beside its plain twin."""

from .budget import Budget, Setting
from .probe import ProbeCancelled, ProbeOptions, probe_gradients, probe_with_twin
from .results import BlockGradient, GradientProbe, LayerGradient

__all__ = [
    "BlockGradient",
    "Budget",
    "GradientProbe",
    "LayerGradient",
    "ProbeCancelled",
    "ProbeOptions",
    "Setting",
    "probe_gradients",
    "probe_with_twin",
]
