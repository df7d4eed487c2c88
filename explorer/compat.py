"""``from explorer.compat import torchvision`` also works if torchvision's compiled operators cannot be loaded.

PyPI's torchvision contains operators that are linked to CUDA. With a CPU-only torch they cannot be loaded, and
``import torchvision`` fails with "operator torchvision::nms does not exist", because it registers fake versions of
``nms`` and ``qnms`` without a check. Declaring these two operators makes the import succeed. Calling them still
fails, but no classification model calls them. If the operators can be loaded, nothing is declared.
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
except (ImportError, OSError):  # the two that torchvision.extension catches
    # The declarations last as long as this object.
    _declared = torch.library.Library("torchvision", "DEF")
    _declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402  (the declarations above must come first)
