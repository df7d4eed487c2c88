"""``compare``: the differences between two networks, in words and stage by stage."""

from __future__ import annotations

from typing import Annotated

import typer

from .targets import Changes, Target, read_target
from .terminal import Column, console, print_json, print_table

_NUMBERS = frozenset({"Blocks", "Parameters", "MACs", "Receptive field", ""})
_OPTIONAL = frozenset({"Output", "Receptive field"})


def compare(
    target: Target,
    second: Target,
    changes: Changes = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print both networks and their parts as JSON.")] = False,
) -> None:
    """How two networks differ, and what each difference costs. --set changes the second."""
    from ..inspection import inspect
    from ..views.compare.difference import HEAD, compare, table

    found = compare(inspect(read_target(target)), inspect(read_target(second, changes)))
    if as_json:
        print_json(found.to_dict())
        return
    out = console()
    for line in filter(None, (found.structure, found.same_width, found.total, *found.lines)):
        out.print(line, soft_wrap=True)
    out.print()
    columns = [
        Column(name if name == "MACs" else name.lower(), number=name in _NUMBERS, optional=name in _OPTIONAL)
        for name in HEAD
    ]
    print_table(out, columns, list(table(found)))
