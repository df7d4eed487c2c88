"""The dispatch mode that writes a forward pass down, and lets operations pass whose operands don't match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from .forks import find_fork
from .inputs import tensors
from .limits import Limits
from .operations import ELEMENTWISE, NAMES, SHAPE_PRESERVING, TRANSPARENT, Op, Refusal, added, creates, describe
from .repeats import Shape
from .source_lines import source_line

OperandChange = Callable[[list[Tensor]], list[Tensor]]
aten = torch.ops.aten
_SUMS = frozenset({aten.add.Tensor, aten.add_.Tensor, aten.sub.Tensor, aten.sub_.Tensor})
_PRODUCTS = frozenset({aten.addmm.default})
_WEIGHTED = _PRODUCTS | {aten.convolution.default, aten.mm.default}
_VIEWS = frozenset({aten.slice.Tensor, aten.select.int, aten.as_strided.default, aten.alias.default})
_JOINS = {aten.cat.default: "cat", aten.stack.default: "stack"}


@dataclass(frozen=True)
class Interventions:
    """Where a pass does something else than the network says.

    Attributes:
        keeps_branch: the pass continues with the branch's shape after a silent broadcast too, as after a mismatch.
        root_causes: operations, by index, whose own shape is the mistake. After such an addition the pass continues
            with the shortcut's shape instead of the branch's; after such a normalisation, with its input's channels
            instead of its own.
        operand_changes: index of a sum, concatenation or product -> what is done to its operands before.
        strict: nothing passes that PyTorch refuses.
    """

    keeps_branch: bool = False
    root_causes: frozenset[int] = frozenset()
    operand_changes: Mapping[int, OperandChange] = field(default_factory=dict)
    strict: bool = False


@dataclass
class Recorder(TorchDispatchMode):
    """Collects operations.

    Attributes:
        names_sources: whether the line that asked for each operation is looked up.
        names: of parameters and buffers, by identity; an operand that is none of the network's activations is called
            so.
        limits: of a pass with real tensors.
        stack: paths of the modules being run, outermost first.
    """

    interventions: Interventions = field(default_factory=Interventions)
    names_sources: bool = False
    names: Mapping[int, str] = field(default_factory=dict)
    limits: Limits | None = None
    ops: list[Op] = field(default_factory=list)
    stack: list[str] = field(default_factory=lambda: [""])

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch annotates only part of it
        # Tensors are kept alive, or a later one could reuse the identity of an earlier one.
        self._producer: dict[int, tuple[int, Tensor]] = {}
        self._constants: dict[int, tuple[str, Tensor]] = {}
        self._bases: dict[int, tuple[Tensor, Tensor]] = {}
        self.read: set[str] = set()
        self.gives_nothing = False

    def add_input(self, tensor: Tensor) -> None:
        self._append("input", (), (), {}, (tensor,))

    def take_for(self, stand_in: Tensor, tensor: Tensor) -> None:
        """Note that ``stand_in`` is read in the place of ``tensor``."""
        if made := self._producer.get(id(tensor)):
            self._remember(made[0], (stand_in,))

    def is_input(self, tensor: Tensor) -> bool:
        """Whether it is one of the network's inputs."""
        made = self._producer.get(id(tensor))
        return made is not None and self.ops[made[0]].name == "input"

    def amend(self, index: int, **changes: Any) -> None:
        """Write an operation down differently."""
        self.ops[index] = replace(self.ops[index], **changes)

    def refuse(self, name: str, operands: Sequence[Tensor], refusal: Refusal, *outputs: Tensor) -> None:
        """Write down an operation that PyTorch refused, and what continues in its place."""
        known = [t for t in operands if id(t) in self._producer]
        shapes = tuple(tuple(t.shape) for t in known)
        self._append(name, self._producers(known), shapes, {"refusal": refusal}, outputs)

    def name_of(self, tensor: Tensor) -> str:
        """Name of the parameter or buffer that a tensor is, or was made from; empty for what forward made."""
        return self.names.get(id(tensor)) or self._constants.get(id(tensor), ("", tensor))[0]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is aten.detach.default:  # ``tensor.data``, which torchinfo reads four times in every call
            out = func(*args, **kwargs)
            if made := self._producer.get(id(args[0])):
                self._remember(made[0], (out,))
            return out
        given = list(tensors(chain(args, kwargs.values())))
        operands = [t for t in given if id(t) in self._producer]
        if self.names:
            self.read.update(self.names[id(t)] for t in given if id(t) in self.names)
        if func is aten.copy_.default and id(args[0]) in self._bases:
            return self._write(func, args, kwargs)
        if not operands:
            return self._constant(func, args, kwargs)
        if self.limits:
            self.limits.check()
        if func in ELEMENTWISE and isinstance(args[1], Tensor):
            return self._elementwise(func, args, kwargs, operands)
        if func in _JOINS:
            return self._join(func, args, kwargs, operands)
        return self._record(func, args, kwargs, operands)

    def _record(self, func: Any, args: Any, kwargs: Any, operands: list[Tensor], *, fast: bool = True) -> Any:
        shapes = tuple(tuple(t.shape) for t in operands)
        if fast and func in SHAPE_PRESERVING and len(set(shapes)) == 1 and operands[0].is_meta:
            out = SHAPE_PRESERVING[func](operands[0])
        else:
            out = func(*args, **kwargs)
        self._note_view(func, args, out)
        outputs = tuple(tensors((out,)))
        if not outputs or creates(func.overloadpacket.__name__):
            return out
        producers = self._producers(operands)
        name = NAMES.get(func.overloadpacket, func.overloadpacket.__name__.strip("_"))
        if name in TRANSPARENT and tuple(outputs[0].shape) == shapes[0]:
            self._remember(producers[0], outputs)
        else:
            self._append(name, producers, shapes, describe(func, args), outputs)
        return out

    def _write(self, func: Any, args: Any, kwargs: Any) -> Any:
        """``y[:, ::2] = x``: what continues is the whole of y."""
        base = self._bases[id(args[0])][0]
        read = [t for t in (base, args[1]) if id(t) in self._producer]
        if read:
            shapes = tuple(tuple(t.shape) for t in read)
            self._append("write", self._producers(read), shapes, {}, (base,))
        return func(*args, **kwargs)

    def _note_view(self, func: Any, args: Any, out: Any) -> None:
        if func in _VIEWS and isinstance(out, Tensor):
            base = self._bases[id(args[0])][0] if id(args[0]) in self._bases else args[0]
            self._bases[id(out)] = base, out

    def _constant(self, func: Any, args: Any, kwargs: Any) -> Any:
        """What is made of parameters alone keeps the name of one."""
        if self.limits and func in _WEIGHTED:
            # Numbers that left torch, and came back.
            self._append("values", (), (), {}, (next(t for t in tensors(args[func in _PRODUCTS :]) if t.dim() > 0),))
            return self.__torch_dispatch__(func, (), args, kwargs)
        out = func(*args, **kwargs)
        self._note_view(func, args, out)
        if self.names and isinstance(out, Tensor):
            named = next((name for t in tensors(args) if (name := self.name_of(t))), "")
            if named:
                self._constants[id(out)] = named, out
        return out

    def _elementwise(self, func: Any, args: Any, kwargs: Any, operands: list[Tensor]) -> Any:
        """Its result, or a tensor of the shape that continues in its place."""
        pair, in_place = list(args[:2]), func.overloadpacket.__name__.endswith("_")
        if len(operands) == 2 and (change := self.interventions.operand_changes.get(len(self.ops))):
            with self:
                pair = operands = change(pair)
            args = (*pair, *args[2:])
        shapes = tuple(tuple(t.shape) for t in pair)
        shape = added(*shapes, in_place=in_place)
        producers = self._producers(operands)
        joins_paths = func in _SUMS and len(set(producers)) == 2
        broadcast = shape is not None and shapes[0] != shapes[1]
        if self.interventions.strict or (
            shape is not None and not (broadcast and joins_paths and self.interventions.keeps_branch)
        ):
            alike = shapes[0] == shapes[1] and pair[0].dtype == pair[1].dtype
            return self._record(func, args, kwargs, operands, fast=alike)
        attrs, read = describe(func, args), tuple(tuple(t.shape) for t in operands)
        if joins_paths:
            main = find_fork(self.ops, *producers).main
            shape = shapes[main ^ (len(self.ops) in self.interventions.root_causes)]
        else:
            shape = self._going_on(shapes, pair)
            attrs = {**attrs, "refusal": self._refusal(func, pair, in_place)}
        resized = in_place and args[0].shape != shape
        out = args[0].resize_(shape) if resized else args[0] if in_place else pair[0].new_zeros(shape)
        name = NAMES.get(func.overloadpacket, func.overloadpacket.__name__.strip("_"))
        self._append(name, producers, read, attrs, (out,))
        return out

    def _going_on(self, shapes: Sequence[Shape], pair: Sequence[Tensor]) -> Shape:
        """The shape of the only activation; of a map rather than its gate; of what was made first."""
        known = [i for i, t in enumerate(pair) if id(t) in self._producer]
        if len(known) == 2:
            known.sort(key=lambda i: (-len(shapes[i]), self._producer[id(pair[i])][0]))
            wider = sorted(known, key=lambda i: -(shapes[i][1] if len(shapes[i]) > 1 else 0))
            known = wider if len(shapes[0]) == len(shapes[1]) and 1 in (s[1] for s in shapes if len(s) > 1) else known
        return shapes[known[0]]

    def _refusal(self, func: Any, pair: Sequence[Tensor], in_place: bool) -> Refusal:
        known = [id(t) in self._producer for t in pair]
        facts: dict[str, Any] = {"shapes": tuple(tuple(t.shape) for t in pair), "in_place": in_place}
        if all(known):
            return Refusal("product-differs", facts)
        constant = pair[known.index(False)]
        facts |= {"constant": known.index(False), "name": self.name_of(constant)}
        return Refusal("constant-differs", facts)

    def _join(self, func: Any, args: Any, kwargs: Any, operands: list[Tensor]) -> Any:
        """A concatenation or a stack."""
        name, given = _JOINS[func], list(args[0])
        if change := self.interventions.operand_changes.get(len(self.ops)):
            with self:
                given = change(given)
            operands = [t for t in given if id(t) in self._producer]
            args = (given, *args[1:])
        dim = args[1] if len(args) > 1 else kwargs.get("dim", 0)
        shapes = [tuple(t.shape) for t in given]
        if self.interventions.strict or _joinable(name, shapes, dim):
            out = func(*args, **kwargs)
            self._append(name, self._producers(operands), tuple(tuple(t.shape) for t in operands), {"dim": dim}, (out,))
            return out
        reference = self._reference(given, dim if name == "cat" else None)
        if name == "stack" and len(set(self._producers(operands))) == len(given) == 2:  # for its sum, as an addition
            reference = shapes[find_fork(self.ops, *self._producers(operands)).main]
        shape = list(reference)
        if name == "cat":
            dim %= len(reference)
            shape[dim] = sum(s[dim] if len(s) == len(reference) else 0 for s in shapes)
        else:
            shape.insert(dim % (len(reference) + 1), len(given))
        facts = {"shapes": tuple(shapes), "dim": dim, "reference": reference}
        out = given[0].new_zeros(shape)
        rule = "concat-differs" if name == "cat" else "stack-differs"
        attrs = {"dim": dim, "refusal": Refusal(rule, facts)}
        self._append(name, self._producers(operands), tuple(tuple(t.shape) for t in operands), attrs, (out,))
        return out

    def _reference(self, given: Sequence[Tensor], dim: int | None) -> Shape:
        """The shape that most operands have, apart from the joined side; of equally many, that of the earliest."""

        def rest(tensor: Tensor) -> Shape:
            shape = tuple(tensor.shape)
            return shape if dim is None else (*shape[: dim % len(shape)], *shape[dim % len(shape) + 1 :])

        counts = Counter(map(rest, given))
        made = [self._producer[id(t)][0] if id(t) in self._producer else len(self.ops) for t in given]
        best = min(range(len(given)), key=lambda i: (-counts[rest(given[i])], made[i]))
        return tuple(given[best].shape)

    def _producers(self, operands: Sequence[Tensor]) -> tuple[int, ...]:
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
        if self.limits:
            self.limits.add(size)
        source = source_line() if self.names_sources and producers else ""
        self.ops.append(Op(index, name, self.stack[-1], producers, shapes, shape, size, attrs, source))
        self._remember(index, outputs)

    def _remember(self, index: int, outputs: tuple[Tensor, ...]) -> None:
        for tensor in outputs:
            self._producer[id(tensor)] = (index, tensor)


def _joinable(name: str, shapes: Sequence[Shape], dim: int) -> bool:
    if name == "stack":
        return len(set(shapes)) == 1
    shapes = [shape for shape in shapes if shape != (0,)]  # an empty list of old
    if len({len(shape) for shape in shapes}) > 1:
        return False
    return len({(*s[: dim % len(s)], *s[dim % len(s) + 1 :]) for s in shapes}) <= 1
