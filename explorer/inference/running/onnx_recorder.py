"""A network as ONNX, by running it once and writing down what it does.

A dispatch mode belongs to one thread, so unlike torch's exporters this disturbs nobody else; and it takes as long as
one forward pass, not seconds. Weights are not copied: the graph names them, and a reader gets the tensors separately.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from onnx import ModelProto, NodeProto, TensorProto, helper
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

OPSET, IR_VERSION = 21, 10
INPUT, OUTPUT = "image", "logits"
_FLOAT, _INT = TensorProto.FLOAT, TensorProto.INT64


class NotRecorded(Exception):
    """The network does something that is not translated here."""


@dataclass(frozen=True)
class OnnxRecording:
    """A forward pass, written down.

    Attributes:
        model: opset 21, in evaluation mode; input ``image`` (batch, channels, H, W) with any batch, output ``logits``,
            both float32. Its weights are named as external data, which exist nowhere but in ``weights``.
        weights: by the names of ``state_dict``; the network's own tensors.
        logits: what the network answered to the batch it was recorded with.
    """

    model: ModelProto
    weights: dict[str, Tensor]
    logits: Tensor


def record_onnx(model: nn.Module, batch: Tensor) -> OnnxRecording:
    """Run ``model``, in evaluation mode on the CPU, with ``batch`` (N, channels, H, W) float32.

    Raises:
        NotRecorded: an operation has no translation, or the answer does not depend on the image.
    """
    own = dict(model.state_dict(keep_vars=True))
    recorder = _Recorder(own)
    recorder.name(batch, INPUT)
    with torch.no_grad(), recorder:
        logits = model(batch)
    if recorder.names.get(logits) in (None, INPUT):
        raise NotRecorded("the answer comes from none of the operations")
    recorder.emit("Identity", [logits], name=OUTPUT)
    weights = {name: own[name].detach().contiguous() for name in recorder.used}
    graph = helper.make_graph(
        recorder.nodes,
        "network",
        [helper.make_tensor_value_info(INPUT, _FLOAT, ["batch", *batch.shape[1:]])],
        [helper.make_tensor_value_info(OUTPUT, _FLOAT, ["batch", *logits.shape[1:]])],
        [*recorder.constants, *(_external(name, tensor) for name, tensor in weights.items())],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    return OnnxRecording(helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION), weights, logits)


def _external(name: str, tensor: Tensor) -> TensorProto:
    proto = TensorProto(name=name, dims=tensor.shape, data_type=_FLOAT, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": name, "offset": "0", "length": str(tensor.nbytes)}.items():
        proto.external_data.add(key=key, value=value)
    return proto


@dataclass
class _Recorder(TorchDispatchMode):
    """Turns every tensor operation into nodes.

    Attributes:
        own: the network's tensors by name.
        names: what each tensor is called in the graph.
        used: those of ``own`` that an operation has read.
    """

    own: dict[str, Tensor]
    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)
    used: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch annotates only part of it
        self.names: Any = WeakIdKeyDictionary()
        for name, tensor in self.own.items():
            self.name(tensor, name)

    def name(self, tensor: Tensor, name: str) -> None:
        self.names[tensor] = name

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if any(isinstance(arg, Tensor) and arg in self.names for arg in args):
            translate = _TRANSLATIONS.get(func.overloadpacket)
            if translate is None:
                raise NotRecorded(f"{func} has no translation")
            try:
                translate(self, out[0] if isinstance(out, tuple) else out, *args, **(kwargs or {}))
            except TypeError as error:  # an option that no residual network needs
                raise NotRecorded(f"{func} with these arguments has no translation") from error
        return out

    def emit(self, op: str, inputs: list[Any], out: Tensor | None = None, name: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of what it computes, and gives it to ``out``."""
        name = name or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self._read(value) for value in inputs], [name], **attributes))
        if out is not None:
            self.name(out, name)
        return name

    def _read(self, value: Any) -> str:
        """The name of an operand: a tensor, a list of whole numbers, a number, a name already, or None."""
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, Tensor):
            if value not in self.names:
                raise NotRecorded("an operand is neither a weight nor computed from the image")
            name: str = self.names[value]
            if name in self.own:
                if value.dtype != torch.float32:
                    raise NotRecorded(f"{name} is not float32")
                self.used[name] = None
            return name
        name = f"c{len(self.constants)}"
        kind, shape, values = (_INT, [len(value)], value) if isinstance(value, list) else (_FLOAT, [], [value])
        self.constants.append(helper.make_tensor(name, kind, shape, values))
        return name


