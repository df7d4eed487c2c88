"""The file as coloured lines, and the lines that belong to each box of the diagram."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from ...inspection import Op, Report
from ...network.codegen.places import Places
from ...spec import ResNetSpec
from ..diagram.model import Diagram, Role
from ..kit.markup import tag

NO_CODE = "There is no PyTorch code here for an opened file. Go back to the builder's network to see its code."


@dataclass(frozen=True)
class BoxLines:
    """The lines of one box.

    Attributes:
        at: the line that is brought into view.
        lines: all of them, ascending; counted from 1.
    """

    at: int
    lines: tuple[int, ...]


def code_html(spec: ResNetSpec) -> str:
    """``source(spec)`` as HTML: an element for each line, whose texts together are the file."""
    from pygments import highlight  # not at import: only a reader who opens the pane needs it
    from pygments.formatters.html import HtmlFormatter  # the lazy index is not safe between threads
    from pygments.lexers.python import PythonLexer

    text = _places(spec).text
    marked = highlight(text, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True, classprefix="py-"))
    return "".join(
        tag("span", f"{line}\n", css="rx-line", data_line=str(number))
        for number, line in enumerate(marked.removesuffix("\n").split("\n"), start=1)
    )


def box_lines(report: Report, diagram: Diagram) -> dict[str, BoxLines]:
    """The lines of every box and frame of a diagram, by id; nothing for a network without a spec."""
    if report.spec is None:
        return {}
    places, lines_of, groups = _places(report.spec), _operation_lines(report), {n.id: n.group for n in diagram.nodes}
    members: dict[str, list[int]] = {}
    for index, owner in enumerate(diagram.owners):
        for name in (owner, *groups[owner]):
            members.setdefault(name, []).append(index)
    wholes = {node.id for node in diagram.nodes if node.role is Role.BLOCK} | {plan.path for plan in report.spec.blocks}
    found = {}
    for name, indices in members.items():
        inside = [line for index in indices for line in lines_of[index]]
        paths = dict.fromkeys(_block_path(report.trace.ops[index]) for index in indices) if name in wholes else ()
        first = [*places.stage(name), *(line for path in paths for line in places.block(path))]
        if first or inside:
            found[name] = BoxLines((first or inside)[0], tuple(sorted({*first, *inside})))
    return found


def _block_path(op: Op) -> str:
    return ".".join(op.path.split(".")[:2])


@lru_cache(maxsize=8)
def _places(spec: ResNetSpec) -> Places:
    return Places(spec)


# Reports are shared per spec, so their identity is a sound key.
@lru_cache(maxsize=8)
def _operation_lines(report: Report) -> tuple[tuple[int, ...], ...]:
    """The lines of each operation of the trace; none of the input."""
    assert report.spec is not None
    places, before = _places(report.spec), Counter[tuple[str, str]]()
    found = []
    for op in report.trace.ops:
        key = (op.path, op.name)
        found.append(() if op.name == "input" else places.operation(*key, before[key]))
        before[key] += 1
    return tuple(found)
