"""The summary line of a network, as HTML."""

from __future__ import annotations

from ...inspection import Report
from . import numbers
from .hints import hint
from .markup import tag, text


def summary(report: Report) -> str:
    """One line: name, layers, parameters, MACs, receptive field, and how many shortcuts fit."""
    field = report.receptive_field
    parts = [
        tag("strong", text(report.name)),
        *([hint("weighted layer", f"{report.spec.weighted_layers} layers")] if report.spec else []),
        hint("parameter", f"{numbers.count(report.params)} params", exact=f"{numbers.exact(report.params)} parameters"),
        hint("MAC", numbers.macs(report.macs), exact=f"{numbers.exact(report.macs)} multiply-adds for one image"),
    ]
    if field:
        parts.append(hint("receptive field", f"RF {numbers.pixels(field.size)}", exact="Of the last feature map"))
    return tag("div", "".join([*parts, verdict(report)]), css="rx-summary", aria_live="polite")


def verdict(report: Report) -> str:
    """ "✓ 16 of 16 shortcuts match", or how many don't, or that there is none."""
    total, broken = len(report.merges), len(report.broken)
    if not total:
        return tag("span", "No shortcuts: a plain network", css="rx-verdict none")
    sign, css = ("✕", "broken") if broken else ("✓", "fits")
    words = f"{sign} {total - broken} of {total} shortcuts match"
    return tag("span", words, css=f"rx-verdict {css}")
