"""What a forward pass did, with repeated blocks expanded instead of run.

Neighbouring blocks of one geometry read a map of one shape and give it back in that shape: what the first of them does,
all of them do. So only the first need be built and run. What was recorded of it is written down once for each repeat,
under the repeat's own path, its operations moved along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import TypeVar

from .operations import Op

Shape = tuple[int, ...]
Recorded = TypeVar("Recorded")


@dataclass(frozen=True)
class Layer:
    """A row of torchinfo's table: one call of one module.

    Attributes:
        path: dotted module path; empty for the network itself.
        kind: class name.
        depth: nesting level; 0 is the network.
        in_shape, out_shape: with the batch dimension; empty where the module was never called.
        params: parameters of the module and its children; 0 on a repeated call.
    """

    path: str
    kind: str
    depth: int
    in_shape: Shape
    out_shape: Shape
    kernel: Shape
    params: int
    repeated: bool


@dataclass(frozen=True)
class Recording:
    """What was seen of the modules that were run; attributes as ``Trace``'s.

    Attributes:
        table: makes ``layers``, when they are first asked for.
        note: how it was run, if not on shapes alone.
        read: names of the parameters that an operation read.
        gives_nothing: whether forward gave None.
    """

    name: str
    ops: tuple[Op, ...]
    table: Callable[[], tuple[Layer, ...]]
    params: Mapping[str, int]
    kinds: Mapping[str, str]
    note: str = ""
    read: frozenset[str] = frozenset()
    gives_nothing: bool = False

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """torchinfo's table."""
        return self.table()


@dataclass(frozen=True, eq=False)
class Trace:
    """What one forward pass of the whole network did. Each part is expanded when it is first read.

    Attributes:
        recording: of a network that has the first block of each run only.
        runs: path of such a block, ``layer3.1``, -> paths of all blocks of its run, itself the first.
    """

    recording: Recording
    runs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Class name of the module."""
        return self.recording.name

    @property
    def note(self) -> str:
        """How it was run, if not on shapes alone."""
        return self.recording.note

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """In execution order, inputs first; an operation's ``inputs`` index this tuple."""
        ops: list[Op] = []
        for old, new, members in self._expand(self.recording.ops, lambda op: op.path):
            # Whatever a block reads comes from itself or from the block before it, which has moved as far.
            shift = len(ops) - members[0].index
            ops += [op.moved(new + op.path[len(old) :], shift) for op in members] if shift else members
        return tuple(ops)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """torchinfo's table."""
        repeated = self._params_of_repeats()
        return tuple(
            replace(row, path=new + row.path[len(old) :], params=row.params + repeated.get(row.path, 0))
            for old, new, rows in self._expand(self.recording.layers, lambda row: row.path)
            for row in rows
        )

    @cached_property
    def params(self) -> Mapping[str, int]:
        """Parameters by dotted name of the module that owns them (shared tensors counted once)."""
        return self._renamed(self.recording.params)

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """Class name by module path."""
        return self._renamed(self.recording.kinds)

    @cached_property
    def containers(self) -> frozenset[str]:
        """Paths of modules that have children."""
        return frozenset(path.rpartition(".")[0] for path in self.kinds if "." in path)

    def _expand(
        self, items: Iterable[Recorded], path_of: Callable[[Recorded], str]
    ) -> Iterator[tuple[str, str, list[Recorded]]]:
        """Recorded path of a block, path of the block that repeats it, and what was recorded of it; in the whole
        network's order. What belongs to no such block comes as it is."""
        for block, group in groupby(items, key=lambda item: self._block(path_of(item))):
            members = list(group)
            for path in self.runs.get(block, (block,)):
                yield block, path, members

    def _block(self, path: str) -> str:
        """The recorded block that ``path`` is in; empty outside of them."""
        block = ".".join(path.split(".", 2)[:2])
        return block if block in self.runs else ""

    def _renamed(self, values: Mapping[str, Recorded]) -> Mapping[str, Recorded]:
        return {
            new + path[len(old) :]: values[path]
            for old, new, paths in self._expand(values, lambda path: path)
            for path in paths
        }

    def _params_of_repeats(self) -> dict[str, int]:
        """Parameters of the blocks that were not run, by the stage they are in, and in all under the empty path."""
        totals: dict[str, int] = {}
        for row in self.recording.layers:
            for holder in (row.path.rpartition(".")[0], "") if row.path in self.runs else ():
                totals[holder] = totals.get(holder, 0) + row.params * (len(self.runs[row.path]) - 1)
        return totals
