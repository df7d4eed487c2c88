"""Statements of a forward pass that know which layers they call, so that a reader of a layer can be shown its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .layout import method


@dataclass(frozen=True)
class Code:
    """An expression or a statement.

    Attributes:
        text: one line of Python, spaced as ``ast.unparse`` does.
        does: what it evaluates, operands first: the names of layers and methods of ``self`` that it calls, and of
            operations ("add", "pad", as ``Op.name``) that it spells out.
    """

    text: str
    does: tuple[str, ...] = ()

    def through(self, layer: str) -> Code:
        """The result of a layer or a method for this input."""
        return Code(f"self.{layer}({self.text})", (*self.does, layer))

    def plus(self, other: Code) -> Code:
        return Code(f"{self.text} + {other.text}", (*self.does, *other.does, "add"))

    def assign(self, name: str) -> Code:
        return Code(f"{name} = {self.text}", self.does)

    def as_return(self) -> Code:
        return Code(f"return {self.text}", self.does)


@dataclass(frozen=True)
class Method:
    """A method that makes one tensor of another, called ``value``."""

    name: str
    value: str
    statements: tuple[Code, ...]
    doc: str = ""

    @property
    def text(self) -> str:
        """As the file has it."""
        # ``ruff format`` puts spaces around the colon before a step that is more than a name.
        lines = [statement.text.replace(", ::self", ", :: self") for statement in self.statements]
        return method(self._head, [*([f'"""{self.doc}"""'] if self.doc else []), *lines])

    @property
    def definition(self) -> str:
        """Without its docstring."""
        return method(self._head, [statement.text for statement in self.statements])

    @property
    def _head(self) -> str:
        return f"def {self.name}(self, {self.value}: torch.Tensor) -> torch.Tensor:"


Methods = Mapping[str, Method]


def steps(methods: Methods, name: str = "forward") -> Iterator[tuple[str, str]]:
    """What a method does, step by step, each with its statement; the class's own methods are walked into."""
    for statement in methods[name].statements:
        for step in statement.does:
            if step in methods:
                yield from steps(methods, step)
            else:
                yield step, statement.text
