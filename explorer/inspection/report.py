"""``inspect``: everything that can be said of a network without its weights, in one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from numpy import ndarray
from torch import Tensor, nn

from ..errors import TraceError
from ..lazy import by_name
from ..network.shortcuts import projection
from ..spec import PRESETS, ResNetSpec, title
from .joins.additions import Merge, find_sums
from .joins.findings import Finding, diagnose
from .receptive_field import ReceptiveField, network_receptive_field, receptive_fields
from .tracing.inputs import Inputs, Sizes, examples
from .tracing.operations import Op
from .tracing.repeats import Layer, Shape, Trace
from .tracing.trace import Subject, subject_of, trace_spec


@dataclass(frozen=True, eq=False)
class Report:
    """A traced network.

    Attributes:
        name: title of the spec, or class name of the module.
        spec: what it was built from; None for a foreign module.
        input_size: of the traced batch, N×C×H×W; of the first input where there are several.
        subject: the module, ready to be traced again; None for a spec and for a file.
        made: path of a layer -> the line of the program that made it, where known.
    """

    name: str
    spec: ResNetSpec | None
    input_size: Shape
    trace: Trace
    subject: Subject | None = None
    made: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def sums(self) -> tuple[Merge, ...]:
        """Every residual addition, and every other addition of two paths that PyTorch refuses."""
        return find_sums(self.trace, partial(_price, self.spec) if self.spec else None)

    @cached_property
    def merges(self) -> tuple[Merge, ...]:
        """Every residual addition, in execution order."""
        return tuple(merge for merge in self.sums if merge.is_residual)

    @cached_property
    def receptive_fields(self) -> tuple[ReceptiveField | None, ...]:
        """One for each operation."""
        return receptive_fields(self.trace)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """torchinfo's table."""
        return self.trace.layers

    @property
    def operations(self) -> tuple[Op, ...]:
        """Every tensor operation in execution order, functional ones included."""
        return self.trace.ops

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """(producer, consumer) for every activation read, as indices of ``operations``."""
        return tuple((producer, op.index) for op in self.trace.ops for producer in op.inputs)

    @cached_property
    def params(self) -> int:
        """Parameters; buffers such as running statistics are not counted."""
        return sum(self.trace.params.values())

    @cached_property
    def macs(self) -> int:
        """Multiply-adds for the traced batch; convolutions and matrix products only (see ``Op.macs``)."""
        return sum(op.macs for op in self.trace.ops)

    @cached_property
    def macs_by_module(self) -> Mapping[str, int]:
        """Multiply-adds of each module, its children included."""
        totals: dict[str, int] = {}
        for op in self.trace.ops:
            path = op.path
            while path:
                totals[path] = totals.get(path, 0) + op.macs
                path = path.rpartition(".")[0]
        return totals

    @cached_property
    def activation_bytes(self) -> int:
        """Outputs of all operations for the traced batch, as if all were kept; views share memory but are counted."""
        return sum(op.bytes for op in self.trace.ops)

    @cached_property
    def receptive_field(self) -> ReceptiveField | None:
        """Receptive field of the last feature map; None where no map exists, or where it cannot be told."""
        return network_receptive_field(self.trace)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that is wrong, in execution order: additions that do not match, and layers that do not match their
        input; empty if everything matches."""
        return diagnose(self.trace, self.sums)

    @property
    def broken(self) -> tuple[Merge, ...]:
        """Additions that do not match."""
        return tuple(m for m in self.merges if not m.fits)

    def __repr__(self) -> str:
        """One line: the fields themselves are every operation of the network."""
        shortcuts = f"{len(self.merges) - len(self.broken)} of {len(self.merges)} shortcuts match"
        return f"<Report on {self.name}: {self.params:,} parameters, {self.macs:,} MACs, {shortcuts}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """A report of a spec is stored as the spec, which is megabytes smaller; one of a module without the module,
        so that no fixes can be tried on it later."""
        if self.spec is not None:
            return _inspect_spec, (self.spec, self.input_size)
        return Report, (self.name, None, self.input_size, self.trace, None, self.made)

    def _repr_html_(self) -> str:
        """For notebooks: the report without scripts, in a frame of its own."""
        html: str = by_name("views.export.notebook:report_frame")(self)
        return html

    def svg(self, opened: Iterable[str] | None = None) -> str:
        """The diagram as a file, with the boxes ``opened``; default: the stages.

        Raises:
            DiagramError: Graphviz is missing.
        """
        svg: str = by_name("views.export.notebook:report_svg")(self, opened)
        return svg

    def save(self, path: str | Path, opened: Iterable[str] | None = None) -> None:
        """Write a file of the kind that the ending of its name says: .html, .svg, .png, .pdf, .csv (the layers), .json,
        .py or .onnx.

        Args:
            opened: boxes that are open in its diagram; default: the stages.

        Raises:
            ExplorerError: there is no such kind, or none of this network.
        """
        by_name("views.export.kinds:save")(self, Path(path), opened)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values of totals and merges."""
        field = self.receptive_field
        return {
            "name": self.name,
            "input_size": list(self.input_size),
            "params": self.params,
            "macs": self.macs,
            "activation_bytes": self.activation_bytes,
            "receptive_field": field and field.size,
            "merges": [
                {
                    "path": m.path,
                    "shortcut": m.kind,
                    "branch_shape": list(m.branch_shape),
                    "shortcut_shape": list(m.shortcut_shape),
                    "verdict": m.verdict.value,
                    "explanation": m.explanation,
                }
                for m in self.merges
            ],
        }


