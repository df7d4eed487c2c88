"""Why PyTorch refuses an operation that is neither a sum of two paths nor a layer of the wrong width."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from ...spec.shapes import text
from ..tracing.flow import channel_axis
from ..tracing.forks import find_fork
from ..tracing.operand_paths import OperandPath
from ..tracing.operations import Op, Refusal
from ..tracing.repeats import Shape
from .causes import Cause, giver, name_of
from .sizes import chain, size_causes

Facts = Mapping[str, Any]


def cause_of_refusal(ops: Sequence[Op], op: Op) -> Cause:
    """One sentence: what met, why PyTorch refuses it, and what would be right."""
    refusal: Refusal = op.attrs["refusal"]
    where = op.path or "the network"
    rule, words = refusal.rule, _WORDS[refusal.rule](ops, op, where, refusal.facts)
    return Cause(rule, f"{words}.")


def _whole(shape: Shape) -> str:
    return text(shape, empty="a number")


# ---- constants and products ------------------------------------------------------------------------------


def _constant(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    at = facts["constant"]
    constant, other = facts["shapes"][at], facts["shapes"][1 - at]
    name = facts["name"].rpartition(".")[2] if facts["name"] else ""
    called = facts["name"] or ("the mask" if op.name == "attention" else "a tensor that forward makes")
    met = f"{called} is {_whole(constant)}, and {giver(ops, op)} gives {_whole(other)}"
    channels = channel_axis(ops, op.inputs[0])
    if len(constant) == 1 and channels is not None and len(other) > channels and constant[0] == other[channels]:
        axes = ", None" * (len(other) - 1 - channels)
        return f"{where}: {met}. PyTorch aligns shapes from the right: {name or 'it'}[:{axes}] would reach the channels"
    differing = [
        len(other) - i
        for i, (a, b) in enumerate(zip(reversed(constant), reversed(other), strict=False), 1)
        if a != b and 1 not in (a, b)
    ]
    if len(differing) == 1:
        axis = differing[0]
        has, comes = constant[axis - len(other)], other[axis]
        unit = "channels" if axis == channels else "tokens" if len(other) == 3 else "elements"
        return f"{where}: {called} is made for {has} {unit}, {comes} come ({_whole(constant)} and {_whole(other)})"
    return f"{where}: {met}, which do not broadcast"


def _product(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    a, b = facts["shapes"]
    if len(a) != len(b):
        small, large = sorted((a, b), key=len)
        if small == large[: len(small)]:
            axes = ", ".join([":"] * len(small) + ["None"] * (len(large) - len(small)))
            return (
                f"{where}: a gate of {_whole(small)} meets a map of {_whole(large)}. PyTorch aligns shapes from the "
                f"right: gate[{axes}] would scale the channels"
            )
        return f"{where}: {_whole(a)} and {_whole(b)} do not broadcast"
    return _meeting(ops, op, where, (0, 1), (a, b))


def _meeting(ops: Sequence[Op], op: Op, where: str, pair: tuple[int, int], shapes: tuple[Shape, Shape]) -> str:
    """Two maps of different size, each by the name of what made it, with the path on which it was lost."""
    first, second = (op.inputs[i] for i in pair)
    names = name_of(ops, first), name_of(ops, second)
    labels = ("one side", "the other") if names[0] == names[1] else names
    met = f"{labels[0]} gives {text(shapes[0][1:])}, {labels[1]} {text(shapes[1][1:])}"
    if len(shapes[0]) != len(shapes[1]) or first == second:
        return f"{where}: {met}"
    fork = find_fork(ops, first, second)
    sides = (OperandPath(ops, fork.sides[0], fork.at), OperandPath(ops, fork.sides[1], fork.at))
    sizes = shapes[0][2:], shapes[1][2:]
    if sizes[0] == sizes[1]:
        return f"{where}: {met}"
    causes = size_causes(ops, sides, where, labels, sizes)
    words = "; ".join(words for _, words in causes)
    return words if met in words else f"{words}. Meeting here: {met}"


def meeting(op: Op) -> tuple[int, int] | None:
    """Which two operands of a join differ, by position: the odd one, and one that is as most are."""
    refusal: Refusal | None = op.attrs.get("refusal")
    if refusal is None or refusal.rule == "product-differs":
        return (0, 1) if len(op.inputs) == 2 or op.name == "sum" else None
    if refusal.rule not in ("concat-differs", "stack-differs") or len(op.inputs) != len(refusal.facts["shapes"]):
        return None
    rest = [_rest(op, shape, refusal.facts["dim"]) for shape in refusal.facts["shapes"]]
    reference = _rest(op, refusal.facts["reference"], refusal.facts["dim"])
    odd = next(i for i, shape in enumerate(rest) if shape != reference)
    return (odd, rest.index(reference)) if reference in rest else None


def _rest(op: Op, shape: Shape, dim: int) -> Shape:
    """A shape without the side that is joined."""
    return shape if op.name == "stack" else (*shape[: dim % len(shape)], *shape[dim % len(shape) + 1 :])


def _concat(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    shapes, dim, reference = facts["shapes"], facts["dim"], facts["reference"]
    verb = "stacks" if op.name == "stack" else "concatenates"
    pair = meeting(op)
    if pair is None:
        return f"{where} {verb} {' and '.join(map(_whole, shapes))}"
    other = [shape for shape in shapes if _rest(op, shape, dim) != _rest(op, reference, dim)]
    words = _meeting(ops, op, where, pair, (shapes[pair[0]], shapes[pair[1]]))
    more = f"; {len(other) - 1} more differ" if len(other) > 1 else ""
    fork = find_fork(ops, op.inputs[pair[0]], op.inputs[pair[1]])
    advice = "" if "nterpolate" in words else _to_size(ops, op, pair[0], fork, reference)
    return f"{words}{more}{advice}"


def _to_size(ops: Sequence[Op], op: Op, odd: int, fork: Any, reference: Shape) -> str:
    path = OperandPath(ops, fork.sides[0], fork.at)
    pooled = any(o.name in ("adaptive_avg_pool", "mean") for o in path.members)
    return f"; interpolate it to {text(reference[2:])}" if pooled and len(reference) == 4 else ""


# ---- shapes and windows ----------------------------------------------------------------------------------


def _view(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    came, sizes = facts["came"], facts["sizes"]
    asked = "×".join(str(size) for size in sizes)
    numbers = f"{prod(came):,} numbers ({_whole(came)})"
    made = giver(ops, op)
    if -1 in sizes:
        known = abs(prod(sizes))
        words = f"{prod(came):,} is no multiple of {known:,}"
    else:
        words = f"that holds {prod(sizes):,}"
    words = f"{where} views what {made} gives, {numbers}, as {asked}, but {words}"
    if len(sizes) > 3:
        missing = next((s for s in sizes[2:] if s > 1 and came[-1] % s), None)
        if missing:
            return f"{words}: {missing} does not divide {came[-1]}"
    if len(sizes) == 2 and len(came) > 2:
        each = prod(came[1:])
        return f"{words}. Each element of the batch has {each:,} features: flatten(1), and a head for {each:,}"
    return words


def _kernel(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    kernel, came = facts["kernel"], facts["came"][-len(facts["kernel"]) :]
    padding = f" with padding {facts['padding'][0]}" if any(facts["padding"]) else ""
    dilated = f", dilated by {facts['dilation'][0]}" if max(facts["dilation"]) > 1 else ""
    line = _from_input(ops, op)
    return (
        f"{where} has a window of {text(kernel)}{dilated}, but {giver(ops, op)} gives a map of {text(came)}{padding}"
        f"{f' ({line})' if line else ''}: use a larger input, fewer strides or a smaller window"
    )


def _from_input(ops: Sequence[Op], op: Op) -> str:
    path = OperandPath(ops, range(1, op.inputs[0] + 1), 0) if op.inputs[0] > 0 else None
    line = chain(path) if path else ""
    return f"from the input {line}" if "→" in line else ""


def _rank(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    came, takes, layer = facts["came"], facts["takes"], facts["layer"]
    wanted = " or ".join(map(str, takes))
    right = len(came) - 2
    other = f"; {layer[:-2]}{right}d takes {len(came)}" if right in (1, 2, 3) and len(came) not in takes else ""
    return (
        f"{where} is a {layer}, which takes {wanted} axes, batch counted, but {giver(ops, op)} gives {len(came)} "
        f"({_whole(came)}){other}"
    )


def _strides(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    came = f"what {giver(ops, op)} gives, {_whole(facts['came'])}"
    return f"{where} views {came}, whose axes were permuted: use reshape, or contiguous() before view"


def _split(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    came, sizes = facts["came"], facts["sizes"]
    parts = " + ".join(map(str, sizes))
    return (
        f"{where} splits what {giver(ops, op)} gives, {_whole(came)}, into {parts} = {sum(sizes)}, but axis "
        f"{facts['dim']} has {came[facts['dim']]}"
    )


def _state(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    return (
        f"{where} takes a first state of {_whole(facts['wanted'])}, layers×batch×features, not {_whole(facts['came'])}"
    )


def _mask(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    return f"{where} takes a mask of {_whole(facts['wanted'])}, not {_whole(facts['came'])}"


def _norm(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    came, normalized = facts["came"], facts["normalized"]
    return (
        f"{where} normalises {text(normalized)}, but {giver(ops, op)} gives {text(came[1:])}: it works for one size of "
        "input alone. GroupNorm(1, channels) normalises a map of any size"
    )


def _dtype(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    return (
        f"{where} looks rows up by whole numbers, but {giver(ops, op)} gives {facts['dtype']}: give it an int64 input"
    )


def _channels(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    came = facts["came"][1]
    return f"{where} takes a multiple of {facts['what']} channels, but {giver(ops, op)} gives {came} channels"


def _size(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    came = facts["came"][2:]
    return f"{where} takes sides that {facts['divisor']} divides, but {giver(ops, op)} gives {text(came)}"


def _matmul(ops: Sequence[Op], op: Op, where: str, facts: Facts) -> str:
    a, b = facts["shapes"][:2]
    met = f"{where} multiplies {_whole(a)} by {_whole(b)}"
    if "letter" in facts:
        letter, first, second = facts["letter"]
        return f"{met}: {letter} is {first} in one and {second} in the other"
    if a[-1] != b[-2]:
        words = f"{met}: the {a[-1]} columns of the first are not the {b[-2]} rows of the second"
        if a[-1] == b[-1]:
            return f"{words}; transpose the second"
        return f"{words}; transpose the first" if a[-2] == b[-2] else words
    return f"{met}: their batches {_whole(a[:-2])} and {_whole(b[:-2])} do not broadcast"


_WORDS: Mapping[str, Callable[[Sequence[Op], Op, str, Facts], str]] = {
    "constant-differs": _constant,
    "product-differs": _product,
    "concat-differs": _concat,
    "stack-differs": _concat,
    "view-size": _view,
    "kernel-too-large": _kernel,
    "wrong-rank": _rank,
    "wrong-norm-shape": _norm,
    "view-strides": _strides,
    "split-size": _split,
    "wrong-state": _state,
    "wrong-mask": _mask,
    "wrong-dtype": _dtype,
    "channels-do-not-divide": _channels,
    "size-does-not-divide": _size,
    "matmul-differs": _matmul,
}
