"""What the inspector says about the selected box: the verdict and the shapes first, how they come about below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...inspection import Merge, Report, Verdict
from ...inspection.joins.pytorch_error import addition_error
from ...inspection.outline import outline
from ...inspection.saved_tensors import find_saved_tensors
from ...spec import ResNetSpec
from ..diagram.model import Node, Role
from ..kit import numbers
from ..kit.hints import explained
from ..kit.markup import Cell, facts, pytorch_error, tag, text
from ..kit.same_width import same_width
from ..kit.words import op_words, output_text, printable, shape_text
from .details import details
from .formulas import (
    block_formulas,
    formulas_of_blocks,
    merge_formula,
    op_formula,
    shortcut_formulas,
    without_branch,
)
from .mismatches import elsewhere, first_error, links, list_mismatches
from .selection import Selected, link
from .shortcut_choice import concerns, control

HINT = "Click a box to see its shapes and cost; a block opens in its place."
_ATTRIBUTES = ("kernel", "stride", "padding", "dilation", "groups", "bias")


def empty(report: Report | None = None) -> str:
    """Shown before anything is clicked: what to do, every mismatch, and the network as a whole."""
    head = tag("h3", "Inspector") + tag("p", HINT, css="rx-empty")
    if report is None:
        return head
    every = [op.index for op in report.trace.ops]
    shown = [*_ends(report, every), *_costs(report, every), *_last_map(report)]
    if stop := first_error(report):
        shown[1] = ("Output", Cell("none", f"The forward pass stops at {stop.path or 'an addition'}"))
    title = "The network, if its shapes matched" if report.broken else "The network"
    network = tag("h4", title) + facts(shown, name_html=explained)
    return head + list_mismatches(report) + formulas_of_network(report) + network


def _last_map(report: Report) -> Iterator[tuple[str, Cell]]:
    if field := report.receptive_field:
        words = "of the last feature map"
        yield "Receptive field", Cell(numbers.pixels(field.size), words, css="num")
        yield "Stride in the input", Cell(numbers.pixels(field.jump), words, css="num")


def inspector(report: Report, node: Node, owners: Sequence[str] = ()) -> str:
    """Everything about ``node``.

    ``owners``: id of the box that stands for each operation, for links to what is drawn; default: their own ids.
    """
    s = Selected(report, node)
    return "".join(
        [
            tag("h3", text(printable(_heading(node)))),
            tag("p", text(printable(_kind(s))), css="rx-kind"),
            _verdict(s),
            elsewhere(s),
            control(report.spec, s.plan, node.count) if report.spec and s.plan and concerns(node) else "",
            _formulas(_formula(s)),
            _meaning(s),
            facts(_facts(s), name_html=explained),
            _neighbours(s, owners or outline(report).op_ids),
            details(s),
        ]
    )


# ---- heading and verdict -----------------------------------------------------------------------------------


def _heading(node: Node) -> str:
    if node.merge:
        return f"{node.merge.path or 'the network'} · addition"
    if node.role in (Role.OP, Role.INPUT) or len(node.ops) == 1:
        return node.id
    return node.id.replace(":", " · ")


def _kind(s: Selected) -> str:
    node = s.node
    if node.merge:
        where = f", in each of {node.count} equal blocks" if node.count > 1 else ""
        return f"The residual addition: F(x) + shortcut{where}"
    if node.role is Role.BLOCK:
        kind = s.report.trace.kinds.get(s.path, "Block")
        return f"{kind} × {node.count}: equal blocks in a row" if node.count > 1 else f"{kind}, a residual block"
    if node.role is Role.STEM:
        return node.lines[1] if len(node.lines) > 1 else ""
    if s.single:
        return op_words(s.single)
    return "The shortcut: gives x the shape of F(x)" if _is_shortcut(node) else "Read by both paths"


def _is_shortcut(node: Node) -> bool:
    return node.id.endswith(":shortcut")


def _verdict(s: Selected) -> str:
    inside = [s.node.merge] if s.node.merge else [m for m in s.report.merges if m.op in set(s.indices)]
    if not inside:
        return ""
    broken = [merge for merge in inside if not merge.fits]
    if len(inside) == 1:
        error = addition_error(s.report.trace.ops[inside[0].op])
        return _finding(inside[0].explanation, not broken) + pytorch_error(error)
    if not broken:
        return _finding(f"All {len(inside)} shortcuts inside match.", True)
    words = f"{len(broken)} of {len(inside)} shortcuts inside {'does' if len(broken) == 1 else 'do'} not match: "
    return tag("p", f"✕ {text(words)}{links(s.report, (merge.op for merge in broken))}", css="rx-finding broken")


def _finding(words: str, fits: bool) -> str:
    return tag("p", text(f"{'✓' if fits else '✕'} {words}"), css=f"rx-finding {'fits' if fits else 'broken'}")


# ---- formula, facts, links ---------------------------------------------------------------------------------


def _formula(s: Selected) -> Iterator[str]:
    merge, spec = s.node.merge, s.report.spec
    if spec and s.plan and (merge or s.node.role is Role.BLOCK):
        yield from block_formulas(spec, s.plan)
    elif spec and s.plan and _is_shortcut(s.node):
        yield from shortcut_formulas(spec, s.plan)
    elif merge:
        yield merge_formula(merge.kind)
    elif s.single:
        yield op_formula(s.single)


def _meaning(s: Selected) -> str:
    """What the block would give without its branch, and what a bottleneck saves."""
    if not s.report.spec or not s.plan or not (s.node.merge or s.node.role is Role.BLOCK):
        return ""
    if any(merge.path == s.path for merge in s.report.broken):
        return tag("p", "The block cannot compute this: the shapes do not match.", css="rx-where")
    words = [without_branch(s.report.spec, s.plan)]
    if s.report.spec.block.is_bottleneck and s.node.role is Role.BLOCK:
        words.append(text(same_width(s.report.spec, s.plan)))
    return "".join(tag("p", each, css="rx-where") for each in words if each)


def formulas_of_network(report: Report) -> str:
    """The equation of each block; if the blocks differ, which of them have which. Empty for a foreign network."""
    if report.spec is None:
        return ""
    if report.broken:
        return _formulas_of_blocks(report.spec) + tag("p", text(_listed_broken(report)), css="rx-where")
    return _formulas_of_blocks(report.spec)


def _listed_broken(report: Report) -> str:
    broken = [merge.path for merge in report.broken]
    where = f"because shapes do not match: {_listed(broken)}"
    return f"{len(broken)} of {len(report.merges)} blocks cannot compute it, {where}."


def _formulas_of_blocks(spec: ResNetSpec) -> str:
    *rarer, (most, paths) = formulas_of_blocks(spec).items()
    if not rarer:
        return tag("h4", "Each block") + _formulas([most])
    each = [_formulas([formula]) + tag("p", text(_listed(where)), css="rx-where") for formula, where in rarer]
    others = f"The other {len(paths)} blocks" if len(paths) > 1 else paths[0]
    return tag("h4", "Each block") + "".join(each) + _formulas([most]) + tag("p", text(others), css="rx-where")


def _listed(paths: Sequence[str], most: int = 6) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return f"{', '.join(paths[:most])}{more}"


def _formulas(lines: Iterable[str]) -> str:
    """The equation, and what its letters are below it."""
    shown = [line for line in lines if line]
    first = "".join(tag("p", line, css="rx-formula") for line in shown[:1])
    return first + "".join(tag("p", line, css="rx-where") for line in shown[1:])


def _facts(s: Selected) -> Iterator[tuple[str, Cell]]:
    merge = s.node.merge
    if merge:
        yield from _operands(merge)
    if merge and merge.verdict is Verdict.MISMATCH:
        yield "Output", Cell("none", "What follows, memory too, is shown as if the branch had gone on alone")
    else:
        yield from _ends(s.report, s.indices, with_input=merge is None)
    yield from _costs(s.report, s.indices, " each" if s.node.count > 1 else "")
    yield from _seen(s)
    if s.single:
        shown = ((name, s.single.attrs[name]) for name in _ATTRIBUTES if name in s.single.attrs)
        yield from ((name.capitalize(), Cell(_value(value), css="mono")) for name, value in shown)


def _operands(merge: Merge) -> Iterator[tuple[str, Cell]]:
    yield "Branch F(x)", Cell(numbers.shape(merge.branch_shape), css="mono")
    yield "Shortcut", Cell(numbers.shape(merge.shortcut_shape), css="mono")


def _ends(report: Report, ops: Sequence[int], with_input: bool = True) -> Iterator[tuple[str, Cell]]:
    first, last = report.trace.ops[ops[0]], report.trace.ops[ops[-1]]
    entered = first.in_shapes[0] if first.in_shapes else first.shape
    if with_input and (first.in_shapes or len(ops) > 1):
        yield "Input", Cell(shape_text(entered), css="mono")
    yield "Output", Cell(output_text(last), css="mono")


def _costs(report: Report, ops: Sequence[int], each: str = "") -> Iterator[tuple[str, Cell]]:
    trace = report.trace
    params = sum(trace.params.get(path, 0) for path in dict.fromkeys(trace.ops[i].path for i in ops))
    macs, made = sum(trace.ops[i].macs for i in ops), sum(trace.ops[i].bytes for i in ops)
    kept = find_saved_tensors(trace)
    held = sum(kept[i].bytes for i in ops)
    yield f"Parameters{each}", Cell(numbers.exact(params), css="num")
    yield f"MACs{each}", Cell(numbers.macs(macs) if macs else "0", f"{numbers.exact(macs)} multiply-adds", css="num")
    batch = "one image" if report.input_size[0] == 1 else f"{report.input_size[0]} images"
    for name, size, words in (
        ("Activations, forward", made, "all outputs"),
        ("Saved for backward", held, "what autograd saves of these outputs, of norms' statistics and pools' positions"),
    ):
        yield f"{name}{each}", Cell(numbers.size(size), f"{numbers.exact(size)} bytes: {words}; {batch}", css="num")


def _seen(s: Selected) -> Iterator[tuple[str, Cell]]:
    """Receptive field and stride; of a run, from its first block to its last one."""
    report, ops = s.report, s.indices
    field = report.receptive_fields[ops[-1]]
    if field is None:
        yield "Receptive field", Cell("the whole map")
        return
    last = report.receptive_fields[s.run[-1].ops[-1]] if s.run else None
    grown = f"{numbers.exact(field.size)} … {numbers.pixels(last.size)}" if last else numbers.pixels(field.size)
    yield "Receptive field", Cell(grown, "of the first block to the last" if last else "", css="num")
    yield "Stride in the input", Cell(numbers.pixels(field.jump), css="num")


def _neighbours(s: Selected, owners: Sequence[str]) -> str:
    """Links to what it reads, and to what reads it; of a run, to what its first block reads and its last one feeds."""
    merge, ops = s.node.merge, s.report.trace.ops
    shift = s.run[-1].ops[0] - s.run[0].ops[0] if s.run else 0
    first, last = set(s.indices), {i + shift for i in s.indices}
    before = dict.fromkeys(owners[i] for op in map(ops.__getitem__, s.indices) for i in op.inputs if i not in first)
    readers = (op for op in ops if op.index not in last and last.intersection(op.inputs))
    after = dict.fromkeys(owners[op.index] for op in readers)
    sides = {}
    if merge:
        sides = {owners[i]: "Branch" if i in merge.branch else "Shortcut" for i in ops[merge.op].inputs}
    blocks = {name for name in after if f"{name}:add" in after}  # read by their branch and, as the shortcut, their sum
    pairs = [(sides.get(name, "From"), name) for name in before]
    pairs += [("To", name) for name in after if name.removesuffix(":add") not in blocks or name in blocks]
    items = (
        f"{tag('span', text(words))} {link(name)}{' (branch and shortcut)' * (name in blocks)}"
        for words, name in pairs[:12]
    )
    return tag("p", "<br>".join(items), css="rx-neighbours") if pairs else ""


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return numbers.shape(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
