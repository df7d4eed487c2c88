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
from ..tracing.recorder import ShortcutChange
from ..tracing.trace import Subject
from .adapters import ShortcutAdapter, adapters_for, projecting
from .candidates import for_layer, for_merge, preparing
from .edits import Edit, changing, edited


@dataclass(frozen=True)
class Fix:
    """A change that corrects a finding.

    Attributes:
        title: what is changed.
        params, macs: added to the network as it was traced; negative where it gets cheaper.
        snippet: lines of PyTorch.
        spec: the corrected network; None if the report is of a module.
    """

    title: str
    params: int
    macs: int
    snippet: str
    spec: ResNetSpec | None


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


def _mends(before: Report, after: Report, finding: Finding) -> bool:
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
        if _mends(report, after, finding):
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
    if finding.merge is None:
        changes = for_layer(report.trace.ops, report.trace.ops[finding.op])
        yield from _applied(report, subject, finding, ((edits, None) for edits in changes))
        return
    changes = for_merge(report.trace.ops, finding.merge)
    yield from _applied(report, subject, finding, ((edits, None) for edits in changes))
    if finding.merge.kind == "projection":
        return  # it is to be changed, not followed by another one
    number = report.merges.index(finding.merge)
    for edits in ((), *preparing(report.trace.ops, finding.merge)):
        if edits and changing(subject.shadow, edits) is None:
            continue
        base = _traced(report, Subject(edited(subject.shadow, edits), subject.inputs)) if edits else report
        if base is not None:
            adapters = adapters_for(base.trace.ops, base.merges[number])
            yield from _applied(report, subject, finding, ((edits, adapter) for adapter in adapters))


def _applied(
    report: Report, subject: Subject, finding: Finding, changes: Iterable[tuple[Sequence[Edit], ShortcutAdapter | None]]
) -> Iterator[Fix]:
    """A fix for each change that helps."""
    number = report.merges.index(finding.merge) if finding.merge else 0
    for wanted, adapter in changes:
        edits = changing(subject.shadow, wanted) if wanted else ()
        if edits is None:
            continue
        shadow = edited(subject.shadow, edits)
        after = _traced(report, Subject(shadow, subject.inputs), {number: adapter.run} if adapter else None)
        if after is None or not _mends(report, after, finding):
            continue
        parts = [edit.title(subject.shadow) for edit in edits] + ([adapter.title] if adapter else [])
        lines = [edit.line(shadow) for edit in edits] + ([adapter.snippet] if adapter else [])
        params = after.params + (adapter.params if adapter else 0) - report.params
        yield Fix("; ".join(parts), params, after.macs - report.macs, "\n".join(lines), None)


def _traced(report: Report, subject: Subject, changes: Mapping[int, ShortcutChange] | None = None) -> Report | None:
    try:
        return replace(report, trace=subject.trace(changes), subject=subject)
    except ExplorerError:
        return None
