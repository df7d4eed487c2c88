"""How two networks are built, before what that costs: their blocks, their widths, and their kinds of block alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...inspection import Report
from ...inspection.outline import outline
from ...spec.anatomy import Conv, branch_convs
from ..kit import numbers

_TIMES: dict[float, str] = {2: "two times", 3: "three times", 4: "four times", 8: "eight times"}
_COUNTS = {2: "two", 3: "three"}


def structure(left: Report, right: Report) -> str:
    """Blocks of both, and how wide their outputs are: "16 blocks in both; block outputs are four times wider in …"."""
    blocks = [sum(len(unit.blocks) for unit in outline(report).units) for report in (left, right)]
    if not all(blocks):
        return ""
    count = f"{blocks[0]} blocks in both" if blocks[0] == blocks[1] else f"{blocks[0]} → {blocks[1]} blocks"
    return f"{count}; {_widths(left, right)}."


def same_width(left: Report, right: Report) -> str:
    """A basic block and a bottleneck from and to the same channels; empty if no such two are compared.

    Networks of the two kinds differ in more: a bottleneck's output is wider, so that the network may cost more although
    its blocks cost less.
    """
    specs = [spec for spec in (left.spec, right.spec) if spec]
    if len({spec.block.is_bottleneck for spec in specs}) < 2:
        return ""
    basic, bottleneck = sorted(specs, key=lambda spec: spec.block.is_bottleneck)
    channels = bottleneck.blocks[0].out_channels
    plain, narrow = (replace(spec.blocks[0], in_channels=channels, stride=1) for spec in (basic, bottleneck))
    convs = (
        branch_convs(basic, replace(plain, width=channels, out_channels=channels)),
        branch_convs(bottleneck, narrow),
    )
    first, second = (f"{_words(each)} have {numbers.count(sum(conv.weights for conv in each))}" for each in convs)
    return f"At the same width, from {channels} to {channels} channels, {first} parameters and {second}."


def _widths(left: Report, right: Report) -> str:
    old, new = _output_channels(left), _output_channels(right)
    common = list(zip(old, new, strict=False))
    ratios = {after / before for before, after in common}
    if len(ratios) != 1:
        return f"block outputs have {_list(old)} → {_list(new)} channels"
    ratio = ratios.pop()
    if ratio == 1:
        return "block outputs are equally wide"
    factor = max(ratio, 1 / ratio)
    wider = right if ratio > 1 else left
    return f"block outputs are {_TIMES.get(factor, f'{factor:.3g} times')} wider in {wider.name}"


def _output_channels(report: Report) -> list[int]:
    """Channels that each stage gives."""
    ops = report.trace.ops
    return [ops[max(unit.ops)].shape[1] for unit in outline(report).units if unit.blocks]


def _words(convs: Sequence[Conv]) -> str:
    """ "two 3×3 convolutions", or "1×1, 3×3 and 1×1 convolutions with 64 channels between"."""
    kernels = [f"{conv.kernel}×{conv.kernel}" for conv in convs]
    if len(set(kernels)) == 1:
        return f"{_COUNTS.get(len(kernels), len(kernels))} {kernels[0]} convolutions"
    inner, groups = convs[0].outputs, max(conv.groups for conv in convs)
    grouped = f" in {groups} groups" if groups > 1 else ""
    return f"{', '.join(kernels[:-1])} and {kernels[-1]} convolutions with {inner} channels{grouped} between"


def _list(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))
