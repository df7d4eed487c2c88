"""One pass over any ``nn.Module`` that survives mismatches.

``torchinfo.summary`` runs the forward pass on the meta device, inside a dispatch mode that records every tensor
operation with its module path. If two activations of different shape meet in an addition, the recorder notes it and
continues with the main branch's shape: one pass yields torchinfo's layer table, the true operation graph and *all*
mismatches. A pass that fails at a layer is run again with ``Tolerance`` for layers too. A network that reads values is
run with real tensors instead, on the CPU and within ``limits``.

A network of this program does the same each time it runs. So its diagram need not wait for torchinfo's table, which is
made in a pass of its own when it is first read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torchinfo
from torch import nn
from torch.utils.hooks import RemovableHandle
from torchinfo.layer_info import LayerInfo

from ...errors import TraceError
from ...network import build_skeleton
from ...spec import ResNetSpec, shapes
from .copies import has_script, materialised, meta_copy, sized
from .guards import guarded
from .inputs import batched, like, tensors
from .limits import SMALL, LimitReached, Limits, fits_memory
from .recorder import Interventions, OperandChange, Recorder
from .repeats import Layer, Recording, Shape, Trace
from .root_cause import find_root_causes
from .tolerance import Tolerance

Called = list[Any] | dict[str, Any]  # with these positional or keyword arguments
Table = tuple[Layer, ...]
REAL = "Its forward pass reads values, so it was run with real tensors."


@dataclass(frozen=True, eq=False)
class Subject:
    """A module as it is traced: a copy without weights, and its example inputs, on the meta device.

    Attributes:
        original: gives the module with its values; it is only copied.
        real: whether it can only be traced with real tensors.
    """

    shadow: nn.Module
    inputs: Called
    original: Callable[[], nn.Module] | None = None
    real: bool = False

    def trace(self, operand_changes: Mapping[int, OperandChange] | None = None, *, quick: bool = False) -> Trace:
        """One pass, with ``operand_changes`` (see ``Interventions``); ``quick``, without torchinfo's table. Raises
        ``TraceError`` as ``record``."""
        interventions = Interventions(operand_changes=operand_changes or {})
        table: Callable[[], Table] | None = tuple if quick else None
        if not self.real:
            try:
                return Trace(record(self.shadow, self.inputs, interventions, names_sources=True, table=table))
            except TraceError:
                if self.original is None or not fits_memory(self.shadow, self.inputs):
                    raise
        return self._trace_real(interventions)

    def _trace_real(self, interventions: Interventions) -> Trace:
        recording = record(self.materialised(), self.inputs, interventions, names_sources=True, device="cpu")
        return Trace(replace(recording, note=REAL))

    def trace_training(self) -> Trace:
        """One pass in training mode. Raises ``TraceError`` as ``record``."""
        shadow = self.materialised() if self.real else self.shadow
        device = "cpu" if self.real else "meta"
        return Trace(record(shadow, self.inputs, names_sources=True, device=device, table=tuple, training=True))

    @property
    def is_small(self) -> bool:
        """Whether a real forward pass takes a moment."""
        return fits_memory(self.shadow, self.inputs, SMALL) and not has_script(self.shadow)

    def materialised(self) -> nn.Module:
        """A copy with memory: with the module's values where it has them."""
        return materialised(self.shadow, self.original() if self.original else None)

    def runs(self, operand_changes: Mapping[int, OperandChange] | None = None) -> bool:
        """Whether a real forward pass succeeds with ``operand_changes``."""
        recorder = Recorder(Interventions(operand_changes=operand_changes or {}, strict=True), limits=Limits())
        module = self.materialised()
        try:
            _pass(module, self.inputs, recorder, _forward, tolerant=False, device="cpu")
        except Exception:  # whatever a foreign forward raises
            return False
        return True


