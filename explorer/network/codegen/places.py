"""Which lines of ``source(spec)`` make each module and run each operation.

The generator knows what its statements do (``statements``, ``lines``). Where they are in the file, Python's own parser
says: statements are found by class, method and position, never by their text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...spec import BlockPlan, ResNetSpec, Shortcut
from . import source
from .adapters import ADAPTERS
from .blocks import Kinds, block_methods, class_names, variants
from .resnet import forward
from .statements import Methods

LineNumbers = tuple[int, ...]  # counted from 1
Step = tuple[str, LineNumbers]  # a layer or an operation, and the statement that runs it
Definition = ast.ClassDef | ast.FunctionDef
_RESNET = "ResNet"


@dataclass(frozen=True)
class Places:
    """The places of ``source(spec)``. Every result is in the order in which a reader should look at the lines."""

    spec: ResNetSpec

    @cached_property
    def text(self) -> str:
        return source(self.spec)

    def operation(self, path: str, name: str, nth: int = 0) -> LineNumbers:
        """Lines that make the module at ``path`` and that run its operation ``name``.

        Args:
            path: of the module; the network's or a block's own for what they do themselves, such as "add".
            name: as ``Op.name``.
            nth: how many equal operations of this module came before.
        """
        plan, inside = self._block(path)
        made = self._made_in_block(plan, inside) if plan else self._made_outside(path)
        called = self._called(plan, inside if plan else path, name)
        lines = [*made, *(called[min(nth, len(called) - 1)] if called else ())]
        if name == "group_norm":
            lines += _lines(self._definitions["norm"])
        return tuple(dict.fromkeys(lines))

    def block(self, path: str) -> LineNumbers:
        """Lines of a block as a whole: the head of its class, and where the network makes it."""
        plan = self._plans[path]
        return (self._definitions[self._classes[plan.shortcut_kind]].lineno, *self._blocks[path])

    def stage(self, name: str) -> LineNumbers:
        """The first line of the statement that makes a stage, and the one that runs it; nothing if there is none."""
        made = self._assigned[_RESNET].get(name)
        return (made.lineno, *(line for lines in _of(name, self._network_steps) for line in lines)) if made else ()

    # ---- what makes a module ---------------------------------------------------------------------------

    def _made_in_block(self, plan: BlockPlan, inside: str) -> LineNumbers:
        own, _, part = inside.partition(".")
        made = self._assigned[self._base].get(own)
        lines = _lines(made) if made else ()
        if own != "downsample":
            return lines
        adapter = self._definitions[ADAPTERS[plan.shortcut_kind].name]
        if part and isinstance(adapter, ast.FunctionDef):
            returned = _body(adapter)[0]
            layers = _arguments(returned.value) if isinstance(returned, ast.Return) else []
            lines = _lines(layers[int(part)]) + lines
        return (*lines, *self._blocks[plan.path])

    def _made_outside(self, path: str) -> LineNumbers:
        own, _, part = path.partition(".")
        made = self._assigned[_RESNET].get(own)
        if made is None:
            return ()
        parts = _arguments(made.value) if part else []
        return _lines(parts[int(part)] if len(parts) > 1 else made)

    @cached_property
    def _assigned(self) -> Mapping[str, Mapping[str, ast.Assign]]:
        """The statements ``self.NAME = …`` of each constructor, by class and name."""
        return {
            owner: {
                statement.targets[0].attr: statement
                for statement in self._method(owner, "__init__")
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute)
            }
            for owner in (self._base, _RESNET)
        }

    # ---- what runs it ----------------------------------------------------------------------------------

    def _called(self, plan: BlockPlan | None, layer: str, operation: str) -> list[LineNumbers]:
        """Lines of the statements that run a layer, or its owner's own operation, in the order of the forward pass."""
        step = layer.partition(".")[0] or operation
        called = _of(step, self._block_steps[plan.shortcut_kind] if plan else self._network_steps)
        if plan is None or layer != "downsample" or not plan.shortcut_kind.adapts:
            return called
        adapter = ADAPTERS[plan.shortcut_kind]
        methods = adapter.methods(self.spec)
        own = _of(operation, self._steps(adapter.name, methods, "forward")) if methods else []
        return [(*lines, *(line for call in called for line in call)) for lines in own] or called

    @cached_property
    def _network_steps(self) -> Sequence[Step]:
        return tuple(self._steps(_RESNET, {"forward": forward(self.spec)}, "forward"))

    @cached_property
    def _block_steps(self) -> Mapping[Shortcut, Sequence[Step]]:
        """What the class of the blocks with each kind of shortcut does."""
        return {
            kind: tuple(self._steps(owner, block_methods(self.spec, kinds), "forward"))
            for owner, kinds in self._variants.items()
            for kind in kinds
        }

    def _steps(self, owner: str, methods: Methods, name: str) -> Iterator[Step]:
        """As ``statements.steps``, with the place of each step's statement."""
        for statement, node in zip(methods[name].statements, self._method(owner, name), strict=True):
            for step in statement.does:
                if step in methods:
                    yield from self._steps(owner, methods, step)
                else:
                    yield step, _lines(node)

    # ---- the file --------------------------------------------------------------------------------------

    def _method(self, owner: str, name: str) -> Sequence[ast.stmt]:
        """Statements of a class's method, its own or an inherited one."""
        for class_name in (owner, self._base):
            for found in self._definitions[class_name].body:
                if isinstance(found, ast.FunctionDef) and found.name == name:
                    return _body(found)
        return ()

    def _block(self, path: str) -> tuple[BlockPlan | None, str]:
        """The block that a module is or is in, and its path there."""
        stage, _, rest = path.partition(".")
        index, _, inside = rest.partition(".")
        return self._plans.get(f"{stage}.{index}"), inside

    @cached_property
    def _variants(self) -> Mapping[str, Kinds]:
        return variants(self.spec)

    @property
    def _base(self) -> str:
        """The first block class, which the others inherit from."""
        return next(iter(self._variants))

    @cached_property
    def _classes(self) -> Mapping[Shortcut, str]:
        return class_names(self.spec)

    @cached_property
    def _plans(self) -> Mapping[str, BlockPlan]:
        return {plan.path: plan for plan in self.spec.blocks}

    @cached_property
    def _definitions(self) -> Mapping[str, Definition]:
        tree = ast.parse(self.text)
        return {found.name: found for found in tree.body if isinstance(found, ast.ClassDef | ast.FunctionDef)}

    @cached_property
    def _blocks(self) -> Mapping[str, LineNumbers]:
        """Where the network makes each block. Equal blocks in a row share the lines of a loop."""
        places: dict[str, LineNumbers] = {}
        made = self._assigned[_RESNET]
        for stage in range(1, len(self.spec.depths) + 1):
            statement = made[f"layer{stage}"]
            paths = iter(plan.path for plan in self.spec.blocks if plan.stage == stage)
            for argument in _arguments(statement.value):
                places |= {next(paths): _lines(argument) for _ in range(_count(argument))}
        return places


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    """Its statements without the docstring."""
    return function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body


def _of(name: str, steps: Iterable[Step]) -> list[LineNumbers]:
    return [lines for step, lines in steps if step == name]


def _arguments(call: ast.expr | None) -> list[ast.expr]:
    return call.args if isinstance(call, ast.Call) else []


def _count(block: ast.expr) -> int:
    """Number of blocks in an argument of a stage: a block, or ``*(block for _ in range(n))``."""
    if isinstance(block, ast.Starred) and isinstance(block.value, ast.GeneratorExp):
        loop = block.value.generators[0].iter
        if isinstance(loop, ast.Call) and isinstance(loop.args[0], ast.Constant):
            return int(str(loop.args[0].value))
    return 1


def _lines(node: ast.stmt | ast.expr | Definition) -> LineNumbers:
    return tuple(range(node.lineno, (node.end_lineno or node.lineno) + 1))
