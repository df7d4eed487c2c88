"""``compare``: the differences between two networks, in words and stage by stage."""

from __future__ import annotations

from typing import Annotated

import typer

from .inputs import Inputs, read_inputs
from .targets import Changes, Target, read_report
from .terminal import Column, console, print_json, print_table

_NUMBERS = frozenset({"Blocks", "Parameters", "MACs", "Receptive field", ""})
_OPTIONAL = frozenset({"Output", "Receptive field"})


def compare(
    target: Target,
    second: Target,
    changes: Changes = None,
    inputs: Inputs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print both networks and their parts as JSON.")] = False,
) -> None:
    """How two networks differ, and what each difference costs. --set changes the second; --input is that of both."""
    from ..views.compare.difference import HEAD, compare, table

    given = read_inputs(inputs)
    found = compare(read_report(target, None, given)[0], read_report(second, changes, given)[0])
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
