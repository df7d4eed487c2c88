"""The operation where a shape mismatch has its root cause, so that one mistake is reported once, where it was made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .forks import channels_from, find_fork, is_sum
from .operand_paths import OperandPath, agree, same_padding
from .operations import Op


def find_root_causes(ops: Sequence[Op]) -> frozenset[int]:
    """Operations whose own shape is the mistake, by index; another pass then does without it (see ``Interventions``).

    These are: an addition whose branch's channels a later layer refuses, though it would take the shortcut's; a
    normalisation whose channels a later layer or addition refuses, though it would take those that the normalisation
    got; an addition whose branch has the wrong size because of its padding, or does not come back to the size of its
    skip connection.
    """
    refused = {
        origin.index
        for op in ops
        for source, wants in _demands(op)
        for origin in [channels_from(ops, source)]
        if ("wants" in origin.attrs or (is_sum(origin) and not is_sum(op)))
        and wants != origin.shape[1]
        and wants in (shape[1] for shape in origin.in_shapes if len(shape) > 1)
    }
    return frozenset(refused.union(op.index for op in ops if is_sum(op) and _lost_padding(ops, op)))


def _demands(op: Op) -> Iterator[tuple[int, int]]:
    """Operations that an operation reads, and the channels it would need them to give: a layer its own, a sum those of
    its other side."""
    if "wants" in op.attrs:
        yield op.inputs[0], op.attrs["wants"]
    elif is_sum(op) and all(len(shape) > 1 for shape in op.in_shapes):
        (a, b), (first, second) = op.in_shapes, op.inputs
        if a[1] != b[1]:
            yield from ((first, b[1]), (second, a[1]))


def _lost_padding(ops: Sequence[Op], op: Op) -> bool:
    a, b = op.in_shapes
    if a == b or a[:2] != b[:2] or len(a) != len(b):
        return False
    fork = find_fork(ops, *op.inputs)
    branch, shortcut = (OperandPath(ops, fork.sides[side], fork.at) for side in (fork.main, 1 - fork.main))
    if branch.upsamples and not shortcut.upsamples and branch.stride == shortcut.stride:
        return True
    padding = same_padding(branch)
    return bool(padding) and branch.stride == shortcut.stride and agree((branch, shortcut), padding)