def subject_of(module: nn.Module, inputs: Called, original: Callable[[], nn.Module] | None = None) -> Subject:
    """``module`` made ready to be traced in evaluation mode, any number of times; it itself is not touched.

    Args:
        original: gives the module with its values, where it was built without; it may fail.

    Raises:
        TraceError: it cannot be copied without its weights.
    """
    if has_script(module):
        return Subject(module, inputs, lambda: module, real=True)
    try:
        module = sized(module, inputs)
        return Subject(meta_copy(module), inputs, original or (lambda: module))
    except Exception as error:
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
    device: str = "meta",
    training: bool = False,
) -> Recording:
    """Run a module that belongs to the caller alone.

    Args:
        inputs: what it is called with, on the meta device; or the shape of its one input.
        table: makes torchinfo's table when it is first asked for; None: this pass does.
        device: "meta", shapes only; or "cpu".

    Raises:
        TraceError: the forward pass failed for another reason than shapes; names the layer.
    """
    called = [torch.empty(batched(inputs), device="meta")] if isinstance(inputs, tuple) else inputs
    interventions, tolerant = interventions or Interventions(), False
    names = {id(t): name for named in (shadow.named_parameters(), shadow.named_buffers()) for name, t in named}
    run = _train if training else _forward if table or has_script(shadow) else _summary
    while True:
        limits = None if device == "meta" else Limits()
        recorder = Recorder(interventions, names_sources, names if names_sources else {}, limits)
        try:
            rows = _pass(shadow, called, recorder, run, tolerant=tolerant, device=device)
        except Exception as error:  # whatever a foreign forward raises becomes one sentence
            if tolerant or isinstance(error.__cause__ or error, LimitReached):
                raise _trace_error(recorder, error) from error
            # A silent broadcast may have changed a shape: this time the pass continues with the branch's.
            interventions, tolerant = replace(interventions, keeps_branch=True), True
            continue
        root_causes = interventions.root_causes | find_root_causes(recorder.ops)
        if root_causes == interventions.root_causes:
            break
        interventions = replace(interventions, root_causes=root_causes)
    return Recording(
        name=type(shadow).__name__,
        ops=tuple(recorder.ops),
        table=table or partial(tuple, rows),
        params=_params_by_owner(shadow),
        kinds={path: type(module).__name__ for path, module in shadow.named_modules()},
        read=frozenset(recorder.read),
        gives_nothing=recorder.gives_nothing,
    )


def _pass(
    shadow: nn.Module,
    inputs: Called,
    recorder: Recorder,
    run: Callable[[nn.Module, Called], Table],
    *,
    tolerant: bool,
    device: str,
) -> Table:
    """One forward pass, as ``run`` does it."""
    modules = dict(shadow.named_modules())
    dtypes = (p.dtype for p in shadow.parameters() if p.is_floating_point())
    data = like(inputs, next(dtypes, torch.float32), device)
    for tensor in tensors([data]):
        recorder.add_input(tensor)
    with ExitStack() as stack:
        stack.enter_context(_module_paths(modules, recorder))
        if tolerant:
            if device == "meta":
                # Also, what a forward pass makes without naming a device belongs on this one.
                stack.enter_context(torch.device("meta"))
            stack.enter_context(guarded(modules, recorder))
            stack.enter_context(Tolerance(recorder, modules))
        stack.enter_context(recorder)
        return run(shadow, data)


def _forward(shadow: nn.Module, data: Called) -> Table:
    """No table."""
    shadow.eval()
    with torch.no_grad():
        shadow(**data) if isinstance(data, dict) else shadow(*data)
    return ()


def _train(shadow: nn.Module, data: Called) -> Table:
    """No table; the module is left in evaluation mode."""
    shadow.train()
    try:
        with torch.no_grad():
            shadow(**data) if isinstance(data, dict) else shadow(*data)
    finally:
        shadow.eval()
    return ()


def _summary(shadow: nn.Module, data: Called) -> Table:
    """torchinfo's."""
    # Without a device, torchinfo moves nothing, and there is nothing to move: a module has a thousand tensors.
    summary = torchinfo.summary(shadow, input_data=data, mode="eval", verbose=0, depth=64)
    paths = {id(module): path for path, module in shadow.named_modules()}
    return tuple(_layer(info, paths) for info in summary.summary_list)


@contextmanager
def _module_paths(modules: Mapping[str, nn.Module], recorder: Recorder) -> Iterator[None]:
    """Keep ``recorder.stack`` at the path of the module being run. On an error it stays: its top is what failed."""

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        recorder.stack.pop()
        if module is modules[""]:
            recorder.gives_nothing = output is None

    handles: list[RemovableHandle] = []
    for path, module in modules.items():
        if isinstance(module, torch.jit.ScriptModule):  # it takes no hooks
            continue
        handles.append(module.register_forward_pre_hook(lambda *_, path=path: recorder.stack.append(path)))
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


_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_MISSING = re.compile(r"'(\w+)' object has no attribute '(\w+)'")


def _reason(error: BaseException) -> str:
    """The first line of what it says, bounded."""
    if isinstance(error, LimitReached):
        return f"its forward pass reads values, and {error}"
    if isinstance(error, AttributeError) and (missing := _MISSING.fullmatch(str(error))) and missing[1] != "Tensor":
        return f"it reads self.{missing[2]}, which the __init__ of {missing[1]} never sets"
    return _ADDRESS.sub("", str(error).strip() or type(error).__name__).splitlines()[0][:200]


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
