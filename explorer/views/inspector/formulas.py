"""What a thing computes, as a paper writes it: HTML with subscripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...inspection import Op
from ...spec import Activation, BlockPlan, Norm, ResNetSpec, Shortcut
from ...spec.anatomy import Conv, branch_convs, shortcut_conv

_ACTIVATIONS = {
    Activation.RELU: "ReLU",
    Activation.LEAKY_RELU: "LeakyReLU",
    Activation.GELU: "GELU",
    Activation.SILU: "SiLU",
}
_NORMS = {Norm.BATCH: "BN", Norm.GROUP: "GN", Norm.NONE: ""}
# What a shortcut does to x, or to a = σ(norm(x)).
_TERMS: dict[Shortcut, Callable[[str], str]] = {
    Shortcut.ZERO_PAD: lambda x: f"pad({x})",
    Shortcut.PROJECTION: lambda x: f"W<sub>s</sub>·{x}",
    Shortcut.IDENTITY: lambda x: x,
}
_NORMED = "y = γ·(x − μ) ÷ √(σ² + ε) + β"


def merge_formula(kind: str) -> str:
    """The formula of an addition in any network, by what its shortcut is made of."""
    return f"y = F(x) + {'s(x)' if kind == 'other' else _TERMS[Shortcut.from_spelling(kind)]('x')}"


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
    yield "; ".join(f"{_weight(n)}: {words}" for n, words in enumerate(map(_conv, branch_convs(spec, plan)), start=1))
    yield from _shortcut(plan)
    if kind is Shortcut.NONE:
        yield "No shortcut: a block of a plain network."


def without_branch(spec: ResNetSpec, plan: BlockPlan) -> str:
    """What the block gives if its branch gives 0, as a sentence; empty if the addition does not match."""
    kind, sigma = plan.shortcut_kind, _ACTIVATIONS[spec.activation]
    if kind is Shortcut.NONE:
        return "If F is 0, y = 0: nothing of x is left."
    if kind is Shortcut.IDENTITY and plan.changes_shape:
        return ""
    term = _term(spec, kind).removeprefix(" + ")
    if spec.block.is_preact:
        letters = f", with a = {sigma}({_normed(spec, 1, 'x')})" if kind.projects else ""
        end = "the block passes its input on" if kind is Shortcut.IDENTITY else "the shortcut alone"
        return f"If F is 0, y = {term}{letters}: {end}."
    end = "the shortcut alone"
    if kind is Shortcut.IDENTITY:
        # x comes from a ReLU, so that a second one changes nothing. Other activations do.
        passes = spec.activation is Activation.RELU
        end = "x has no negative numbers, so the block passes it on" if passes else "only the activation changes x"
    return f"If F is 0, y = {sigma}({term}): {end}."


def shortcut_formulas(spec: ResNetSpec, plan: BlockPlan) -> Iterator[str]:
    """What gives x the shape of F(x), and what its letters are."""
    yield f"s({_read(spec, plan.shortcut_kind)}) = {_term(spec, plan.shortcut_kind).removeprefix(' + ')}"
    yield from _shortcut(plan)


def _shortcut(plan: BlockPlan) -> Iterator[str]:
    """What W_s or pad is."""
    if conv := shortcut_conv(plan):
        yield f"W<sub>s</sub>: {_conv(conv)}"
    if plan.shortcut_kind is Shortcut.ZERO_PAD:
        added = max(0, plan.out_channels - plan.in_channels)
        pixels = f"every {plan.stride}nd pixel of x" if plan.stride > 1 else "x"
        yield f"pad(x): {pixels}, and {added} channels of zeros"


def formulas_of_blocks(spec: ResNetSpec) -> dict[str, list[str]]:
    """Each equation of its blocks, and the paths of the blocks that have it; the most common one comes last."""
    paths: dict[str, list[str]] = {}
    for plan in spec.blocks:
        paths.setdefault(next(block_formulas(spec, plan)), []).append(plan.path)
    return dict(sorted(paths.items(), key=lambda pair: len(pair[1])))


def op_formula(op: Op) -> str:
    """One line for an operation; empty where its name says all."""
    return _OPS[op.name](op) if op.name in _OPS else ""


def _read(spec: ResNetSpec, kind: Shortcut) -> str:
    return "a" if spec.block.is_preact and kind.projects else "x"


def _term(spec: ResNetSpec, kind: Shortcut) -> str:
    if kind is Shortcut.NONE:
        return ""
    term, norm = _TERMS[kind](_read(spec, kind)), _NORMS[spec.norm]
    normed = kind.projects and norm and not spec.block.is_preact
    return f" + {norm}({term})" if normed else f" + {term}"


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


def _conv(conv: Conv) -> str:
    """3×3, 64 → 128, 32 groups, stride 2."""
    groups = f", {conv.groups} groups" if conv.groups > 1 else ""
    stride = f", stride {conv.stride}" if conv.stride > 1 else ""
    return f"{conv.kernel}×{conv.kernel}, {conv.inputs} → {conv.outputs}{groups}{stride}"


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
