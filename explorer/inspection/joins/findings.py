"""Everything that is wrong with a network, in execution order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..tracing.flow import carriers
from ..tracing.operations import Op
from ..tracing.repeats import Trace
from .additions import Merge
from .causes import Cause, cause_of_layer, causes_of_merge
from .layout import layout
from .refused import cause_of_refusal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Producer:
    """What gave an operand: module path, operation, and line of the program (``models/net.py:123``; "" if unknown)."""

    path: str
    operation: str
    source: str


@dataclass(frozen=True)
class Finding:
    """One mistake. ``fixes.propose_fixes`` says what would correct it.

    Attributes:
        rule: its kind, stable from release to release. At a sum: "missing-projection", "stride-differs",
            "padding-forgotten", "padding-in-excess", "even-kernel", "transposed-size", "odd-size", "size-differs",
            "axes-swapped", "wrong-expansion", "wrong-width", "rank-differs" or "broadcast". At a layer: "wrong-width",
            "groups-do-not-divide". What else PyTorch refuses: "constant-differs", "product-differs", "concat-differs",
            "stack-differs", "matmul-differs", "view-size", "view-strides", "split-size", "kernel-too-large",
            "wrong-rank", "wrong-norm-shape", "wrong-dtype", "wrong-state", "wrong-mask", "channels-do-not-divide" or
            "size-does-not-divide". A hint: "never-called", "layers-in-a-list", "gives-nothing", "batch-folded",
            "gate-axes", "in-place-shortcut", "repeated-operand" or "training-fails".
        path: the block's module path, or the layer's.
        op: index of the sum or layer in ``Report.operations``, whose ``source`` is the line of it.
        sentence: the cause in words, with shapes C×H×W.
        merge: the sum; None where a layer does not suit its input.
        producers: of branch and shortcut, or of what the layer reads.
        severity: of an error, or of a warning for a hint.
    """

    rule: str
    path: str
    op: int
    sentence: str
    merge: Merge | None
    producers: tuple[Producer, ...]
    severity: Severity = "error"


def diagnose(trace: Trace, sums: tuple[Merge, ...]) -> tuple[Finding, ...]:
    """Every mistake at the additions of ``sums`` and at the other operations of ``trace``, in execution order."""
    broken = {merge.op: merge for merge in sums if not merge.fits}
    return tuple(
        Finding(cause.rule, op.path, op.index, cause.sentence, merge, _producers(trace, op, merge))
        for op in trace.ops
        for merge in [broken.get(op.index)]
        for cause in _causes(trace, op, merge, sums)
    )


def _causes(trace: Trace, op: Op, merge: Merge | None, sums: tuple[Merge, ...]) -> tuple[Cause, ...]:
    if merge:
        return () if _follows(trace, merge) else causes_of_merge(trace.ops, merge)
    if "wants" in op.attrs:
        return (cause_of_layer(trace.ops, op),)
    summed = op.name == "stack" and any(other.op > op.index for other in sums if op.index in trace.ops[other.op].inputs)
    return (cause_of_refusal(trace.ops, op),) if "refusal" in op.attrs and not summed else ()


def _follows(trace: Trace, merge: Merge) -> bool:
    """Whether an addition does not match only because a layer of its branch is built for another width than it gets,
    for both its inputs and its outputs. That layer is a finding already."""
    channels, size = layout(trace.ops, merge)
    widths = channels(merge.shortcut_shape), channels(merge.branch_shape)
    if len(merge.branch_shape) != len(merge.shortcut_shape) or size(merge.shortcut_shape) != size(merge.branch_shape):
        return False
    return any(
        (_came(op), op.attrs["wants"]) == widths for op in carriers(trace.ops, merge.branch) if "wants" in op.attrs
    )


def _came(op: Op) -> int:
    return op.in_shapes[0][-1 if op.name in ("linear", "layer_norm") else 1]


def _producers(trace: Trace, op: Op, merge: Merge | None) -> tuple[Producer, ...]:
    if merge:  # the branch first
        sources = op.inputs if op.in_shapes[0][1:] == merge.branch_shape else op.inputs[::-1]
    else:
        source = op
        while source.path == op.path and source.inputs:  # a layer may reshape what it reads
            source = trace.ops[source.inputs[0]]
        sources = (source.index,)
    return tuple(Producer(trace.ops[i].path, trace.ops[i].name, trace.ops[i].source) for i in sources)
