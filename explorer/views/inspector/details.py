"""The inspector below its facts: how the numbers come about, the place in the paper, the code, what is inside."""

from __future__ import annotations

from collections.abc import Iterator

from ...inspection import Op
from ...inspection.outline import op_name, outline, run_id, runs
from ...inspection.saved_tensors import find_saved_tensors
from ..diagram.model import Role
from ..kit import numbers
from ..kit.markup import Cell, facts, tag, text
from ..kit.words import op_words, printable
from .arithmetic import op_sums, params_sum, path_sums
from .code_lines import Lines, block_lines, loose_lines, merge_lines, stage_lines
from .paper import Place, block_place, head_place, stage_place, stem_place
from .selection import Selected, link

_MOST_LISTED = 40


def details(selected: Selected) -> str:
    """Sections with a heading each; one that has nothing to say is left out."""
    sums = facts(_sums(selected), "rx-sums")
    return "".join(
        [
            _section("How the numbers come about", sums),
            _section("In the paper", _paper(_place(selected))),
            _code(_lines(selected)),
            _section("Inside", _inside(selected)),
        ]
    )


def _section(title: str, content: str) -> str:
    return tag("h4", title) + content if content else ""


def _sums(s: Selected) -> Iterator[tuple[str, Cell]]:
    if op := s.single:
        sums = ((name, words) for name, words in op_sums(s.report, op) if "=" in words)
        yield from ((name, Cell(words, css="mono")) for name, words in sums)
        if op.name != "input":
            yield "Saved for backward", Cell(_reading(s, op))
    elif s.node.role is not Role.STEM or len(s.indices) < _MOST_LISTED:
        if words := params_sum(s.report, s.indices):
            yield "Parameters", Cell(words, css="mono")
        yield from ((printable(name), Cell(words, css="mono")) for name, words in path_sums(s.report, s.indices))


def _reading(s: Selected, op: Op) -> str:
    """Which operations read its output again in the backward pass."""
    held, ops = find_saved_tensors(s.report.trace)[op.index], s.report.trace.ops
    names = ["itself" if i == op.index else printable(op_name(ops[i], s.report)) for i in held.readers]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    words = f"Its output, read again by {', '.join(names[:3])}{more}" if held.output else ""
    if held.statistics:
        words += f"{'; and ' if words else ''}{numbers.exact(held.statistics)} bytes of its own"
    return f"{words}." if words else "Nothing: the backward pass does not read its output again."


def _place(s: Selected) -> Place | None:
    unit, spec, ops = s.unit, s.report.spec, s.report.trace.ops
    if spec is None or unit is None:
        return None
    if unit.id in ("stem", "head"):
        return stem_place(spec) if unit.id == "stem" else head_place(spec)
    if s.plan:
        block = next((b for b in unit.blocks if b.path == s.path), unit)
        return block_place(spec, s.plan, ops[block.ops[-1]].shape[-1], s.node.count)
    stage = next((p.stage for p in spec.blocks if p.path.partition(".")[0] == unit.id), None)
    return stage_place(spec, stage, ops[s.indices[-1]].shape[-1]) if stage else None


def _paper(place: Place | None) -> str:
    if place is None:
        return ""
    where = place.where + (":" if place.says else "")
    says = tag("p", text(place.says), css="rx-says") if place.says else ""
    differs = "".join(tag("p", text(words), css="rx-differs") for words in place.differs)
    notes = "".join(tag("p", text(words), css="rx-where") for words in place.notes)
    return tag("p", text(where)) + says + differs + notes


def _lines(s: Selected) -> Lines:
    if s.node.merge:
        return merge_lines(s.report, s.node.merge.path)
    if s.node.role is Role.BLOCK:
        return block_lines(s.report, s.path)
    if s.node.role is Role.STEM and s.unit and s.unit.path:
        return stage_lines(s.report, s.unit.path)
    return loose_lines(s.report, [s.report.trace.ops[i] for i in s.node.ops])


def _code(lines: Lines) -> str:
    """The lines, with a button that copies them and one that shows them in the whole file."""
    shown = "\n\n".join(filter(None, (lines.makes, lines.calls)))
    if not shown:
        return ""
    code = "".join(tag("span", text(line)) for line in shown.split("\n"))
    copy = tag("button", "Copy", type="button", css="rx-copy")
    whole = tag("button", "In the whole file", type="button", css="rx-copy", data_code="open")
    return tag("h4", f"In PyTorch {tag('span', whole + copy)}") + tag("pre", tag("code", code), css="rx-code")


def _inside(s: Selected) -> str:
    """What it is made of, each a link; of a stage its blocks."""
    if len(s.indices) < 2:
        return ""
    if s.node.role is Role.STEM and s.unit and s.unit.blocks:
        names = [(run_id(run), "") for run in runs(s.report, s.unit.blocks)]
    else:
        ids = outline(s.report).op_ids
        names = [(ids[i], op_words(s.report.trace.ops[i])) for i in s.indices]
    items = [tag("li", f"{link(name)} {text(words)}") for name, words in names[:_MOST_LISTED]]
    if len(names) > _MOST_LISTED:
        items.append(tag("li", f"… and {len(names) - _MOST_LISTED} more"))
    return tag("ol", "".join(items), css="rx-ops")