def _convolution(
    r: _Recorder,
    out: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    _: list[int],
    groups: int,
) -> None:
    if transposed:
        raise NotRecorded("a transposed convolution")
    inputs = [x, weight] if bias is None else [x, weight, bias]
    pads = [*padding, *padding]
    r.emit("Conv", inputs, out, strides=stride, pads=pads, dilations=dilation, group=groups)


def _batch_norm(r: _Recorder, out: Tensor, *args: Any) -> None:
    *tensors, training, _, epsilon = args
    if training or any(tensor is None for tensor in tensors):
        raise NotRecorded("batch normalisation without stored statistics or scales")
    r.emit("BatchNormalization", tensors, out, epsilon=epsilon)


def _group_norm(r: _Recorder, out: Tensor, x: Tensor, weight: Tensor, bias: Tensor, *rest: Any) -> None:
    *_, groups, epsilon = rest
    r.emit("GroupNormalization", [x, weight, bias], out, num_groups=groups, epsilon=epsilon)


def _max_pool(
    r: _Recorder, out: Tensor, x: Tensor, kernel: list[int], stride: list[int], padding: Sequence[int] = (0, 0)
) -> None:
    r.emit("MaxPool", [x], out, kernel_shape=kernel, strides=stride, pads=[*padding, *padding])


def _mean(r: _Recorder, out: Tensor, x: Tensor, dims: list[int], keep: bool = False) -> None:
    if {dim % 4 for dim in dims} == {2, 3} and x.dim() == 4 and keep:
        r.emit("GlobalAveragePool", [x], out)
    else:
        raise NotRecorded("a mean that is not global pooling")


def _add(r: _Recorder, out: Tensor, x: Tensor, y: Tensor, alpha: float = 1) -> None:
    if alpha != 1:
        raise NotRecorded("a weighted sum")
    r.emit("Add", [x, y], out)


def _pad(r: _Recorder, out: Tensor, x: Tensor, pads: list[int], value: float = 0) -> None:
    # torch counts axes from the last, in pairs of before and after.
    before, after = pads[-2::-2], pads[::-2]
    missing = [0] * (x.dim() - len(before))
    r.emit("Pad", [x, [*missing, *before, *missing, *after], float(value)], out)


def _slice(r: _Recorder, out: Tensor, x: Tensor, axis: int, start: int, end: int, step: int = 1) -> None:
    r.emit("Slice", [x, [start], [end], [axis], [step]], out)


def _view(r: _Recorder, out: Tensor, x: Tensor, shape: list[int]) -> None:
    if out.dim() != 2 or out.shape[0] != x.shape[0]:
        raise NotRecorded("a change of shape that mixes images")
    r.emit("Flatten", [x], out, axis=1)


def _linear(r: _Recorder, out: Tensor, bias: Tensor, x: Tensor, weight: Tensor) -> None:
    r.emit("Gemm", [x, weight, bias], out)


def _same(r: _Recorder, out: Tensor, x: Tensor, *_: Any, **__: Any) -> None:
    if out.shape != x.shape:
        raise NotRecorded("a view of another shape")
    r.name(out, r.names[x])


def _silu(r: _Recorder, out: Tensor, x: Tensor) -> None:
    r.emit("Mul", [x, r.emit("Sigmoid", [x])], out)


def _leaky(r: _Recorder, out: Tensor, x: Tensor, slope: float = 0.01) -> None:
    r.emit("LeakyRelu", [x], out, alpha=slope)


def _gelu(r: _Recorder, out: Tensor, x: Tensor, approximate: str = "none") -> None:
    r.emit("Gelu", [x], out, approximate=approximate)


_aten = torch.ops.aten
_TRANSLATIONS: dict[Any, Callable[..., None]] = {
    _aten.convolution: _convolution,
    _aten.native_batch_norm: _batch_norm,
    _aten.native_group_norm: _group_norm,
    _aten.max_pool2d_with_indices: _max_pool,
    _aten.mean: _mean,
    _aten.add: _add,
    _aten.add_: _add,
    _aten.constant_pad_nd: _pad,
    _aten.slice: _slice,
    _aten.view: _view,
    _aten.t: lambda r, out, x: r.emit("Transpose", [x], out, perm=[1, 0]),
    _aten.addmm: _linear,
    _aten.as_strided_: _same,
    _aten.detach: _same,
    _aten.relu: lambda r, out, x: r.emit("Relu", [x], out),
    _aten.relu_: lambda r, out, x: r.emit("Relu", [x], out),
    _aten.leaky_relu: _leaky,
    _aten.gelu: _gelu,
    _aten.silu: _silu,
}
