"""How two networks are built, before what that costs: their blocks, their widths, and their kinds of block."""

from __future__ import annotations

from collections.abc import Sequence

from ...inspection import Report
from ...inspection.outline import outline
from ..kit.same_width import same_width

_TIMES: dict[float, str] = {2: "two times", 3: "three times", 4: "four times", 8: "eight times"}


def structure(left: Report, right: Report) -> str:
    """Blocks of both, and how wide their outputs are: "16 blocks in both; block outputs are four times wider in …"."""
    blocks = [_blocks(left), _blocks(right)]
    if not all(blocks):
        return ""
    count = f"{blocks[0]} blocks in both" if blocks[0] == blocks[1] else f"{blocks[0]} → {blocks[1]} blocks"
    plain = [report.name for report in (left, right) if report.spec and report.spec.is_plain]
    lack = f"{plain[0]} has no shortcuts; " if len(plain) == 1 else ""
    return f"{lack}{count}; {_widths(left, right)}."


def block_kinds(left: Report, right: Report) -> str:
    """A basic block and a bottleneck from and to the same channels, and why the network of bottlenecks may cost more
    although its blocks cost less; empty if no such two are compared."""
    basic, bottleneck = sorted((left, right), key=lambda report: bool(report.spec and report.spec.block.is_bottleneck))
    if not basic.spec or not bottleneck.spec or basic.spec.block.is_bottleneck == bottleneck.spec.block.is_bottleneck:
        return ""
    words = same_width(bottleneck.spec, bottleneck.spec.blocks[0])
    ratio = _ratio(basic, bottleneck)
    if ratio is None or ratio <= 1 or bottleneck.params <= basic.params:
        return words
    more = " and it has more blocks" if _blocks(bottleneck) > _blocks(basic) else ""
    wider = f"its block outputs are {_times(ratio)} wider{more}"
    return f"{words} {bottleneck.name} has more parameters all the same: {wider}."


def _blocks(report: Report) -> int:
    return sum(len(unit.blocks) for unit in outline(report).units)


def _widths(left: Report, right: Report) -> str:
    ratio = _ratio(left, right)
    if ratio is None:
        return f"block outputs have {_list(_output_channels(left))} → {_list(_output_channels(right))} channels"
    if ratio == 1:
        return "block outputs are equally wide"
    wider = right if ratio > 1 else left
    return f"block outputs are {_times(max(ratio, 1 / ratio))} wider in {wider.name}"


def _ratio(left: Report, right: Report) -> float | None:
    """How many times wider the block outputs of ``right`` are; None if stages differ in that."""
    ratios = {after / before for before, after in zip(_output_channels(left), _output_channels(right), strict=False)}
    return ratios.pop() if len(ratios) == 1 else None


def _times(factor: float) -> str:
    return _TIMES.get(factor, f"{factor:.3g} times")


def _output_channels(report: Report) -> list[int]:
    """Channels that each stage gives."""
    ops = report.trace.ops
    return [ops[max(unit.ops)].shape[1] for unit in outline(report).units if unit.blocks]


def _list(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))
