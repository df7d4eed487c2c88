"""Every addition of two paths: both shapes, whether they match, and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from ...spec import shapes
from ..tracing.forks import Operands, find_fork, operands
from ..tracing.operations import WEIGHTED, Op, added
from ..tracing.repeats import Shape, Trace
from .residual import is_doubtful, is_meant, is_residual

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
        is_residual: whether both start from one x; if not, it is a sum of two paths that PyTorch refuses.
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
    is_residual: bool = True

    @property
    def fits(self) -> bool:
        return self.verdict is Verdict.MATCH


def find_sums(trace: Trace, price: Price | None = None) -> tuple[Merge, ...]:
    """All residual additions, and what else PyTorch refuses to add, in execution order.

    Args:
        price: block's path -> parameters that a projection would add there, where it is known how one is built.
    """
    found = (_merge(trace, op, met, price) for op in trace.ops if (met := operands(trace.ops, op)))
    return tuple(merge for merge in found if merge)


def _merge(trace: Trace, op: Op, met: Operands, price: Price | None) -> Merge | None:
    fork = find_fork(trace.ops, *met.inputs)
    branch, shortcut = (_unbatched(met.shapes[side]) for side in (fork.main, 1 - fork.main))
    verdict = _verdict(op, met)
    residual = is_residual(trace.ops, op, met, fork, trace.kinds)
    if verdict is Verdict.BROADCAST and is_meant(trace.ops, met, fork):
        return None
    if not residual and verdict is not Verdict.MISMATCH:
        return None
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
        is_residual=residual,
    )


def doubtful_broadcasts(trace: Trace) -> Iterator[Merge]:
    """Sums of two paths with weights whose shapes differ, one of them by a side of 1 that a layer made."""
    for op in trace.ops:
        met = operands(trace.ops, op)
        if met is None or _verdict(op, met) is not Verdict.BROADCAST:
            continue
        fork = find_fork(trace.ops, *met.inputs)
        if is_meant(trace.ops, met, fork) and is_doubtful(trace.ops, met, fork):
            branch, shortcut = (_unbatched(met.shapes[side]) for side in (fork.main, 1 - fork.main))
            yield Merge(
                op.path, op.index, branch, shortcut, Verdict.BROADCAST, "", fork.at, *fork.sides, "other", False
            )


def _unbatched(shape: Shape) -> Shape:
    return shape[1:]


def _verdict(op: Op, met: Operands) -> Verdict:
    a, b = met.shapes
    if a == b:
        return Verdict.MATCH
    total = added(a, b, in_place=op.attrs.get("in_place", False))
    return Verdict.MISMATCH if total is None else Verdict.BROADCAST


def _kind(names: list[str]) -> str:
    if not names:
        return "identity"
    if WEIGHTED & set(names):
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
