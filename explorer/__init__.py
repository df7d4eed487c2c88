"""ResNet Explorer: describe, build, check, measure, train and use residual networks.

>>> from explorer import PRESETS, inspect
>>> inspect(PRESETS["resnet50"]).params
25557032

Names load on first use: importing this package takes no time, torch takes seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazy_names

if TYPE_CHECKING:
    from .errors import (
        DataError,
        DiagramError,
        ExplorerError,
        ImageError,
        SpecError,
        TraceError,
        WeightsError,
    )
    from .gradients import probe_gradients, probe_with_twin
    from .inference import load_classifier
    from .inspection import Finding, Fix, Merge, Producer, Report, Verdict, inspect, propose_fixes
    from .network import build
    from .spec import PRESETS, ResNetSpec, from_json, to_json

__version__ = "0.1.0"

_HOME = {
    "DataError": "errors",
    "DiagramError": "errors",
    "ExplorerError": "errors",
    "Finding": "inspection",
    "Fix": "inspection",
    "ImageError": "errors",
    "Merge": "inspection",
    "PRESETS": "spec",
    "Producer": "inspection",
    "Report": "inspection",
    "ResNetSpec": "spec",
    "SpecError": "errors",
    "TraceError": "errors",
    "Verdict": "inspection",
    "WeightsError": "errors",
    "build": "network",
    "from_json": "spec",
    "inspect": "inspection",
    "load_classifier": "inference",
    "probe_gradients": "gradients",
    "probe_with_twin": "gradients",
    "propose_fixes": "inspection",
    "to_json": "spec",
}

__all__ = [
    "PRESETS",
    "DataError",
    "DiagramError",
    "ExplorerError",
    "Finding",
    "Fix",
    "ImageError",
    "Merge",
    "Producer",
    "Report",
    "ResNetSpec",
    "SpecError",
    "TraceError",
    "Verdict",
    "WeightsError",
    "__version__",
    "build",
    "from_json",
    "inspect",
    "load_classifier",
    "probe_gradients",
    "probe_with_twin",
    "propose_fixes",
    "to_json",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
