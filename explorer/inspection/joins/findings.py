"""Everything that is wrong with a network, in execution order."""

from __future__ import annotations

from dataclasses import dataclass

from ..tracing.operations import Op
from ..tracing.repeats import Trace
from .additions import Merge
from .causes import Cause, cause_of_layer, causes_of_merge


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
        rule: its kind, stable from release to release: "missing-projection", "stride-differs", "padding-forgotten",
            "padding-in-excess", "odd-size", "size-differs", "wrong-expansion", "wrong-width", "groups-do-not-divide",
            "rank-differs" or "broadcast".
        path: the block's module path, or the layer's.
        op: index of the sum or layer in ``Report.operations``, whose ``source`` is the line of it.
        sentence: the cause in words, with shapes C×H×W.
        merge: the sum; None where a layer does not suit its input.
        producers: of branch and shortcut, or of what the layer reads.
    """

    rule: str
    path: str
    op: int
    sentence: str
    merge: Merge | None
    producers: tuple[Producer, ...]


def diagnose(trace: Trace, merges: tuple[Merge, ...]) -> tuple[Finding, ...]:
    """Every mistake at the additions of ``merges`` and at the layers of ``trace``, in execution order."""
    broken = {merge.op: merge for merge in merges if not merge.fits}
    return tuple(
        Finding(cause.rule, op.path, op.index, cause.sentence, merge, _producers(trace, op, merge))
        for op in trace.ops
        for merge in [broken.get(op.index)]
        for cause in _causes(trace, op, merge)
    )


def _causes(trace: Trace, op: Op, merge: Merge | None) -> tuple[Cause, ...]:
    if merge:
        return causes_of_merge(trace.ops, merge)
    return (cause_of_layer(trace.ops, op),) if "wants" in op.attrs else ()


def _producers(trace: Trace, op: Op, merge: Merge | None) -> tuple[Producer, ...]:
    if merge:  # the branch first
        sources = op.inputs if op.in_shapes[0][1:] == merge.branch_shape else op.inputs[::-1]
    else:
        source = op
        while source.path == op.path and source.inputs:  # a layer may reshape what it reads
            source = trace.ops[source.inputs[0]]
        sources = (source.index,)
    return tuple(Producer(trace.ops[i].path, trace.ops[i].name, trace.ops[i].source) for i in sources)
