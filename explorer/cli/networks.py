"""``inspect``, ``diagram`` and ``code``: commands that need no weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UnknownNetworkError
from .check import verdict
from .inputs import Inputs, read_inputs
from .targets import Changes, Target, read_report, read_target
from .terminal import BAD, GOOD, QUIET, Column, console, output_path, print_json, print_table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ..inspection import Layer, Merge, Report

_COLUMNS = (
    Column("layer"),
    Column("type", optional=True),
    Column("output"),
    Column("params", number=True, optional=True),
    Column("MACs", number=True, optional=True),
    Column("sum"),
)
_MODULE_COLUMNS = (Column("module"), Column("type", optional=True), Column("tensors"), Column("elements", number=True))
MAX_MODULES = 1000


def inspect(
    target: Target,
    changes: Changes = None,
    inputs: Inputs = None,
    depth: Annotated[
        int, typer.Option(min=1, help="Levels of the tree: 1 stages, 2 blocks, 3 layers, more for nested modules.")
    ] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print totals and shortcuts as JSON.")] = False,
) -> None:
    """Show layers, shapes, costs and shortcuts of a network."""
    try:
        report, notes = read_report(target, changes, read_inputs(inputs))
    except UnknownNetworkError as error:
        if not as_json:
            _print_modules(error.weights)
        raise
    if as_json:
        print_json(report.to_dict() | ({"notes": notes} if notes else {}))
        return
    out = console()
    print_table(out, _COLUMNS, list(_tree(report, depth)))
    out.print()
    out.print(_totals(report), soft_wrap=True)
    out.print(verdict(report), soft_wrap=True)
    _print_notes(out, notes)


def diagram(
    target: Target,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE.svg", help="The file to write.")],
    changes: Changes = None,
    inputs: Inputs = None,
) -> None:
    """Draw a network as SVG, with repeated blocks collapsed. Needs Graphviz."""
    from ..views.diagram.model import default_open
    from ..views.diagram.svg import render, standalone

    path = output_path(output, ".svg")
    report, notes = read_report(target, changes, read_inputs(inputs))
    path.write_text(standalone(render(report, default_open(report))), encoding="utf-8")
    typer.echo(f"{report.name}: wrote {output}")
    _print_notes(console(), notes)


def code(
    target: Target,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE.py", help="File to write. Default: print the code.")
    ] = None,
    changes: Changes = None,
) -> None:
    """Write a network as one PyTorch file that needs only torch."""
    from ..network.codegen import source
    from ..spec import title

    path = None if output is None else output_path(output, ".py")
    spec = read_target(target, changes)
    if path is None:
        typer.echo(source(spec), nl=False)
        return
    path.write_text(source(spec), encoding="utf-8")
    typer.echo(f"{title(spec)}: wrote {output}")


def branches(depths: Sequence[int]) -> list[str]:
    """Draw the branches before a tree's rows: levels 1, 2, 2, 1 -> "├─ ", "│  ├─ ", "│  └─ ", "└─ "."""
    prefixes = []
    open_levels: set[int] = set()  # levels with a later row; rows are read from the end
    for depth in reversed(depths):
        lines = "".join("│  " if level in open_levels else "   " for level in range(1, depth))
        prefixes.append(lines + ("├─ " if depth in open_levels else "└─ "))
        open_levels = {level for level in open_levels if level < depth} | {depth}
    return prefixes[::-1]


def _tree(report: Report, depth: int) -> Iterator[tuple[str | Text, ...]]:
    """Rows of the layers down to a nesting level, without ``nn.Identity``."""
    from ..views.kit import numbers

    rows = [row for row in report.layers if 0 < row.depth <= depth and row.kind != "Identity"]
    merges = {merge.path: merge for merge in report.merges}
    for layer, branch in zip(rows, branches([row.depth for row in rows]), strict=True):
        macs = 0 if layer.repeated else report.macs_by_module.get(layer.path, 0)
        yield (
            branch + _name(layer),
            layer.kind,
            numbers.shape(layer.out_shape[1:]),
            numbers.count(layer.params) if layer.params else "",
            numbers.macs(macs).removesuffix("MACs").rstrip() if macs else "",
            _sum(merges.get(layer.path)),
        )


def _name(layer: Layer) -> str:
    """Full path for stages and blocks, as in a spec; only the last part for layers inside them."""
    return layer.path if layer.depth <= 2 else layer.path.rpartition(".")[2]


def _sum(merge: Merge | None) -> Text:
    """The kind of the block's shortcut, and whether its shape matches."""
    from rich.text import Text

    if merge is None:
        return Text()
    kind = merge.kind.replace("_", "-")
    return Text(f"✓ {kind}", GOOD) if merge.fits else Text(f"✕ {kind}", BAD)


def _print_modules(weights: Any) -> None:
    """The modules of a weight file whose network is not recognised."""
    from ..views.kit import numbers
    from ..views.kit.words import printable
    from ..views.model_file.tree import module_rows

    rows = module_rows(weights)
    cells = [(printable(r.path), printable(r.kind), printable(r.tensors, 200), numbers.count(r.elements)) for r in rows]
    print_table(console(), _MODULE_COLUMNS, cells[:MAX_MODULES])
    if len(rows) > MAX_MODULES:
        typer.echo(f"… and {len(rows) - MAX_MODULES:,} more modules")


def _print_notes(out: Console, notes: Sequence[str]) -> None:
    """Print notes on the file that the network was read from."""
    for note in notes:
        out.print(note, style=QUIET, soft_wrap=True)


def _totals(report: Report) -> str:
    from ..views.kit import numbers

    field = report.receptive_field
    given = "an image" if len(report.input_size) == 4 else "an input"
    parts = [
        report.name,
        f"{numbers.exact(report.params)} parameters",
        f"{numbers.macs(report.macs)} for {given} of {numbers.shape(report.input_size[1:])}",
        *([f"receptive field {numbers.pixels(field.size)}"] if field else []),
    ]
    return " · ".join(parts)
