"""A walk from addition to addition: what x is, what F does to it, and what the shortcut has to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...inspection import Merge, Op, Report, Verdict
from ...inspection.outline import Unit, outline, runs
from ..kit import numbers
from ..kit.words import op_words, shape_text

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MOST_CONVOLUTIONS = 4


@dataclass(frozen=True)
class Stop:
    """One stop.

    Attributes:
        node: id of the addition in the diagram.
        title: the block, or the equal blocks that share the stop.
        sentences: what happens there, in the order of the forward pass.
        fits: whether branch and shortcut match.
    """

    node: str
    title: str
    sentences: tuple[str, ...]
    fits: bool


def walk(report: Report) -> tuple[Stop, ...]:
    """A stop for each addition, in execution order; equal blocks in a row share one. Empty for a plain network."""
    followers, leaders = _runs(report)
    return tuple(_stop(report, m, leaders.get(m.op, ())) for m in report.merges if m.op not in followers)


def _runs(report: Report) -> tuple[frozenset[int], dict[int, tuple[Unit, ...]]]:
    """Operations of the second and later blocks of every run; and each operation of a first block -> its run."""
    every = [run for unit in outline(report).units for run in runs(report, unit.blocks) if len(run) > 1]
    followers = frozenset(i for run in every for block in run[1:] for i in block.ops)
    return followers, {i: run for run in every for i in run[0].ops}


def _stop(report: Report, merge: Merge, run: tuple[Unit, ...]) -> Stop:
    sentences = [_branch(report, merge), _shortcut(report, merge, bool(run)), _field(report, merge, run)]
    node = outline(report).op_ids[merge.op]
    return Stop(node, _title(merge, run), tuple(filter(None, sentences)), merge.fits)


def _title(merge: Merge, run: tuple[Unit, ...]) -> str:
    if run:
        return f"{run[0].id}–{run[-1].id}: {in_words(len(run))} equal blocks"
    return merge.path or "The network's own addition"


def _branch(report: Report, merge: Merge) -> str:
    """What F does to x."""
    convolutions = [op_words(op) for op in (report.trace.ops[i] for i in merge.branch) if op.name == "conv"]
    after = numbers.shape(merge.branch_shape)
    if merge.fork is None:
        return f"Two paths without a common input meet; one gives {after}."
    before = shape_text(report.trace.ops[merge.fork].shape)
    change = f"keeps it {after}" if before == after else f"makes it {after}"
    listed = (
        "; ".join(convolutions)
        if len(convolutions) <= _MOST_CONVOLUTIONS
        else f"{in_words(len(convolutions))} convolutions"
    )
    return f"x arrives as {before}. F(x) {change}{f' ({listed})' if listed else ''}."


def _shortcut(report: Report, merge: Merge, many: bool) -> str:
    """Why the shortcut must adapt x, or need not, and how it does."""
    if merge.verdict is Verdict.BROADCAST:
        return f"The shortcut gives {numbers.shape(merge.shortcut_shape)}: PyTorch repeats the smaller one silently."
    if merge.verdict is Verdict.MISMATCH:
        given = numbers.shape(merge.shortcut_shape)
        undone = "nothing adapts x" if merge.kind == "identity" else "what the shortcut does is not enough"
        return f"The shortcut gives {given}: {undone}, so the two cannot be added."
    before = report.trace.ops[merge.fork].shape[1:] if merge.fork is not None else merge.shortcut_shape
    if merge.kind == "identity":
        return f"The shapes are equal{' in each' if many else ''}, so x is added as it is, at no cost."
    how = _adapts(report, merge)
    if before == merge.branch_shape:
        return f"x would match F(x) as it is, and yet {how}."
    return f"{_difference(before, merge.branch_shape)}, so x does not match F(x) as it is: {how}."


def adaptation(report: Report, merge: Merge) -> str:
    """What changes between x and F(x), and how the shortcut follows, for an addition that matches."""
    if merge.kind == "identity":
        return "F(x) has the shape of x: the shortcut adds x as it is (no parameters)."
    before = report.trace.ops[merge.fork].shape[1:] if merge.fork is not None else merge.shortcut_shape
    changes = ", ".join(_changes(before, merge.branch_shape)) or "F(x) has the shape of x"
    return f"{changes[0].upper()}{changes[1:]}: {_adapts(report, merge)}."


def _changes(before: tuple[int, ...], after: tuple[int, ...]) -> Iterator[str]:
    """ "channels 64 → 128", "map 56×56 → 28×28": what differs."""
    if len(before) != 3 or len(after) != 3:
        if before != after:
            yield f"shape {numbers.shape(before)} → {numbers.shape(after)}"
        return
    if before[0] != after[0]:
        yield f"channels {before[0]} → {after[0]}"
    if before[1:] != after[1:]:
        yield f"map {numbers.shape(before[1:])} → {numbers.shape(after[1:])}"


def _adapts(report: Report, merge: Merge) -> str:
    trace = report.trace
    ops = [trace.ops[i] for i in merge.shortcut]
    params = sum(trace.params.get(path, 0) for path in dict.fromkeys(op.path for op in ops))
    cost = f"{numbers.exact(params)} parameters" if params else "no parameters"
    if merge.kind == "zero_pad":
        step = max((op.attrs["step"] for op in ops if op.name == "slice"), default=1)
        added = sum(sum(op.attrs["pad"][4:6]) for op in ops if op.name == "pad")
        kept = f"keeps every {_ORDINALS.get(step, f'{step}th')} pixel" if step > 1 else ""
        zeros = f"adds {numbers.exact(added)} channels of zeros" if added else ""
        return f"the shortcut {' and '.join(filter(None, (kept, zeros)))} ({cost})"
    verb = "projects" if merge.kind == "projection" else "changes"
    return f"the shortcut {verb} x ({'; '.join(op_words(op) for op in _telling(ops))}; {cost})"


def _telling(ops: list[Op]) -> list[Op]:
    """The convolutions, or everything if there is none."""
    return [op for op in ops if op.name in ("conv", "linear")] or ops


_ORDINALS = {2: "second", 3: "third"}


def _difference(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    if len(before) != 3 or len(after) != 3:
        return f"The shape goes from {numbers.shape(before)} to {numbers.shape(after)}"
    sides = f"from {numbers.shape(before[1:])} to {numbers.shape(after[1:])}"
    if before[0] == after[0]:
        return f"The map goes {sides}"
    channels = f"Channels go from {before[0]} to {after[0]}"
    return channels if before[1:] == after[1:] else f"{channels} and the map {sides}"


def _field(report: Report, merge: Merge, run: tuple[Unit, ...]) -> str:
    """How far the receptive field grows from x to the addition; in a run, to that of the last block."""
    fields = report.receptive_fields
    before = fields[merge.fork] if merge.fork is not None else None
    after = fields[run[-1].ops[-1]] if run else fields[merge.op]
    if before is None or after is None:
        return ""
    over = " over all of them" if run else ""
    if before.size == after.size:
        return f"The receptive field stays {numbers.pixels(after.size)}."
    return f"The receptive field grows from {numbers.exact(before.size)} to {numbers.pixels(after.size)}{over}."


def in_words(count: int) -> str:
    """ "five" up to twelve, then digits."""
    return _WORDS[count] if count < len(_WORDS) else numbers.exact(count)
