"""One pass over any ``nn.Module`` that survives mismatched additions.

``torchinfo.summary`` runs the forward pass on the meta device, inside a dispatch mode that records every tensor
operation with its module path. Where two activations of different shape meet in an addition, the recorder notes it,
lets the main branch's shape go on, and the pass continues: one pass yields torchinfo's layer table, the true operation
graph and *all* mismatches.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
import torchinfo
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.hooks import RemovableHandle
from torchinfo.layer_info import LayerInfo

from ..errors import TraceError
from ..network import build_skeleton
from ..spec import ResNetSpec
from .forks import find_fork
from .operations import NAMES, SHAPE_PRESERVING, TRANSPARENT, Op, added, creates, describe
from .replay import Layer, Recording, Shape, Trace

_ADDITIONS = {torch.ops.aten.add.Tensor, torch.ops.aten.add_.Tensor}


def trace(module: nn.Module, input_size: Shape) -> Trace:
    """Trace ``module`` in evaluation mode on a copy without weights; the module itself is not touched.

    Args:
        input_size: (N, C, H, W) or (C, H, W) of the one input.

    Raises:
        TraceError: the forward pass failed for another reason than a mismatched addition; names the layer.
    """
    try:
        shadow = meta_copy(module)
    except Exception as error:  # tensors that are no parameters, layers without a size yet
        raise TraceError(f"{type(module).__name__} cannot be copied without its weights: {_reason(error)}") from error
    return Trace(record(shadow, input_size))


def trace_spec(spec: ResNetSpec, input_size: Shape) -> Trace:
    """Equal to ``trace`` of the network that ``build`` makes; takes as long as its different blocks do."""
    runs = {run[0].path: tuple(plan.path for plan in run) for run in spec.runs}
    return Trace(record(build_skeleton(spec), input_size), runs)


def record(shadow: nn.Module, input_size: Shape) -> Recording:
    """Run a module on the meta device that belongs to the caller alone, as ``trace`` does with its copy."""
    size = input_size if len(input_size) > 3 else (1, *input_size)
    recorder = _Recorder()
    try:
        return _pass(shadow, size, recorder)
    except Exception as error:  # whatever a foreign forward raises becomes one sentence
        if not recorder.met_broadcast:
            raise _trace_error(recorder, error) from error
    # A silent broadcast changed a shape, and a later layer cannot read it: let the branch's shape go on instead.
    recorder = _Recorder(keeps_branch=True)
    try:
        return _pass(shadow, size, recorder)
    except Exception as error:
        raise _trace_error(recorder, error) from error


def _pass(shadow: nn.Module, size: Shape, recorder: _Recorder) -> Recording:
    """One forward pass of a module without weights."""
    modules = dict(shadow.named_modules())
    paths = {id(m): path for path, m in modules.items()}
    dtypes = (p.dtype for p in shadow.parameters() if p.is_floating_point())
    data = torch.empty(size, device="meta", dtype=next(dtypes, torch.float32))
    recorder.add_input(data)
    with _module_paths(modules, recorder.stack), recorder:
        # Without a device, torchinfo moves nothing, and there is nothing to move: a module has a thousand tensors.
        summary = torchinfo.summary(shadow, input_data=data, mode="eval", verbose=0, depth=64)
    return Recording(
        name=type(shadow).__name__,
        ops=tuple(recorder.ops),
        layers=tuple(_layer(info, paths) for info in summary.summary_list),
        params=_params_by_owner(shadow),
        kinds={path: type(m).__name__ for path, m in modules.items()},
    )


def meta_copy(module: nn.Module) -> nn.Module:
    """A copy whose parameters and buffers have shapes but no memory."""
    memo: dict[int, Any] = {}
    for tensor in chain(module.parameters(), module.buffers()):
        empty = torch.empty_like(tensor, device="meta")
        if isinstance(tensor, nn.Parameter):
            empty = nn.Parameter(empty, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = empty
    return copy.deepcopy(module, memo)


@dataclass
class _Recorder(TorchDispatchMode):
    """Collects operations.

    Attributes:
        keeps_branch: the branch's shape goes on from a silent broadcast too, as from a mismatch.
        stack: paths of the modules being run, outermost first.
        met_broadcast: whether there was a silent broadcast.
    """

    keeps_branch: bool = False
    met_broadcast: bool = False
    ops: list[Op] = field(default_factory=list)
    stack: list[str] = field(default_factory=lambda: [""])

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch annotates only part of it
        # Tensors are kept alive, or a later one could reuse the identity of an earlier one.
        self._producer: dict[int, tuple[int, Tensor]] = {}

    def add_input(self, tensor: Tensor) -> None:
        self._append("input", (), (), {}, (tensor,))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.aten.detach.default:  # ``tensor.data``, which torchinfo reads four times in every call
            out = func(*args, **kwargs)
            if source := self._producer.get(id(args[0])):
                self._remember(source[0], (out,))
            return out
        operands = [t for t in _tensors(chain(args, kwargs.values())) if id(t) in self._producer]
        producers = tuple(self._producer[id(t)][0] for t in operands)
        shapes = tuple(tuple(t.shape) for t in operands)
        if func in _ADDITIONS and len(operands) == 2 and self._must_replace(func, shapes):
            main = operands[find_fork(self.ops, *producers).main]
            in_place = func is torch.ops.aten.add_.Tensor
            out = args[0].resize_(main.shape) if in_place else torch.empty_like(main)
        elif func in SHAPE_PRESERVING and len(set(shapes)) == 1:
            out = SHAPE_PRESERVING[func](operands[0])
        else:
            out = func(*args, **kwargs)
        outputs = tuple(_tensors((out,)))
        if not operands or not outputs or creates(func.overloadpacket.__name__):
            return out
        name = NAMES.get(func.overloadpacket, func.overloadpacket.__name__.strip("_"))
        if name in TRANSPARENT and tuple(outputs[0].shape) == shapes[0]:
            self._remember(producers[0], outputs)
        else:
            self._append(name, producers, shapes, describe(func, args), outputs)
        return out

    def _must_replace(self, func: Any, shapes: tuple[Shape, ...]) -> bool:
        """Whether an addition cannot run as it is; notes silent broadcasts."""
        total = added(*shapes, in_place=func is torch.ops.aten.add_.Tensor)
        broadcast = total is not None and shapes[0] != shapes[1]
        self.met_broadcast |= broadcast
        return total is None or (broadcast and self.keeps_branch)

    def _append(
        self,
        name: str,
        producers: tuple[int, ...],
        shapes: tuple[Shape, ...],
        attrs: dict[str, Any],
        outputs: tuple[Tensor, ...],
    ) -> None:
        index = len(self.ops)
        shape = tuple(outputs[0].shape)
        size = outputs[0].element_size() * outputs[0].numel()
        self.ops.append(Op(index, name, self.stack[-1], producers, shapes, shape, size, attrs))
        self._remember(index, outputs)

    def _remember(self, index: int, tensors: tuple[Tensor, ...]) -> None:
        for tensor in tensors:
            self._producer[id(tensor)] = (index, tensor)


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


@contextmanager
def _module_paths(modules: Mapping[str, nn.Module], stack: list[str]) -> Iterator[None]:
    """Keep ``stack`` at the path of the module being run. Not popped on an error: its top then names the culprit."""

    def leave(*_: Any) -> None:
        stack.pop()

    handles: list[RemovableHandle] = []
    for path, module in modules.items():
        handles.append(module.register_forward_pre_hook(lambda *_, path=path: stack.append(path)))
        handles.append(module.register_forward_hook(leave))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _trace_error(recorder: _Recorder, error: Exception) -> TraceError:
    cause = error.__cause__ or error
    where = recorder.stack[-1] or "the network"
    shape = "×".join(map(str, recorder.ops[-1].shape[1:]))
    return TraceError(f"{where} failed on an input of {shape}: {_reason(cause)}")


def _reason(error: BaseException) -> str:
    """The first line of what it says, bounded."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _layer(info: LayerInfo, paths: dict[int, str]) -> Layer:
    return Layer(
        path=paths.get(info.layer_id, info.var_name),
        kind=info.class_name,
        depth=info.depth,
        in_shape=_shape(info.input_size),
        out_shape=_shape(info.output_size),
        kernel=_shape(info.kernel_size or ()),
        params=0 if info.is_recursive else info.num_params,
        repeated=info.is_recursive,
    )


def _shape(size: Any) -> Shape:
    """torchinfo nests the sizes of several inputs (the first one is shown) and gives a square kernel as one number."""
    if isinstance(size, int):
        return (size, size)
    while size and isinstance(size[0], (list, tuple)):
        size = size[0]
    return tuple(size)


def _params_by_owner(model: nn.Module) -> dict[str, int]:
    owners: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        owner = name.rpartition(".")[0]
        owners[owner] = owners.get(owner, 0) + parameter.numel()
    return owners
