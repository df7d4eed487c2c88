"""Why two paths do not match, or a layer and its input: in words, from what the operations are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...spec.shapes import text
from ..tracing.forks import is_sum
from ..tracing.operand_paths import Changes, OperandPath, agree, same_padding, strides_that_agree
from ..tracing.operations import WEIGHTED, Op
from ..tracing.repeats import Shape
from .additions import Merge, Verdict
from .layout import layout


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
    shapes = f"the branch gives {text(branch)}, the shortcut {text(shortcut)}"
    if merge.verdict is Verdict.BROADCAST:
        words = "PyTorch repeats the smaller one without an error, and the sum is not F(x) + x"
        return (Cause("broadcast", f"{where}: {shapes}; {words}."),)
    if len(branch) != len(shortcut):
        words = f"{len(branch)} and {len(shortcut)} dimensions cannot be added"
        return (Cause("rank-differs", f"{where}: {shapes}; {words}."),)
    sides = OperandPath(ops, merge.branch, merge.fork), OperandPath(ops, merge.shortcut, merge.fork)
    channels, size = layout(ops, merge)
    found: list[tuple[str, str]] = []
    if channels(branch) != channels(shortcut):
        found.append(_channels(ops, merge, where))
    explained = found and found[0][0] == "missing-projection" and _strided(size(shortcut), size(branch))
    if size(branch) != size(shortcut) and not explained:
        known = {"stride-differs"} if found and found[0][0] == "missing-projection" else set()
        found += [f for f in _size(ops, sides, where, size(branch), size(shortcut)) if f[0] not in known]
    return tuple(Cause(rule, f"{words}. T{shapes[1:]}.") for rule, words in found)


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
    words = f"{where} takes {wants} {unit}, but {_giver(ops, op)} gives {came}"
    return Cause("wrong-width", f"{words} ({text(shape)})." if len(shape) > 1 else f"{words}.")


# ---- channels --------------------------------------------------------------------------------------------


def _channels(ops: Sequence[Op], merge: Merge, where: str) -> tuple[str, str]:
    """Rule and words. The branch is to blame where what reads the sum is built for the shortcut's channels."""
    channels, _ = layout(ops, merge)
    branch, shortcut = channels(merge.branch_shape), channels(merge.shortcut_shape)
    branch_is_wrong = ops[merge.op].shape[1:] == merge.shortcut_shape
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
    layer = _last_weighted(ops, merge.branch if branch_is_wrong else merge.shortcut)
    given, fitting = (branch, shortcut) if branch_is_wrong else (shortcut, branch)
    name = f"{layer.path or where} gives" if layer else f"{where}: the shortcut gives"
    return "wrong-width", f"{name} {given} channels where the sum takes {fitting}"


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
    return next((ops[i] for i in reversed(side) if ops[i].name in WEIGHTED), None)


def _giver(ops: Sequence[Op], op: Op) -> str:
    """What a layer reads, by the name of the layer that made it."""
    source = ops[op.inputs[0]]
    while source.inputs and not is_sum(source) and source.name not in WEIGHTED | {"cat"}:
        source = ops[source.inputs[0]]
    if source.name == "input":
        return "the input"
    if is_sum(source):
        return f"the sum of {source.path or 'the network'}"
    return source.path or f"the {source.name} before it"


# ---- height and width ------------------------------------------------------------------------------------


def _size(
    ops: Sequence[Op], sides: tuple[OperandPath, OperandPath], where: str, branch: Shape, shortcut: Shape
) -> list[tuple[str, str]]:
    """Rules and words: the smallest change of strides and paddings with which both sides come to one size."""
    strides = sides[0].stride, sides[1].stride
    paddings = [changes for side in sides if (changes := same_padding(side))]
    if len(paddings) == 2:
        paddings.append(paddings[0] | paddings[1])
    if strides[0] != strides[1]:
        words = (
            "stride-differs",
            f"{where}: the branch takes {_stride(strides[0], branch)}, its shortcut {_stride(strides[1], shortcut)}",
        )
        agreeing = strides_that_agree(sides)
        if any(agree(sides, changes) for changes in agreeing):
            return [words]
        padding = next((p for p in paddings if any(agree(sides, changes | p) for changes in agreeing)), None)
        return [words, *([_padding(ops, padding)] if padding else [])]
    padding = next((p for p in paddings if agree(sides, p)), None)
    if padding:
        return [_padding(ops, padding)]
    if all(abs(b - s) <= 1 for b, s in zip(branch, shortcut, strict=True)):
        odd = next((n for side in sides for n in side.odd_inputs), None)
        if odd is not None:
            up, down = ("branch", "shortcut") if branch > shortcut else ("shortcut", "branch")
            high, low = max(branch, shortcut), min(branch, shortcut)
            return [
                (
                    "odd-size",
                    f"{where}: a side of {odd} is odd, and the {up} rounds its half up to {text(high)}, the "
                    f"{down} down to {text(low)}",
                )
            ]
    return [("size-differs", f"{where}: the branch comes to {text(branch)}, its shortcut to {text(shortcut)}")]


def _stride(stride: int, size: Shape) -> str:
    return f"stride {stride} to {text(size)}" if stride > 1 else f"stride 1 and stays at {text(size)}"


def _padding(ops: Sequence[Op], changes: Changes) -> tuple[str, str]:
    changed = [ops[i] for i in changes]
    layers = [f"{op.path or op.name} ({text(op.attrs['kernel'])}, padding {op.attrs['padding'][0]})" for op in changed]
    wanted = " and ".join(str(new["padding"][0]) for new in changes.values())
    excess = all(op.attrs["padding"] > changes[op.index]["padding"] for op in changed)
    rule, words = ("padding-in-excess", "too much padding") if excess else ("padding-forgotten", "too little padding")
    verb = "has" if len(layers) == 1 else "have"
    return rule, f"{' and '.join(layers)} {verb} {words}: with {wanted} the sizes would agree"


def _strided(before: Shape, after: Shape) -> bool:
    """Whether a stride leads from one size to the other."""
    if not before:
        return True
    stride = max(1, round(before[0] / after[0]))
    return all(-(-b // stride) == a for b, a in zip(before, after, strict=True))
