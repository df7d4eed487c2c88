"""``from explorer.compat import torchvision`` also works if torchvision's compiled operators cannot be loaded.

PyPI's torchvision contains operators that are linked to CUDA. With a CPU-only torch they cannot be loaded, and
``import torchvision`` fails with "operator torchvision::nms does not exist", because it registers fake versions of
``nms`` and ``qnms`` without a check. Declaring these two operators makes the import succeed. Calling them still
fails, but no classification model calls them. If the operators can be loaded, nothing is declared.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torchvision
    from torch.library import Library

__all__ = ["guard_imports", "torchvision"]


def __getattr__(name: str) -> Any:
    if name != "torchvision":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _declare_operators()
    import torchvision

    return torchvision


@cache
def guard_imports() -> None:
    """From now on ``import torchvision`` works in foreign code too. Code that does not import it does not wait for it:
    importing torchvision takes as long as importing torch."""
    sys.meta_path.insert(0, _BeforeTorchvision())


class _BeforeTorchvision(MetaPathFinder):
    """Declares the operators when torchvision is first looked for; finds nothing itself."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "torchvision":
            _declare_operators()


@cache
def _declare_operators() -> Library | None:
    """Load torchvision's operators, or declare them. The declarations last as long as what is returned."""
    import torch

    package = PathFinder.find_spec("torchvision")  # not importlib.util's, which would ask _BeforeTorchvision again
    operators = PathFinder.find_spec("_C", package.submodule_search_locations) if package else None
    try:
        if operators is None or operators.origin is None:
            raise ImportError("this torchvision has no compiled operators")
        torch.ops.load_library(operators.origin)
    except (ImportError, OSError):  # the two that torchvision.extension catches
        declared = torch.library.Library("torchvision", "DEF")
        declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        declared.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return declared
    return None
