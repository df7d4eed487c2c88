"""Why two paths do not match, or a layer and its input: in words, from what the operations are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ...spec.shapes import text
from ..tracing.flow import carriers, source
from ..tracing.forks import is_sum
from ..tracing.operand_paths import OperandPath
from ..tracing.operations import WEIGHTED, Op
from ..tracing.repeats import Shape
from .additions import Merge, Verdict
from .layout import axes_of, layout
from .sizes import size_causes


@dataclass(frozen=True)
class Cause:
    """One mistake.

    Attributes:
        rule: its kind, ``missing-projection`` …; stays the same from release to release.
        sentence: what is wrong, with paths and shapes.
    """

    rule: str
    sentence: str


def causes_of_merge(ops: Sequence[Op], merge: Merge) -> tuple[Cause, ...]:
    """Every mistake at a mismatched addition; two where both channels and size are wrong for reasons of their own."""
    where, branch, shortcut = merge.path or "the network", merge.branch_shape, merge.shortcut_shape
    met = _sides(branch, shortcut, merge)
    shapes = f"{met[0].lower()}{met[1:]}"
    if merge.verdict is Verdict.BROADCAST:
        words = "PyTorch repeats the smaller one without an error, and the sum is not F(x) + x"
        return (Cause("broadcast", f"{where}: {shapes}; {words}."),)
    if len(branch) != len(shortcut):
        words = f"{len(branch)} and {len(shortcut)} dimensions cannot be added"
        return (Cause("rank-differs", f"{where}: {shapes}; {words}."),)
    sides = OperandPath(ops, merge.branch, merge.fork), OperandPath(ops, merge.shortcut, merge.fork)
    axes = axes_of(ops, merge)
    if None not in axes and axes[0] != axes[1] and sorted(branch) == sorted(shortcut):
        words = f"channels are axis {axes[0] + 1} of the branch and axis {axes[1] + 1} of the shortcut"  # type: ignore[operator]
        return (Cause("axes-swapped", f"{where}: {shapes}; {words}: one of them has to be permuted back."),)
    channels, size = layout(ops, merge)
    found: list[tuple[str, str]] = []
    if channels(branch) != channels(shortcut):
        found.append(_channels(ops, merge, where))
    if not merge.is_residual and 1 in (prod(size(branch)), prod(size(shortcut))):
        return tuple(Cause(rule, f"{words}. {met}.") for rule, words in found)
    explained = found and found[0][0] == "missing-projection" and _strided(size(shortcut), size(branch))
    if size(branch) != size(shortcut) and not explained:
        known = {"stride-differs"} if found and found[0][0] == "missing-projection" else set()
        labels = ("the branch", "its shortcut") if merge.is_residual else ("one side", "the other")
        sizes = size_causes(ops, sides, where, labels, (size(branch), size(shortcut)))
        found += [f for f in sizes if f[0] not in known]
    return tuple(Cause(rule, f"{words}. {met}.") for rule, words in found)


def cause_of_layer(ops: Sequence[Op], op: Op) -> Cause:
    """Why a layer is noted with the channels that it ``wants``."""
    where, wants, groups = op.path or op.name, op.attrs["wants"], op.attrs.get("groups", 1)
    if op.name == "linear":
        came, unit = op.in_shapes[0][-1], "features"
    else:
        came, unit = op.in_shapes[0][-1 if op.name == "layer_norm" else 1], "channels"
    built = op.attrs.get("declared", wants)
    outputs = op.attrs["weight"][1 if op.attrs["transposed"] else 0] if op.name == "conv" else wants
    if groups > 1 and (outputs % groups or built % groups or (built != wants and came == built)):
        sides = [f"its {n} {side}" for n, side in ((built, "inputs"), (outputs, "outputs")) if n % groups]
        words = f"do not divide {' and '.join(sides)}" if sides else f"take {wants} channels, not the {came} that come"
        return Cause("groups-do-not-divide", f"{where} has {groups} groups, which {words}.")
    shape = op.in_shapes[0][1:]
    words = f"{where} takes {wants} {unit}, but {giver(ops, op)} gives {came}"
    if op.attrs.get("channels_last"):
        return Cause("wrong-width", f"{words} ({text(shape)}): channels last; permute(0, 3, 1, 2) puts them first.")
    if op.name == "batch_norm" and len(shape) > 1 and shape[-1] == wants:
        return Cause("wrong-width", f"{words} ({text(shape)}): channels last; transpose them, or use a LayerNorm.")
    if op.name == "layer_norm" and len(shape) == 3 and shape[0] == wants:
        return Cause("wrong-width", f"{words} ({text(shape)}): it normalises the last axis, and channels come first.")
    return Cause("wrong-width", f"{words} ({text(shape)})." if len(shape) > 1 else f"{words}.")


# ---- channels --------------------------------------------------------------------------------------------


def _channels(ops: Sequence[Op], merge: Merge, where: str) -> tuple[str, str]:
    """Rule and words. The branch is to blame where what reads the sum is built for the shortcut's channels."""
    channels, _ = layout(ops, merge)
    branch, shortcut = channels(merge.branch_shape), channels(merge.shortcut_shape)
    branch_is_wrong = ops[merge.op].shape[1:] == merge.shortcut_shape
    if not merge.is_residual:
        # The side that is repeated over the other, else the main one, is to blame.
        branch_is_wrong = prod(merge.branch_shape) / branch <= prod(merge.shortcut_shape) / shortcut
        return "wrong-width", _width(ops, merge, where, (branch, shortcut), branch_is_wrong=branch_is_wrong)
    if not branch_is_wrong and merge.kind in ("identity", "zero_pad"):
        return "missing-projection", _missing(ops, merge, where)
    inner = _inner_width(ops, merge.branch)
    # Multiples of the width inside the block, the case where both sides are meant to end in the same one.
    if inner and branch % inner == 0 and shortcut % inner == 0 and (merge.kind == "projection" or branch_is_wrong):
        of_branch, of_shortcut = branch // inner, shortcut // inner
        wrong, right = (of_branch, of_shortcut) if branch_is_wrong else (of_shortcut, of_branch)
        return "wrong-expansion", (
            f"{where}: the branch ends in {of_branch}×{inner} = {branch} channels, the shortcut in "
            f"{of_shortcut}×{inner} = {shortcut}: the {'branch' if branch_is_wrong else 'shortcut'} has an expansion "
            f"of {wrong} instead of {right}"
        )
    return "wrong-width", _width(ops, merge, where, (branch, shortcut), branch_is_wrong=branch_is_wrong)


