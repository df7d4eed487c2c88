"""The summary line of a network, as HTML."""

from __future__ import annotations

from ...inspection import Report
from ...inspection.outline import outline
from . import numbers
from .hints import hint
from .markup import tag, text

_LAYERS = (
    "Convolutions and the linear layer on the main path: the number in the name. Projections in shortcuts, norms and "
    "activations are not counted; the Layers table lists every module."
)


def summary(report: Report) -> str:
    """One line: name, weighted layers, parameters, MACs, receptive field, and whether every shortcut matches."""
    field, layers = report.receptive_field, report.spec and report.spec.weighted_layers
    condition = ", if its shapes matched" if report.broken else ""
    parts = [
        tag("strong", text(report.name)),
        *([hint("weighted layer", f"{layers} weighted layers", exact=_LAYERS, css="layers")] if layers else []),
        hint("parameter", f"{numbers.count(report.params)} params", exact=f"{numbers.exact(report.params)} parameters"),
        hint(
            "MAC",
            numbers.macs(report.macs),
            exact=f"{numbers.exact(report.macs)} multiply-adds for one image{condition}",
            css="macs",
        ),
    ]
    if field:
        size = f"RF {numbers.pixels(field.size)}"
        parts.append(hint("receptive field", size, exact="Measured at the last feature map", css="field"))
    return tag("div", "".join([*parts, verdict(report, is_link=True)]), css="rx-summary", aria_live="polite")


def verdict(report: Report, is_link: bool = False) -> str:
    """ "✓ 16 of 16 shortcuts match", "✕ 3 of 8 shortcuts do not match", or that there is none.

    Args:
        is_link: whether a mismatch is a button that shows the first one in the diagram.
    """
    if report.findings:
        words = f"✕ {mismatches(report)}"
        if not is_link:
            return tag("span", words, css="rx-verdict broken")
        first = first_mismatch(report)
        return tag("button", words, type="button", css="rx-verdict broken", data_select=first, title=_SHOW)
    total = len(report.merges)
    if not total:
        return tag("span", "No shortcuts: a plain network", css="rx-verdict none")
    return tag("span", f"✓ {total} of {total} shortcuts match", css="rx-verdict fits")


_SHOW = "Show the first mismatch"


def mismatches(report: Report) -> str:
    """ "3 of 8 shortcuts do not match", "2 layers do not match their input", or both; empty if there is none."""
    broken, total = len(report.broken), len(report.merges)
    layers = len({finding.op for finding in report.findings if finding.merge is None})
    parts = []
    if broken:
        parts.append(f"{broken} of {total} shortcuts {_do(broken)} not match")
    if layers:
        many = layers > 1
        parts.append(f"{layers} layer{'s' if many else ''} {_do(layers)} not match {'their' if many else 'its'} input")
    return " and ".join(parts)


def first_mismatch(report: Report) -> str:
    """Id of the first mismatched addition or layer in the diagram; the report has one."""
    return outline(report).op_ids[report.findings[0].op]


def _do(count: int) -> str:
    return "does" if count == 1 else "do"
