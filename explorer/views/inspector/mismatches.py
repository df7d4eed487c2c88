"""What does not match in a network: listed while nothing is selected, and named beside every other selection."""

from __future__ import annotations

from collections.abc import Iterable

from ...inspection import Finding, Report
from ...inspection.joins.pytorch_error import addition_error
from ...inspection.outline import outline
from ..kit import numbers
from ..kit.markup import pytorch_error, tag, text
from ..kit.summary import mismatches
from ..kit.words import printable
from .selection import Selected, link

_MOST = 12


def list_mismatches(report: Report) -> str:
    """Every mismatch as a button that shows it, and the error at which PyTorch stops; empty if all match."""
    if not report.findings:
        return ""
    found = {finding.op: finding for finding in report.findings}
    items = [tag("li", _item(report, finding)) for finding in list(found.values())[:_MOST]]
    if len(found) > _MOST:
        items.append(tag("li", f"… and {len(found) - _MOST} more in the table of shortcut checks"))
    stop = first_error(report)
    lead = f"PyTorch stops at {printable(stop.path) or 'this addition'}:" if stop else ""
    error = pytorch_error(addition_error(report.trace.ops[stop.op]), lead) if stop else ""
    heading = tag("p", text(f"✕ {mismatches(report)}:"))
    return tag("div", heading + tag("ul", "".join(items)), css="rx-finding broken") + error


def first_error(report: Report) -> Finding | None:
    """The addition at which the forward pass stops; None if it stops nowhere, or at a layer."""
    first = next((f for f in report.findings if f.merge is None or addition_error(report.trace.ops[f.op])), None)
    return first if first and first.merge else None


def elsewhere(s: Selected) -> str:
    """The mismatches that are not in the selection, so that its own ✓ is not read as the network's."""
    inside = {*s.indices, *(i for block in s.run for i in block.ops)}
    others = list(dict.fromkeys(f.op for f in s.report.findings if f.op not in inside))
    if not others:
        return ""
    words = f"✕ {len(others)} {'mismatch' if len(others) == 1 else 'mismatches'} elsewhere: "
    return tag("p", text(words) + links(s.report, others), css="rx-finding broken")


def links(report: Report, ops: Iterable[int], most: int = 8) -> str:
    """The additions or layers with these indices, as buttons that show them."""
    found = list(ops)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(_link(report, i) for i in found[:most]) + more


def _link(report: Report, op: int) -> str:
    return link(outline(report).op_ids[op], printable(report.trace.ops[op].path) or "the network")


def _item(report: Report, finding: Finding) -> str:
    if (merge := finding.merge) is None:
        return f"{_link(report, finding.op)} {text(printable(finding.sentence, 200))}"
    shapes = f"F(x) {numbers.shape(merge.branch_shape)}, shortcut {numbers.shape(merge.shortcut_shape)}"
    return f"{_link(report, finding.op)} {text(shapes)}"
