"""Where the two operands of an addition parted, and which of the two is the main branch."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from .flow import carried, source
from .operations import WEIGHTED, Op


@dataclass(frozen=True)
class Fork:
    """The two paths that meet in an addition.

    Attributes:
        at: operation both paths start from; None where they never meet (two separate inputs).
        sides: operations on the path to the first and to the second operand only, in execution order.
        main: 0 or 1: the operand of the main branch, F(x); the other one is the shortcut.
    """

    at: int | None
    sides: tuple[tuple[int, ...], tuple[int, ...]]
    main: int


def find_fork(ops: Sequence[Op], first: int, second: int) -> Fork:
    """Walk back from both operands until a single operation feeds both.

    The main branch is the side with more weighted operations (convolutions, matrix products), else with more
    operations, else the first operand. Only the operations in between are visited.
    """
    reach = {first: 1}
    reach[second] = reach.get(second, 0) | 2
    frontier = [-i for i in reach]
    heapq.heapify(frontier)
    sides: tuple[list[int], list[int]] = ([], [])
    at: int | None = None
    while frontier:
        index = -heapq.heappop(frontier)
        if reach[index] == 3 and all(reach[-i] == 3 for i in frontier):
            at = index
            break
        if reach[index] != 3:
            sides[reach[index] - 1].append(index)
        for producer in ops[index].inputs:
            if producer not in reach:
                heapq.heappush(frontier, -producer)
            reach[producer] = reach.get(producer, 0) | reach[index]
    weights = [(sum(ops[i].name in WEIGHTED for i in side), len(side)) for side in sides]
    ordered = tuple(sorted(sides[0])), tuple(sorted(sides[1]))
    return Fork(at, ordered, int(weights[1] > weights[0]))


def is_sum(op: Op) -> bool:
    """Whether two paths are added or subtracted in it. ``x + x`` and ``x + parameter`` are none."""
    return op.name in ("add", "sub") and len(set(op.inputs)) == 2


@dataclass(frozen=True)
class Operands:
    """What meets in a sum of two paths: the operations that made both, and their shapes, batch included."""

    inputs: tuple[int, int]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]


def operands(ops: Sequence[Op], op: Op) -> Operands | None:
    """The forks of an addition or subtraction of two paths, or of a summed stack of two; None for anything else."""
    if op.name == "sum" and op.inputs and ops[op.inputs[0]].name == "stack":
        stack = ops[op.inputs[0]]
        if op.attrs.get("reduced") != (stack.attrs["dim"] % len(stack.shape),):
            return None
        op = stack
    elif not is_sum(op):
        return None
    if len(op.inputs) != 2 or op.inputs[0] == op.inputs[1]:
        return None
    return Operands((op.inputs[0], op.inputs[1]), (op.in_shapes[0], op.in_shapes[1]))


def channels_from(ops: Sequence[Op], index: int) -> Op:
    """The operation that gave the output of operation ``index`` its channels: the nearest before it, itself included,
    that is a sum of two paths, has weights, or changes their number."""
    op = ops[index]
    while op.inputs and not is_sum(op) and op.name not in WEIGHTED and len(op.in_shapes[0]) > 1:
        if op.shape[1:2] != op.in_shapes[carried(op)[0]][1:2]:
            break
        op = ops[source(op)]
    return op