def _width(ops: Sequence[Op], merge: Merge, where: str, widths: tuple[int, int], *, branch_is_wrong: bool) -> str:
    layer = _last_weighted(ops, merge.branch if branch_is_wrong else merge.shortcut)
    given, fitting = widths if branch_is_wrong else widths[::-1]
    side = "the shortcut" if merge.is_residual else "one side"
    name = f"{layer.path or where} gives" if layer else f"{where}: {side} gives"
    return f"{name} {given} channels where the sum takes {fitting}"


def _sides(branch: Shape, shortcut: Shape, merge: Merge) -> str:
    if merge.is_residual:
        return f"The branch gives {text(branch)}, the shortcut {text(shortcut)}"
    return f"One side gives {text(branch)}, the other {text(shortcut)}"


def _missing(ops: Sequence[Op], merge: Merge, where: str) -> str:
    """The best-known mistake: 'layer2.0: channels 64 → 128, map 56×56 → 28×28, but its shortcut is the identity …'."""
    channels, size = layout(ops, merge)
    before, after = channels(merge.shortcut_shape), channels(merge.branch_shape)
    if merge.kind == "zero_pad":
        verb = "never removes channels" if after < before else f"makes {before} channels of them"
        words = f"its shortcut pads with zeros, which {verb}: a projection is missing"
        return f"{where} goes to {after} channels, but {words}"
    changed = [f"channels {before} → {after}"]
    if size(merge.shortcut_shape) != size(merge.branch_shape):
        changed.append(f"map {text(size(merge.shortcut_shape))} → {text(size(merge.branch_shape))}")
    return f"{where}: {', '.join(changed)}, but its shortcut is the identity: a projection is missing"


def _inner_width(ops: Sequence[Op], side: Sequence[int]) -> int:
    """Channels that the last weighted layer of a path reads; 0 without one."""
    last = _last_weighted(ops, side)
    if last is None or "weight" not in last.attrs:
        return int(last.attrs.get("inner", 0)) if last else 0
    return int(last.attrs["weight"][1]) * int(last.attrs["groups"])


def _last_weighted(ops: Sequence[Op], side: Sequence[int]) -> Op | None:
    return next((op for op in reversed(carriers(ops, side)) if op.name in WEIGHTED), None)


def giver(ops: Sequence[Op], op: Op) -> str:
    """What a layer reads, by the name of the layer that made it."""
    return name_of(ops, source(op))


def name_of(ops: Sequence[Op], index: int) -> str:
    """What an operation's output is called: by the layer with weights, sum or concatenation that made it."""
    op = ops[index]
    while op.inputs and not is_sum(op) and op.name not in WEIGHTED | {"cat"}:
        op = ops[source(op)]
    if op.name == "input":
        return "the input"
    if is_sum(op):
        return f"the sum of {op.path or 'the network'}"
    return op.path or f"the {op.name} before it"


def _strided(before: Shape, after: Shape) -> bool:
    """Whether a stride leads from one size to the other."""
    if not before:
        return True
    stride = max(1, round(before[0] / after[0]))
    return all(-(-b // stride) == a for b, a in zip(before, after, strict=True))
