"""The dispatch mode that writes a forward pass down, and lets mismatched additions pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from .forks import find_fork
from .inputs import tensors
from .operations import NAMES, SHAPE_PRESERVING, TRANSPARENT, Op, added, creates, describe
from .repeats import Shape
from .source_lines import source_line

ShortcutChange = Callable[[Tensor], Tensor]
_ADDITIONS = {torch.ops.aten.add.Tensor, torch.ops.aten.add_.Tensor}


@dataclass(frozen=True)
class Interventions:
    """Where a pass does something else than the network says.

    Attributes:
        keeps_branch: the pass goes on with the branch's shape after a silent broadcast too, as after a mismatch.
        root_causes: operations, by index, whose own shape is the mistake. After such an addition the pass goes on with
            the shortcut's shape instead of the branch's; after such a normalisation, with its input's channels instead
            of its own.
        shortcut_changes: addition of two paths, counted from 0 in execution order -> what is done to its shortcut
            before.
    """

    keeps_branch: bool = False
    root_causes: frozenset[int] = frozenset()
    shortcut_changes: Mapping[int, ShortcutChange] = field(default_factory=dict)


@dataclass
class Recorder(TorchDispatchMode):
    """Collects operations.

    Attributes:
        names_sources: whether the line that asked for each operation is looked up.
        stack: paths of the modules being run, outermost first.
    """

    interventions: Interventions = field(default_factory=Interventions)
    names_sources: bool = False
    ops: list[Op] = field(default_factory=list)
    stack: list[str] = field(default_factory=lambda: [""])
    sums: int = 0

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch annotates only part of it
        # Tensors are kept alive, or a later one could reuse the identity of an earlier one.
        self._producer: dict[int, tuple[int, Tensor]] = {}

    def add_input(self, tensor: Tensor) -> None:
        self._append("input", (), (), {}, (tensor,))

    def take_for(self, stand_in: Tensor, tensor: Tensor) -> None:
        """Note that ``stand_in`` is read in the place of ``tensor``."""
        if source := self._producer.get(id(tensor)):
            self._remember(source[0], (stand_in,))

    def amend(self, index: int, **changes: Any) -> None:
        """Write an operation down differently."""
        self.ops[index] = replace(self.ops[index], **changes)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.ops.aten.detach.default:  # ``tensor.data``, which torchinfo reads four times in every call
            out = func(*args, **kwargs)
            if source := self._producer.get(id(args[0])):
                self._remember(source[0], (out,))
            return out
        operands = [t for t in tensors(chain(args, kwargs.values())) if id(t) in self._producer]
        if func in _ADDITIONS and len(operands) == 2:
            return self._add(func, args, kwargs, operands)
        shapes = tuple(tuple(t.shape) for t in operands)
        if func in SHAPE_PRESERVING and len(set(shapes)) == 1:
            out = SHAPE_PRESERVING[func](operands[0])
        else:
            out = func(*args, **kwargs)
        outputs = tuple(tensors((out,)))
        if not operands or not outputs or creates(func.overloadpacket.__name__):
            return out
        producers = self._producers(operands)
        name = NAMES.get(func.overloadpacket, func.overloadpacket.__name__.strip("_"))
        if name in TRANSPARENT and tuple(outputs[0].shape) == shapes[0]:
            self._remember(producers[0], outputs)
        else:
            self._append(name, producers, shapes, describe(func, args), outputs)
        return out

    def _add(self, func: Any, args: Any, kwargs: Any, operands: list[Tensor]) -> Tensor:
        """The sum, or a tensor of the shape that goes on in its place."""
        in_place = func is torch.ops.aten.add_.Tensor
        producers = self._producers(operands)
        number = self.sums
        self.sums += len(set(producers)) == 2
        if len(set(producers)) == 2 and (change := self.interventions.shortcut_changes.get(number)):
            side = 1 - find_fork(self.ops, *producers).main
            with self:
                operands[side] = change(operands[side])
            producers = self._producers(operands)
        shapes = tuple(tuple(t.shape) for t in operands)
        shape = added(*shapes, in_place=in_place)
        broadcast = shape is not None and shapes[0] != shapes[1]
        if shape is None or (broadcast and self.interventions.keeps_branch):
            main = find_fork(self.ops, *producers).main
            shape = shapes[main ^ (len(self.ops) in self.interventions.root_causes)]
        if in_place:
            out = args[0] if args[0].shape == shape else args[0].resize_(shape)
        elif shapes[0] == shapes[1]:
            out = SHAPE_PRESERVING[func](operands[0])
        else:
            out = operands[0].new_empty(shape)
        self._append("add", producers, shapes, describe(func, args), (out,))
        return out

    def _producers(self, operands: list[Tensor]) -> tuple[int, ...]:
        return tuple(self._producer[id(t)][0] for t in operands)

    def _append(
        self,
        name: str,
        producers: tuple[int, ...],
        shapes: tuple[Shape, ...],
        attrs: dict[str, Any],
        outputs: tuple[Tensor, ...],
    ) -> None:
        index = len(self.ops)
        shape = tuple(outputs[0].shape)
        size = outputs[0].element_size() * outputs[0].numel()
        source = source_line() if self.names_sources and producers else ""
        self.ops.append(Op(index, name, self.stack[-1], producers, shapes, shape, size, attrs, source))
        self._remember(index, outputs)

    def _remember(self, index: int, outputs: tuple[Tensor, ...]) -> None:
        for tensor in outputs:
            self._producer[id(tensor)] = (index, tensor)
