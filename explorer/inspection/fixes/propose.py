"""Which changes correct a finding: each candidate is applied, the network is traced again, and only what helped is
proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from weakref import WeakKeyDictionary

import torch
from torch import nn

from ...errors import ExplorerError
from ...network.shortcuts import projection
from ...spec import BlockPlan, Norm, ResNetSpec, Shortcut
from ..joins.findings import Finding
from ..report import Report, inspect
from ..tracing.forks import find_fork, operands
from ..tracing.recorder import OperandChange
from ..tracing.trace import Subject
from .adapters import ShortcutAdapter, adapters_for, projecting
from .candidates import for_layer, for_meeting, for_merge, for_refusal, preparing
from .edits import Edit, changing, edited
from .remedies import Remedy, aligned, find_meeting, output_paddings, remedies


@dataclass(frozen=True)
class Fix:
    """A change that corrects a finding.

    Attributes:
        title: what is changed.
        params, macs: added to the network as it was traced; negative where it gets cheaper.
        snippet: lines of PyTorch.
        spec: the corrected network; None if the report is of a module.
        proven: whether a real forward pass of the corrected module succeeded. It is not tried for a large module, nor
            where other findings remain.
    """

    title: str
    params: int
    macs: int
    snippet: str
    spec: ResNetSpec | None
    proven: bool = False


# What was proposed for a report's findings, as long as the report is in use.
_PROPOSED: WeakKeyDictionary[Report, dict[Finding, tuple[Fix, ...]]] = WeakKeyDictionary()


def propose_fixes(report: Report, finding: Finding) -> tuple[Fix, ...]:
    """What corrects one of ``report.findings``, cheapest first: fewest parameters, then fewest multiply-adds.

    Each fix was applied and the network traced again; then this finding was gone and no new one had come. The first
    call for a finding costs up to ``candidates.MOST`` passes and some more for shortcuts; later calls cost nothing.
    Empty for a file, which cannot be changed and traced again.
    """
    proposed = _PROPOSED.setdefault(report, {})
    if finding not in proposed:
        proposed[finding] = _find_fixes(report, finding)
    return proposed[finding]


def _find_fixes(report: Report, finding: Finding) -> tuple[Fix, ...]:
    if report.spec is not None:
        found = _of_spec(report, report.spec, finding)
    elif report.subject is not None:
        found = _of_module(report, report.subject, finding)
    else:
        return ()
    best = {fix.title: fix for fix in found}
    return tuple(sorted(best.values(), key=lambda fix: (fix.params, fix.macs, fix.title)))


def _resolves(before: Report, after: Report, finding: Finding) -> bool:
    """Whether a finding is gone, and no other has come."""
    left = Counter((f.rule, f.path, f.merge is None) for f in before.findings)
    left[finding.rule, finding.path, finding.merge is None] -= 1
    return not Counter((f.rule, f.path, f.merge is None) for f in after.findings) - left


# ---- a spec ----------------------------------------------------------------------------------------------


def _of_spec(report: Report, spec: ResNetSpec, finding: Finding) -> Iterator[Fix]:
    for title, snippet, make in _mended_specs(report, spec, finding):
        try:
            mended = make()
        except ExplorerError:  # it would be larger than is allowed
            continue
        after = inspect(mended, report.input_size)
        if _resolves(report, after, finding):
            yield Fix(title, after.params - report.params, after.macs - report.macs, snippet, mended)


def _mended_specs(
    report: Report, spec: ResNetSpec, finding: Finding
) -> Iterator[tuple[str, str, Callable[[], ResNetSpec]]]:
    merge = finding.merge
    if merge is None:
        return
    overrides = dict(spec.shortcut_overrides)
    plan = next(plan for plan in spec.blocks if plan.path == merge.path)
    # What is there is replaced, so it is x that has to be made to fit.
    x = merge if merge.fork is None else replace(merge, shortcut_shape=report.trace.ops[merge.fork].shape[1:])
    for adapter in adapters_for(report.trace.ops, x):
        mode, snippet = Shortcut.ZERO_PAD, adapter.snippet
        if adapter.params:
            mode, snippet = Shortcut.PROJECTION, _projection(plan, spec) or snippet
        yield adapter.title, snippet, partial(spec.with_, shortcut_overrides={**overrides, merge.path: mode})
    if plan.shortcut_kind is Shortcut.ZERO_PAD and plan.stage > 1:
        width = plan.in_channels // spec.block.expansion
        widths = (*spec.widths[: plan.stage - 1], width, *spec.widths[plan.stage :])
        title = f"Width of layer{plan.stage}: {spec.widths[plan.stage - 1]} → {width}"
        yield title, f"ResNetSpec(widths={widths}, …)", partial(spec.with_, widths=widths)


def _projection(plan: BlockPlan, spec: ResNetSpec) -> str:
    """The lines of what ``build`` puts there; empty where it is what everybody does."""
    if spec.norm is Norm.BATCH and not spec.block.is_preact:
        return ""
    with torch.device("meta"):
        layers = [f"nn.{layer!r}" for layer in projection(plan, spec) if not isinstance(layer, nn.Identity)]
    return projecting(layers[0] if len(layers) == 1 else f"nn.Sequential({', '.join(layers)})")


# ---- a module --------------------------------------------------------------------------------------------


def _of_module(report: Report, subject: Subject, finding: Finding) -> Iterator[Fix]:
    ops = report.trace.ops
    met = find_meeting(ops, finding)
    if finding.merge is None:
        op = ops[finding.op]
        changes = (
            for_layer(ops, op) if "wants" in op.attrs else for_refusal(op) if met is None else for_meeting(ops, met)
        )
    else:
        changes = [*for_merge(ops, finding.merge), *(output_paddings(met) if met and met.sides[0].upsamples else ())]
    edits_help = False
    for fix in _applied(report, subject, finding, ((edits, None) for edits in changes)):
        edits_help = True
        yield fix
    if met is not None and (met.sides[0].upsamples or (finding.merge is None and not edits_help)):
        yield from _remedied(report, subject, finding, remedies(ops, met, subject.inputs))
    elif finding.rule == "product-differs":
        yield from _remedied(report, subject, finding, aligned(ops[finding.op]))
    if finding.merge is None or not finding.merge.is_residual:
        return
    if finding.merge.kind == "projection":
        return  # it is to be changed, not followed by another one
    for edits in ((), *preparing(report.trace.ops, finding.merge)):
        if edits and changing(subject.shadow, edits) is None:
            continue
        base = _traced(report, replace(subject, shadow=edited(subject.shadow, edits))) if edits else report
        merge = next((m for m in base.sums if m.op == finding.op), None) if base else None
        if base is not None and merge is not None:
            adapters = adapters_for(base.trace.ops, merge)
            yield from _applied(report, subject, finding, ((edits, adapter) for adapter in adapters))


def _applied(
    report: Report, subject: Subject, finding: Finding, changes: Iterable[tuple[Sequence[Edit], ShortcutAdapter | None]]
) -> Iterator[Fix]:
    """A fix for each change that helps."""
    for wanted, adapter in changes:
        edits = changing(subject.shadow, wanted) if wanted else ()
        if edits is None:
            continue
        shadow = edited(subject.shadow, edits)
        changed = replace(subject, shadow=shadow)
        operand_changes = {_joining(report, finding): _on_shortcut(report, finding, adapter)} if adapter else None
        if (found := _tried(report, changed, finding, operand_changes)) is None:
            continue
        after, proven = found
        parts = [edit.title(subject.shadow) for edit in edits] + ([adapter.title] if adapter else [])
        lines = [edit.line(shadow) for edit in edits] + ([adapter.snippet] if adapter else [])
        params = after.params + (adapter.params if adapter else 0) - report.params
        yield Fix("; ".join(parts), params, after.macs - report.macs, "\n".join(lines), None, proven)


def _remedied(report: Report, subject: Subject, finding: Finding, tried: Iterable[Remedy]) -> Iterator[Fix]:
    """A fix for each change outside of any layer that helps."""
    for remedy in tried:
        changed = subject if remedy.inputs is None else replace(subject, inputs=remedy.inputs)
        operand_changes = None if remedy.change is None else {_joining(report, finding): remedy.change}
        if (found := _tried(report, changed, finding, operand_changes)) is None:
            continue
        after, proven = found
        yield Fix(remedy.title, 0, after.macs - report.macs, remedy.snippet, None, proven)


def _tried(
    report: Report, changed: Subject, finding: Finding, operand_changes: Mapping[int, OperandChange] | None
) -> tuple[Report, bool] | None:
    """What a changed network gives, and whether a real forward pass proves it; None if the change does not help."""
    after = _traced(report, changed, operand_changes)
    if after is None or not _resolves(report, after, finding):
        return None
    proven = not after.findings and changed.is_small
    return None if proven and not changed.runs(operand_changes) else (after, proven)


def _joining(report: Report, finding: Finding) -> int:
    """The operation that reads the operands: the finding's own, or the stack before a sum."""
    op = report.trace.ops[finding.op]
    return op.inputs[0] if op.name == "sum" else op.index


def _on_shortcut(report: Report, finding: Finding, adapter: ShortcutAdapter) -> OperandChange:
    """The change of the operand that is the shortcut."""
    op = report.trace.ops[finding.op]
    met = operands(report.trace.ops, op)
    side = 0 if met is None else 1 - find_fork(report.trace.ops, *met.inputs).main
    return lambda pair: [adapter.run(tensor) if i == side else tensor for i, tensor in enumerate(pair)]


def _traced(report: Report, subject: Subject, changes: Mapping[int, OperandChange] | None = None) -> Report | None:
    try:
        return replace(report, trace=subject.trace(changes, quick=True), subject=subject)
    except ExplorerError:
        return None
