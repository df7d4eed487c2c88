"""Every addition of two paths: both shapes, whether they match, and why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ...spec import shapes
from ..tracing.forks import find_fork, is_sum
from ..tracing.operations import Op, added
from ..tracing.repeats import Shape, Trace

Price = Callable[[str], int]


class Verdict(str, Enum):
    MATCH = "match"
    MISMATCH = "mismatch"  # the addition raises
    BROADCAST = "broadcast"  # no error, and yet not an addition of equals: counts as a failure

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Merge:
    """y = F(x) + x at one place.

    Attributes:
        path: the block's module path.
        op: index of the addition in the trace.
        branch_shape, shortcut_shape: of F(x) and of the shortcut, C×H×W, without the batch dimension.
        fork: operation both paths start from; None where they don't.
        branch, shortcut: operations on either path only, in execution order.
        kind: what the shortcut is made of: "identity", "zero_pad", "projection" or "other".
        explanation: one sentence naming channels and size.
    """

    path: str
    op: int
    branch_shape: Shape
    shortcut_shape: Shape
    verdict: Verdict
    explanation: str
    fork: int | None
    branch: tuple[int, ...]
    shortcut: tuple[int, ...]
    kind: str

    @property
    def fits(self) -> bool:
        return self.verdict is Verdict.MATCH


def find_merges(trace: Trace, price: Price | None = None) -> tuple[Merge, ...]:
    """All additions of two different activations (see ``is_sum``), in execution order.

    Args:
        price: block's path -> parameters that a projection would add there, where it is known how one is built.
    """
    return tuple(_merge(trace, op, price) for op in trace.ops if is_sum(op))


def _merge(trace: Trace, op: Op, price: Price | None) -> Merge:
    fork = find_fork(trace.ops, *op.inputs)
    branch, shortcut = (_unbatched(op.in_shapes[side]) for side in (fork.main, 1 - fork.main))
    verdict = _verdict(op)
    path = op.path or "the network"
    return Merge(
        path=op.path,
        op=op.index,
        branch_shape=branch,
        shortcut_shape=shortcut,
        verdict=verdict,
        explanation=explain(path, branch, shortcut, verdict, price),
        fork=fork.at,
        branch=fork.sides[fork.main],
        shortcut=fork.sides[1 - fork.main],
        kind=_kind([trace.ops[i].name for i in fork.sides[1 - fork.main]]),
    )


def _unbatched(shape: Shape) -> Shape:
    return shape[1:]


def _verdict(op: Op) -> Verdict:
    a, b = op.in_shapes
    if a == b:
        return Verdict.MATCH
    total = added(a, b, in_place=op.attrs.get("in_place", False))
    return Verdict.MISMATCH if total is None else Verdict.BROADCAST


def _kind(names: list[str]) -> str:
    if not names:
        return "identity"
    if "conv" in names or "linear" in names:
        return "projection"
    return "zero_pad" if "pad" in names else "other"


def explain(path: str, branch: Shape, shortcut: Shape, verdict: Verdict, price: Price | None = None) -> str:
    """What meets, why it does not match, and what a projection would cost (``price`` as in ``find_merges``)."""
    if verdict is Verdict.MATCH:
        return f"{path}: branch and shortcut both give {shapes.text(branch)}."
    facts = f"{path}: the branch gives {shapes.text(branch)}, the shortcut {shapes.text(shortcut)}"
    if verdict is Verdict.BROADCAST:
        return f"{facts}. PyTorch repeats the smaller one without an error; the sum is not y = F(x) + x."
    if len(branch) != 3 or len(shortcut) != 3:
        return f"{facts}: {len(branch)} and {len(shortcut)} dimensions cannot be added."
    return f"{facts}: {_difference(branch, shortcut)}.{_projection(path, branch, shortcut, price)}"


def _difference(branch: Shape, shortcut: Shape) -> str:
    parts = []
    if branch[0] != shortcut[0]:
        parts.append(f"{shortcut[0]} vs {branch[0]} channels")
    if branch[1:] != shortcut[1:]:
        parts.append(f"a {shapes.text(shortcut[1:])} vs {shapes.text(branch[1:])} map")
    return " and ".join(parts)


def _projection(path: str, branch: Shape, shortcut: Shape, price: Price | None) -> str:
    """The 1×1 projection whose output would match, if there is one."""
    stride = max(1, round(shortcut[1] / branch[1]))
    if any(-(-s // stride) != b for s, b in zip(shortcut[1:], branch[1:], strict=True)):
        return ""
    cost = f"+{price(path):,} parameters" if price else f"+{shortcut[0] * branch[0]:,} weights"
    return f" A 1×1 projection with stride {stride} would match ({cost})."
