"""One pass over any ``nn.Module`` that survives mismatches.

``torchinfo.summary`` runs the forward pass on the meta device, inside a dispatch mode that records every tensor
operation with its module path. Where two activations of different shape meet in an addition, the recorder notes it,
lets the main branch's shape go on, and the pass continues: one pass yields torchinfo's layer table, the true operation
graph and *all* mismatches. A pass that fails at a layer is run again with ``Tolerance`` for layers too.

A network of this program does the same each time it runs. So its diagram need not wait for torchinfo's table, which is
made in a pass of its own when it is first read.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
import torchinfo
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from torchinfo.layer_info import LayerInfo

from ...errors import TraceError
from ...network import build_skeleton
from ...spec import ResNetSpec, shapes
from .inputs import batched, like, tensors
from .recorder import Interventions, Recorder, ShortcutChange
from .repeats import Layer, Recording, Shape, Trace
from .root_cause import find_root_causes
from .tolerance import Tolerance

Called = list[Any] | dict[str, Any]  # with these positional or keyword arguments
Table = tuple[Layer, ...]


@dataclass(frozen=True, eq=False)
class Subject:
    """A module as it is traced: a copy without weights, and its example inputs, on the meta device."""

    shadow: nn.Module
    inputs: Called

    def trace(self, shortcut_changes: Mapping[int, ShortcutChange] | None = None) -> Trace:
        """One pass, with ``shortcut_changes`` (see ``Interventions``). Raises ``TraceError`` as ``record``."""
        interventions = Interventions(shortcut_changes=shortcut_changes or {})
        return Trace(record(self.shadow, self.inputs, interventions, names_sources=True))


def subject_of(module: nn.Module, inputs: Called) -> Subject:
    """``module`` made ready to be traced in evaluation mode, any number of times; it itself is not touched.

    Raises:
        TraceError: it cannot be copied without its weights.
    """
    try:
        return Subject(meta_copy(module), inputs)
    except Exception as error:  # layers without a size yet
        raise TraceError(f"{type(module).__name__} cannot be copied without its weights: {_reason(error)}") from error


def trace_spec(spec: ResNetSpec, input_size: Shape) -> Trace:
    """Equal to the trace of the network that ``build`` makes; takes as long as its different blocks do."""
    runs = {run[0].path: tuple(plan.path for plan in run) for run in spec.runs}

    def table() -> Table:
        return record(build_skeleton(spec), input_size).layers

    return Trace(record(build_skeleton(spec), input_size, table=table), runs)


def record(
    shadow: nn.Module,
    inputs: Shape | Called,
    interventions: Interventions | None = None,
    *,
    names_sources: bool = False,
    table: Callable[[], Table] | None = None,
) -> Recording:
    """Run a module on the meta device that belongs to the caller alone.

    Args:
        inputs: what it is called with, on the meta device; or the shape of its one input.
        table: makes torchinfo's table when it is first asked for; None: this pass does.

    Raises:
        TraceError: the forward pass failed for another reason than shapes of a sum or channels of a layer; names the
            layer.
    """
    called = [torch.empty(batched(inputs), device="meta")] if isinstance(inputs, tuple) else inputs
    interventions, tolerant = interventions or Interventions(), False
    while True:
        recorder = Recorder(interventions, names_sources)
        try:
            rows = _pass(shadow, called, recorder, _forward if table else _summary, tolerant=tolerant)
        except Exception as error:  # whatever a foreign forward raises becomes one sentence
            if tolerant:
                raise _trace_error(recorder, error) from error
            # A silent broadcast may have changed a shape: this time the pass goes on with the branch's.
            interventions, tolerant = replace(interventions, keeps_branch=True), True
            continue
        root_causes = interventions.root_causes | find_root_causes(recorder.ops)
        if root_causes == interventions.root_causes:
            break
        interventions = replace(interventions, root_causes=root_causes)
    return Recording(
        name=type(shadow).__name__,
        ops=tuple(recorder.ops),
        table=table or (lambda: rows),
        params=_params_by_owner(shadow),
        kinds={path: type(module).__name__ for path, module in shadow.named_modules()},
    )


def _pass(
    shadow: nn.Module, inputs: Called, recorder: Recorder, run: Callable[[nn.Module, Called], Table], *, tolerant: bool
) -> Table:
    """One forward pass of a module without weights, as ``run`` does it."""
    modules = dict(shadow.named_modules())
    dtypes = (p.dtype for p in shadow.parameters() if p.is_floating_point())
    data = like(inputs, next(dtypes, torch.float32))
    for tensor in tensors([data]):
        recorder.add_input(tensor)
    with ExitStack() as stack:
        stack.enter_context(_module_paths(modules, recorder.stack))
        if tolerant:
            # Besides, what a forward pass makes without naming a device belongs on this one.
            stack.enter_context(torch.device("meta"))
            stack.enter_context(Tolerance(recorder, modules))
        stack.enter_context(recorder)
        return run(shadow, data)


def _forward(shadow: nn.Module, data: Called) -> Table:
    """No table."""
    shadow.eval()
    with torch.no_grad():
        shadow(**data) if isinstance(data, dict) else shadow(*data)
    return ()


def _summary(shadow: nn.Module, data: Called) -> Table:
    """torchinfo's."""
    # Without a device, torchinfo moves nothing, and there is nothing to move: a module has a thousand tensors.
    summary = torchinfo.summary(shadow, input_data=data, mode="eval", verbose=0, depth=64)
    paths = {id(module): path for path, module in shadow.named_modules()}
    return tuple(_layer(info, paths) for info in summary.summary_list)


def meta_copy(module: nn.Module) -> nn.Module:
    """A copy whose tensors have shapes but no memory, without the hooks of its owner: they are not ours to run."""
    memo: dict[int, Any] = {}
    for tensor in chain(module.parameters(), module.buffers(), _loose_tensors(module)):
        empty = torch.empty_like(tensor, device="meta")
        if isinstance(tensor, nn.Parameter):
            empty = nn.Parameter(empty, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = empty
    hooks = [value for m in module.modules() for name, value in vars(m).items() if name.endswith("_hooks")]
    memo.update((id(value), OrderedDict()) for value in hooks if isinstance(value, dict))
    return copy.deepcopy(module, memo)


def _loose_tensors(module: nn.Module) -> Iterator[Tensor]:
    """Tensors kept as plain attributes."""
    own = ({k: v for k, v in vars(m).items() if k not in ("_parameters", "_buffers")} for m in module.modules())
    return tensors(own)


@contextmanager
def _module_paths(modules: Mapping[str, nn.Module], stack: list[str]) -> Iterator[None]:
    """Keep ``stack`` at the path of the module being run. On an error it stays: its top is what failed."""

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


def _trace_error(recorder: Recorder, error: Exception) -> TraceError:
    cause = error.__cause__ or error
    where = recorder.stack[-1] or "the network"
    shape = shapes.text(recorder.ops[-1].shape[1:], empty="") if recorder.ops else "nothing"
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
