"""Norm and spread of a tensor's values, as exact as doubles and as fast as single precision."""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# Single precision over rows this short, doubles across them: relative errors stay below 10⁻⁶. Shorter tensors than
# ``_SHORT`` are not worth it. NumPy, since torch would wake all its threads for every one of these sums.
_ROW, _SHORT = 1024, 2**14
Values = npt.NDArray[np.float32]
_ONES = np.ones(_ROW, np.float32)
# Mean squares between which no square that matters is lost in single precision, and none overflows.
_LEAST, _MOST = 1e-30, 1e30


def l2_norm(values: Tensor) -> float:
    """√Σx² of a tensor of any shape. Squares never overflow, nor are they lost."""
    values = values.detach()
    if _has_rows(values):
        flat = values.reshape(-1).numpy()
        square = _dot(flat, flat)
        if _LEAST < square / flat.size < _MOST:
            return sqrt(square)
    return torch.linalg.vector_norm(_precise(values)).item()


def std(values: Tensor) -> float:
    """Standard deviation of all values (population form)."""
    values = values.detach()
    if _has_rows(values):
        flat = values.reshape(-1).numpy()
        square = _dot(flat, flat) / flat.size
        variance = square - (_dot(flat) / flat.size) ** 2
        # A mean far above the spread would leave of the difference little but rounding.
        if _LEAST < square < _MOST and variance > 0.1 * square:
            return sqrt(variance)
    return _precise(values).std(correction=0).item()


def _has_rows(values: Tensor) -> bool:
    return values.device.type == "cpu" and values.dtype is torch.float32 and values.numel() >= _SHORT


def _dot(a: Values, b: Values | None = None) -> float:
    """Σab, or Σa; infinite or NaN if a product overflows."""
    whole = a.size // _ROW * _ROW
    rows, others = (_ONES if x is None else x[:whole].reshape(-1, _ROW) for x in (a, b))
    rest = a[whole:].astype(np.float64)
    with np.errstate(all="ignore"):
        # Not rows @ ones: long products wake NumPy's threads, which then block torch's.
        return float(np.vecdot(rows, others).sum(dtype=np.float64) + (rest.sum() if b is None else rest @ b[whole:]))


def _precise(values: Tensor) -> Tensor:
    # Apple's GPUs have no doubles.
    return (values.cpu() if values.device.type == "mps" else values).double()
