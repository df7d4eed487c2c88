"""Layers that meet an input they cannot take: noted, and given what they could, so that the pass continues.

PyTorch refuses such a call before any tensor operation runs, so these are caught one level above, as functions of
``torch.nn.functional``. Only a pass that has failed once is repeated this way: watching functions costs time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .recorder import Recorder
from .refusals import stand_in
from .repeats import Shape

Arguments = dict[str, Any]
_CONV = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
_CONVS = (F.conv1d, F.conv2d, F.conv3d)
_TRANSPOSED_CONVS = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
_NORMS = (F.batch_norm, F.instance_norm, F.group_norm, F.layer_norm)
# Those written in C++ show no signature.
_PARAMETERS: dict[Any, tuple[str, ...]] = {
    **dict.fromkeys(_CONVS, _CONV),
    **dict.fromkeys(_TRANSPOSED_CONVS, _TRANSPOSED),
    F.linear: ("input", "weight", "bias"),
    **{norm: tuple(signature(norm).parameters) for norm in _NORMS},
}


@dataclass(frozen=True)
class _Retry:
    """Arguments that suit each other, and what is noted of the operation, one of ``names``, that runs on them."""

    arguments: Arguments
    attrs: dict[str, Any]
    names: tuple[str, ...]


class Tolerance(TorchFunctionMode):
    """Lets layers pass whose weights don't suit their input; their operations get ``wants`` or ``refusal`` (see
    ``Op.attrs``).

    A convolution and a linear layer give as many channels as they are built for, and so does a normalisation. An error
    of another kind is raised as ever.
    """

    def __init__(self, recorder: Recorder, modules: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self._recorder, self._modules = recorder, modules

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = len(self._recorder.ops)
        try:
            return func(*args, **(kwargs or {}))
        except Exception as error:
            retry, given = self._retry(func, args, kwargs or {}, before)
            if retry is None:
                refused = stand_in(func, args, kwargs or {}, error)
                if refused is None:
                    raise
                del self._recorder.ops[before:]
                self._recorder.refuse(refused.name, refused.operands, refused.refusal, *refused.outputs)
                return refused.result
        del self._recorder.ops[before:]  # what the refused call had done already
        if "input" in retry.arguments:
            self._recorder.take_for(retry.arguments["input"], given["input"])
        out = func(**{**given, **retry.arguments})
        self._note(before, retry, tuple(given["input"].shape))
        return out

    def _retry(self, func: Any, args: Any, kwargs: Any, at: int) -> tuple[_Retry | None, Arguments]:
        if func not in _PARAMETERS:
            return None, {}
        given = dict(zip(_PARAMETERS[func], args, strict=False)) | kwargs
        if func in _NORMS:
            return _norm(func, given, is_root_cause=at in self._recorder.interventions.root_causes), given
        if func is F.linear:
            return _linear(given), given
        return _conv(func, given, is_input=self._recorder.is_input(given["input"])), given

    def _note(self, first: int, retry: _Retry, in_shape: Shape) -> None:
        """Write the operation down with the arguments it had."""
        at, op = next((op.index, op) for op in reversed(self._recorder.ops[first:]) if op.name in retry.names)
        attrs = {**op.attrs, **retry.attrs}
        name = retry.names[0] if "linear" in retry.names else op.name  # of a permuted input it is a batch of products
        declared = getattr(self._modules.get(self._recorder.stack[-1]), "in_channels", None)
        if isinstance(declared, int):
            attrs["declared"] = declared
        self._recorder.amend(at, name=name, attrs=attrs, in_shapes=(in_shape, *op.in_shapes[1:]))


def _conv(func: Any, given: Arguments, *, is_input: bool) -> _Retry | None:
    """An ungrouped weight for the channels that came; an image with its channels last, permuted."""
    x, weight, groups = given["input"], given["weight"], given.get("groups", 1)
    transposed = func in _TRANSPOSED_CONVS
    wants = weight.shape[0] if transposed else weight.shape[1] * groups
    outputs = weight.shape[1] * groups if transposed else weight.shape[0]
    if x.dim() != weight.dim() or (x.shape[1] == wants and outputs % groups == 0 and wants % groups == 0):
        return None
    if is_input and x.shape[1] != wants == x.shape[-1] and groups == 1:
        noted = {"wants": wants, "weight": tuple(weight.shape), "groups": 1, "channels_last": True}
        return _Retry({"input": x.movedim(-1, 1)}, noted, ("conv",))
    sides = (x.shape[1], outputs) if transposed else (outputs, x.shape[1])
    return _Retry(
        {"weight": weight.new_zeros((*sides, *weight.shape[2:])), "groups": 1},
        {"wants": wants, "weight": tuple(weight.shape), "groups": groups},
        ("conv",),
    )


def _linear(given: Arguments) -> _Retry | None:
    x, weight = given["input"], given["weight"]
    outputs, wants = weight.shape
    if x.shape[-1] == wants:
        return None
    arguments = {"weight": weight.new_zeros((outputs, x.shape[-1]))}
    return _Retry(arguments, {"wants": wants, "inner": wants}, ("linear", "bmm", "baddbmm"))


def _norm(func: Any, given: Arguments, *, is_root_cause: bool) -> _Retry | None:
    """An input with the channels that the norm has; if the norm is the root cause, a norm for those that came."""
    x, groups = given["input"], given.get("num_groups", 1)
    names = ("weight", "running_mean", "running_var", "bias")
    own = {name: given[name] for name in names if given.get(name) is not None}
    sizes = given.get("normalized_shape") or next((t.shape for t in own.values()), (x.shape[1],))
    axis = x.dim() - 1 if func is F.layer_norm else 1
    came, wants = x.shape[axis], sizes[0]
    if len(sizes) != 1 or (came == wants and wants % groups == 0):
        return None
    arguments: Arguments = {"num_groups": 1} if groups > 1 else {}
    if is_root_cause:
        arguments |= {name: tensor.new_zeros(came) for name, tensor in own.items()}
        arguments |= {"normalized_shape": (came,)} if func is F.layer_norm else {}
    else:
        arguments["input"] = x.new_zeros((*x.shape[:axis], wants, *x.shape[axis + 1 :]))
    noted = {"groups": groups} if func is F.group_norm else {}
    return _Retry(arguments, {"wants": wants, **noted}, ("batch_norm", "group_norm", "layer_norm"))
