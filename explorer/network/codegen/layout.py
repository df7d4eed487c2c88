"""Lines of Python laid out as ``ruff format`` does at 100 columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import indent

COLUMNS = 100


def class_text(name: str, base: str, doc: str, methods: Iterable[str]) -> str:
    body = "\n\n".join([f'"""{doc}"""', *methods])
    return f"class {name}({base}):\n{indent(body, ' ' * 4)}"


def method(head: str, lines: Iterable[str]) -> str:
    return f"{head}\n" + indent("\n".join(lines), " " * 4)


def wrap_arguments(head: str, arguments: Sequence[str], tail: str = "", *, margin: int) -> str:
    """``head(arguments)tail`` on one line, or with a line for each argument where it is too long at ``margin``."""
    line = f"{head}({', '.join(arguments)}){tail}"
    if "\n" not in line and margin + len(line) < COLUMNS:
        return line
    return f"{head}(\n" + "".join(indent(argument, " " * 4) + ",\n" for argument in arguments) + f"){tail}"


def times(*sizes: int) -> str:
    return "x".join(map(str, sizes))
