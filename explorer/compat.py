"""``from explorer.compat import torchvision``: torchvision, also where its compiled operators cannot load.

PyPI's torchvision carries operators linked to CUDA. Beside a CPU-only torch they don't load, and
``import torchvision`` itself dies with "operator torchvision::nms does not exist": it describes ``nms``
and ``qnms`` without asking whether they are there. Declaring just these two lets the import pass.
Calling them still fails, as it should; no classification model does. Where the operators load, nothing
is declared and torchvision is as it came.
"""

from __future__ import annotations

from importlib.machinery import PathFinder
from importlib.util import find_spec

import torch

__all__ = ["torchvision"]

_package = find_spec("torchvision")
_operators = PathFinder.find_spec("_C", _package.submodule_search_locations) if _package else None
try:
    if _operators is None or _operators.origin is None:
        raise ImportError("this torchvision has no compiled operators")
    torch.ops.load_library(_operators.origin)
except (ImportError, OSError):  # the two that torchvision.extension takes for "cannot load"
    # The declarations live as long as this object does.
    _declared = torch.library.Library("torchvision", "DEF")
    _declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402  (after the guard, which is this module's purpose)
