"""Which stored tensors of an ONNX graph are parameters.

A file does not say what was trained. Every stored tensor of floats, or of quantised numbers, that an operator reads as
data is counted once. Running statistics, scales, zero points and other settings are not. Neither is what exporters make
of numbers in the code, unless a layer reads it as its weight: constants that are nodes, and single numbers without the
name of a module.
"""

from __future__ import annotations

from math import prod

from onnx import TensorProto

_ANY = frozenset(range(1, 100))
# Operator -> inputs that are settings or statistics.
_SETTINGS: dict[str, frozenset[int]] = {
    "BatchNormalization": frozenset({3, 4}),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), frozenset({1, 2})),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), frozenset({4, 5, 6})),
    **dict.fromkeys(("Clip", "Pad", "Resize", "Upsample", "Dropout", "Reshape", "Slice", "Expand", "Tile"), _ANY),
    **dict.fromkeys(("Pow", "TopK", "OneHot", "Split", "Squeeze", "Unsqueeze", "CumSum", "Trilu"), _ANY),
    **dict.fromkeys((f"Reduce{kind}" for kind in ("Mean", "Sum", "Max", "Min", "Prod", "L1", "L2")), _ANY),
    **dict.fromkeys(("ConstantOfShape", "Range", "Where"), frozenset({0})),
}
# These read weights of any number type, one number too.
_LAYERS = frozenset(
    {
        *("Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN", "PRelu", "DeformConv"),
        *("BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization"),
    }
)
_SHORT = frozenset(
    getattr(TensorProto, name)
    for name in ("INT8", "UINT8", "INT4", "UINT4", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ")
)
_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE})


def is_setting(operator: str, position: int) -> bool:
    """Whether an operator's input at this position is a setting or a statistic, not data or weights."""
    return position in _SETTINGS.get(operator, ())


def parameter_count(operator: str, name: str, kind: int, shape: tuple[int, ...], *, is_literal: bool) -> int:
    """Elements of a stored tensor if it is a parameter of ``operator``, else 0.

    Args:
        name: of the tensor.
        kind: number type, as in ``TensorProto.DataType``.
        is_literal: whether it is written as a node.
    """
    count = prod(shape) if min(shape, default=1) > 0 else 0
    if operator in _LAYERS:
        return count
    return count if not is_literal and kind in _FLOATS | _SHORT and (count > 1 or "." in name) else 0
