"""Quantised and fused operators as the plain operators that they compute, so that both are read alike.

``QLinearConv`` with its scales and zero points is a ``Conv``; what quantises and back changes no shape. Rounding is not
shown. (ONNX operators; onnxruntime, "Contrib Operators".)
"""

from __future__ import annotations

from typing import Any

from onnx import TensorProto, helper

CONTRIB = "com.microsoft"
_KNOWN = ("", "ai.onnx", CONTRIB)
# Operator -> the plain one, and which of its inputs that reads.
_PLAIN: dict[str, tuple[str, tuple[int, ...]]] = {
    "QLinearConv": ("Conv", (0, 3, 8)),
    "ConvInteger": ("Conv", (0, 1)),
    "FusedConv": ("Conv", (0, 1, 2)),
    "QLinearMatMul": ("MatMul", (0, 3)),
    "MatMulInteger": ("MatMul", (0, 1)),
    "MatMulIntegerToFloat": ("MatMul", (0, 1, 6)),
    "DynamicQuantizeMatMul": ("MatMul", (0, 1, 4)),
    "QGemm": ("Gemm", (0, 3, 6)),
    "FusedGemm": ("Gemm", (0, 1, 2)),
    "QLinearAdd": ("Add", (0, 3)),
    "QLinearMul": ("Mul", (0, 3)),
    "QLinearLeakyRelu": ("LeakyRelu", (0,)),
    "QLinearSigmoid": ("Sigmoid", (0,)),
    "QLinearSoftmax": ("Softmax", (0,)),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QLinearAveragePool": ("AveragePool", (0,)),
    "QLinearReduceMean": ("ReduceMean", (0,)),
    "DynamicQuantizeLSTM": ("LSTM", (0, 1, 2, 3, 4, 5, 6, 7)),
    "QuantizeLinear": ("QuantizeLinear", (0, 1, 2)),
    "DequantizeLinear": ("DequantizeLinear", (0, 1, 2)),
}
# Operators of onnxruntime whose first output has the shape of their first input.
SAME_SHAPE = frozenset(
    {
        *("Gelu", "FastGelu", "QuickGelu", "BiasGelu", "SimplifiedLayerNormalization"),
        *("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"),
    }
)


def make_plain(graph: Any) -> frozenset[str]:
    """Replace quantised and fused nodes of a graph in place; returns the names of scales that depend on the input."""
    stored: set[str] = set()
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear" and node.domain in _KNOWN and node.input:
            _forget_scales(graph, node, stored)
        elif node.op_type == "QLinearConcat" and node.domain == CONTRIB:
            _replace(node, "Concat", range(2, len(node.input), 3))
        elif node.op_type in _PLAIN and node.domain in _KNOWN and not _adds(node):
            _replace(node, *_PLAIN[node.op_type])
    return frozenset(stored)


def _adds(node: Any) -> bool:
    """Whether a fused convolution also adds another path, which a plain one can't."""
    return node.op_type == "FusedConv" and len(node.input) > 3


def _replace(node: Any, plain: str, positions: Any) -> None:
    inputs = [node.input[i] if i < len(node.input) else "" for i in positions]
    while inputs and not inputs[-1]:
        inputs.pop()
    del node.input[:]
    node.input.extend(inputs)
    node.op_type, node.domain = plain, ""


def _forget_scales(graph: Any, node: Any, stored: set[str]) -> None:
    """Pass the input on; scale and zero point, which depend on it, are one number each."""
    kinds = (TensorProto.FLOAT, TensorProto.UINT8)
    for name, kind in zip(node.output[1:3], kinds, strict=False):
        if name and name not in stored:
            stored.add(name)
            graph.initializer.append(helper.make_tensor(name, kind, [], [1]))
    del node.output[1:]
    _replace(node, "Identity", (0,))
