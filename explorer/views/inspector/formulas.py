"""What a thing computes, as a paper writes it: HTML with subscripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...inspection import Op
from ...spec import Activation, BlockPlan, Norm, ResNetSpec, Shortcut

_ACTIVATIONS = {
    Activation.RELU: "ReLU",
    Activation.LEAKY_RELU: "LeakyReLU",
    Activation.GELU: "GELU",
    Activation.SILU: "SiLU",
}
_NORMS = {Norm.BATCH: "BN", Norm.GROUP: "GN", Norm.NONE: ""}
_KINDS = {"identity": "x", "projection": "W<sub>s</sub>·x", "zero_pad": "pad(x)", "other": "s(x)"}
_NORMED = "y = γ·(x − μ) ÷ √(σ² + ε) + β"


def merge_formula(kind: str) -> str:
    """Of a sum in any network, by what its shortcut is made of."""
    return f"y = F(x) + {_KINDS[kind]}"


def block_formulas(spec: ResNetSpec, plan: BlockPlan) -> Iterator[str]:
    """The block's equation, its branch, and what W₁ … and the shortcut are, a line each."""
    sigma = _ACTIVATIONS[spec.activation]
    kind = plan.shortcut_kind
    if spec.block.is_preact:
        yield f"y = F(a){_term(spec, kind)}, a = {sigma}({_normed(spec, 1, 'x')})"
        yield f"F(a) = {_branch(spec, 'a')}"
    else:
        yield f"y = {sigma}(F(x){_term(spec, kind)})"
        yield f"F(x) = {_branch(spec, 'x')}"
    yield "; ".join(f"{_weight(n)}: {words}" for n, words in enumerate(_convs(spec, plan), start=1))
    yield from _shortcut(plan)
    if kind is Shortcut.NONE:
        yield "No shortcut: a block of a plain network."


def shortcut_formulas(spec: ResNetSpec, plan: BlockPlan) -> Iterator[str]:
    """What makes x fit the sum, and what its letters are."""
    kind = plan.shortcut_kind
    read = "a" if spec.block.is_preact and kind is Shortcut.PROJECTION else "x"
    yield f"s({read}) = {_term(spec, kind).removeprefix(' + ')}"
    yield from _shortcut(plan)


def _shortcut(plan: BlockPlan) -> Iterator[str]:
    """What W_s or pad is."""
    if plan.shortcut_kind is Shortcut.PROJECTION:
        yield f"W<sub>s</sub>: 1×1, {plan.in_channels} → {plan.out_channels}{_strided(plan.stride)}"
    if plan.shortcut_kind is Shortcut.ZERO_PAD:
        added = max(0, plan.out_channels - plan.in_channels)
        pixels = f"every {plan.stride}nd pixel of x" if plan.stride > 1 else "x"
        yield f"pad(x): {pixels}, and {added} channels of zeros"


def network_formula(spec: ResNetSpec) -> str:
    """The equation of most of its blocks: of the last one."""
    return next(block_formulas(spec, spec.blocks[-1]))


def op_formula(op: Op) -> str:
    """One line for an operation; empty where its name says all."""
    return _OPS[op.name](op) if op.name in _OPS else ""


def _term(spec: ResNetSpec, kind: Shortcut) -> str:
    if kind is Shortcut.PROJECTION and spec.block.is_preact:
        return " + W<sub>s</sub>·a"
    if kind is Shortcut.PROJECTION:
        norm = _NORMS[spec.norm]
        return f" + {norm}(W<sub>s</sub>·x)" if norm else " + W<sub>s</sub>·x"
    return {Shortcut.ZERO_PAD: " + pad(x)", Shortcut.IDENTITY: " + x"}.get(kind, "")


def _branch(spec: ResNetSpec, value: str) -> str:
    """Nested from the inside out, in the order in which the block applies them."""
    sigma, count = _ACTIVATIONS[spec.activation], spec.block.convolutions
    for number in range(1, count + 1):
        if spec.block.is_preact and number > 1:
            value = f"{sigma}({_normed(spec, number, value)})"
        value = f"{_weight(number)}·{value}"
        if not spec.block.is_preact:
            value = _normed(spec, number, value)
            value = value if number == count else f"{sigma}({value})"
    return value


def _normed(spec: ResNetSpec, number: int, value: str) -> str:
    norm = _NORMS[spec.norm]
    return f"{norm}<sub>{number}</sub>({value})" if norm else value


def _weight(number: int) -> str:
    return f"W<sub>{number}</sub>"


def _convs(spec: ResNetSpec, plan: BlockPlan) -> list[str]:
    i, w, o = plan.in_channels, plan.width, plan.out_channels
    if not spec.block.is_bottleneck:
        return [f"3×3, {i} → {w}{_strided(plan.stride)}", f"3×3, {w} → {o}"]
    first, middle = (plan.stride, 1) if spec.stride_on == "v1" else (1, plan.stride)
    grouped = f", {spec.groups} groups" if spec.groups > 1 else ""
    return [f"1×1, {i} → {w}{_strided(first)}", f"3×3, {w} → {w}{grouped}{_strided(middle)}", f"1×1, {w} → {o}"]


def _strided(stride: int) -> str:
    return f", stride {stride}" if stride > 1 else ""


def _pooled(name: str) -> Callable[[Op], str]:
    return lambda op: f"{name} of each {'×'.join(map(str, op.attrs['kernel']))} window"


def _zeros(op: Op) -> str:
    before, after = (*op.attrs["pad"][4:6], 0, 0)[:2]
    return f"y = x with {before} channels of zeros before and {after} after"


def _slice(op: Op) -> str:
    kinds = ("image", "channel", "row", "column")
    kind = kinds[op.attrs["dim"]] if op.attrs["dim"] < len(kinds) else "entry"
    ordinal = {1: "", 2: "2nd ", 3: "3rd "}.get(op.attrs["step"], f"{op.attrs['step']}th ")
    return f"y = every {ordinal}{kind} of x, from the first"


_OPS: dict[str, Callable[[Op], str]] = {
    "conv": lambda op: f"y = W ∗ x{' + b' if op.attrs['bias'] else ''}",
    "batch_norm": lambda op: f"{_NORMED}, with μ and σ² of each channel",
    "group_norm": lambda op: f"{_NORMED}, with μ and σ² of each of {op.attrs['groups']} groups of channels",
    "relu": lambda op: "y = max(0, x)",
    "leaky_relu": lambda op: "y = max(0.01·x, x)",
    "gelu": lambda op: "y = x·Φ(x), Φ the normal distribution's",
    "silu": lambda op: "y = x ÷ (1 + e<sup>−x</sup>)",
    "max_pool": _pooled("y = maximum"),
    "avg_pool": _pooled("y = mean"),
    "mean": lambda op: "y = mean of each channel's map",
    "adaptive_avg_pool": lambda op: "y = mean of equal windows",
    "linear": lambda op: "y = W·x + b",
    "view": lambda op: "y = x, in another shape",
    "add": lambda op: "y = a + b",
    "pad": _zeros,
    "slice": _slice,
}