@dataclass(frozen=True, eq=False)
class Graph:
    """A network that is shown without a spec: of an ONNX file, or of somebody's own code.

    Attributes:
        report: with no spec; its name says where the graph of a file was cut.
        notes: what was left out or assumed, in sentences.
    """

    report: Report
    notes: tuple[str, ...]


def inspect(
    target: ResNetSpec | nn.Module | type[nn.Module] | str,
    input_size: Sizes | int | Tensor | ndarray[Any, Any] | None = None,
    *,
    inputs: Inputs | None = None,
    original: Callable[[], nn.Module] | None = None,
) -> Report:
    """Trace a spec or any module, shapes only. The module is not touched: a copy without weights is run. A network that
    reads values in its forward pass is run with real tensors on the processor (see ``Trace.note``).

    Args:
        target: a spec, the name of a preset, a module, or its class if that needs no arguments.
        input_size: (C, H, W) or (N, C, H, W), or a list of such shapes for a module of several inputs; the side of a
            square image; or the input itself, a tensor or an array. Default: the spec's own, or (1, 3, 224, 224) for a
            module.
        inputs: what to call a module with instead: a sequence of positional arguments, or a mapping of keyword
            arguments. A tensor stands for its shape and type; a tuple of whole numbers is the whole shape, batch
            included, of a float tensor; anything else is passed on as it is.
        original: builds the module with its values, if ``target`` was built without; called only when they are needed.

    Raises:
        TraceError: the forward pass fails for another reason than shapes; the module cannot be copied; or the inputs
            are not shapes.
    """
    target = _subject(target)
    if isinstance(input_size, (Tensor, ndarray)):
        input_size, inputs = None, [input_size]
    if isinstance(input_size, int):
        channels = target.in_channels if isinstance(target, ResNetSpec) else 3
        input_size = (1, channels, input_size, input_size)
    if isinstance(target, ResNetSpec):
        default = (1, target.in_channels, target.image_size, target.image_size)
        given = examples(input_size, inputs, default)
        if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], Tensor):
            raise TraceError("input_size: a spec has one input, an image; give its shape as (3, 224, 224).")
        return _inspect_spec(target, tuple(given[0].shape))
    subject = subject_of(target, examples(input_size, inputs, (1, 3, 224, 224)), original)
    traced = subject.trace()
    return _report(type(target).__name__, None, traced, replace(subject, real=bool(traced.note)))


def _subject(target: object) -> ResNetSpec | nn.Module:
    """The network that a caller of ``inspect`` means."""
    if isinstance(target, (ResNetSpec, nn.Module)):
        return target
    if isinstance(target, str):
        if target in PRESETS:
            return PRESETS[target]
        raise TraceError(f"got the name {target[:40]!a}; presets are {', '.join(PRESETS)}.")
    if isinstance(target, type) and issubclass(target, nn.Module):
        try:
            return target()
        except TypeError as error:
            raise TraceError(f"{target.__name__} cannot be made without arguments ({error}). Pass an object.") from None
    raise TraceError(f"got {type(target).__name__}; expected a ResNetSpec, the name of a preset, or an nn.Module.")


def _inspect_spec(spec: ResNetSpec, input_size: Shape) -> Report:
    with _FINDING:  # two that miss at once would get one each
        pending = _pending(spec, input_size)
    return pending.report()


@dataclass
class _Pending:
    """A report that is traced once, by the first caller; the others wait for that."""

    spec: ResNetSpec
    input_size: Shape
    _found: Report | None = None
    _lock: Lock = field(default_factory=Lock)

    def report(self) -> Report:
        with self._lock:
            if self._found is None:
                self._found = _report(title(self.spec), self.spec, trace_spec(self.spec, self.input_size), None)
            return self._found


_FINDING = Lock()


@lru_cache(maxsize=24)  # a report of 1,000 layers takes some 15 MB
def _pending(spec: ResNetSpec, input_size: Shape) -> _Pending:
    return _Pending(spec, input_size)


def _report(name: str, spec: ResNetSpec | None, traced: Trace, subject: Subject | None) -> Report:
    return Report(name, spec, traced.recording.ops[0].shape, traced, subject)


def _price(spec: ResNetSpec, path: str) -> int:
    """Parameters that a projection in this block would add."""
    plan = next(plan for plan in spec.blocks if plan.path == path)
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in projection(plan, spec).parameters())
