"""Every residual addition as a row: verdict, shapes, what happens to x, and which fixes there are at which price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from ...inspection import Finding, Fix, Merge, Report, propose_fixes
from ...inspection.joins.pytorch_error import addition_error
from ...inspection.outline import outline
from ...spec import ResNetSpec, Shortcut, to_query
from ..kit import numbers
from ..kit.markup import Cell, Row, node_link, pytorch_error, table, tag, text
from ..kit.summary import mismatches
from ..kit.theme import ROLES, SHORTCUT_ROLES
from ..kit.words import printable
from .walk import Stop, adaptation

SIGNS = {"match": "✓", "mismatch": "✕", "broadcast": "✕"}
KINDS = {**{role: ROLES[role].words for role in SHORTCUT_ROLES}, "other": "other"}
_HEAD = ("Verdict", "Block", "Shortcut", "Input x", "Branch F(x)", "Shortcut gives", "What happens")
_LONGEST = 600
NOTHING = "This network adds no two paths: there is nothing to check."


def checks(report: Report, applies: bool = False, anchors: frozenset[str] | None = None) -> str:
    """The rows, mismatches first; a row selects its addition in the diagram.

    Args:
        applies: whether fixes are buttons that apply them, not only words.
        anchors: what the blocks' names link to, as in ``node_link``.
    """
    if not report.merges and not report.findings:
        return tag("p", NOTHING, css="rx-empty")
    caption = mismatches(report) or f"All {len(report.merges)} shortcuts match"
    return table(caption, [Cell(name) for name in _HEAD], _rows(report, applies, anchors))


def fix_all(report: Report) -> tuple[ResNetSpec, int, int] | None:
    """Every finding fixed by the cheapest shortcut of its block: the network, and the parameters and multiply-adds
    that this adds. None if a finding has no such fix, or the network has no spec."""
    spec = report.spec
    cheapest = [next(_shortcuts(report, finding, spec), None) for finding in report.findings] if spec else []
    chosen = [fix for fix in cheapest if fix]
    if spec is None or not chosen or len(chosen) < len(cheapest):
        return None
    overrides = dict(spec.shortcut_overrides)
    for _, path, mode in chosen:
        overrides[path] = mode
    params, macs = (sum(getattr(fix, name) for fix, *_ in chosen) for name in ("params", "macs"))
    return spec.with_(shortcut_overrides=overrides), params, macs


def all_button(report: Report) -> str:
    """A button that applies ``fix_all``; empty if it does not fix several findings."""
    fixed = fix_all(report) if len(report.findings) > 1 else None
    if fixed is None:
        return ""
    spec, price, count = fixed[0], _price(*fixed[1:]), len(report.findings)
    return _button(f"Fix all {count} at the least cost, {price}", spec, f"{count} shortcuts fixed, {price}.")


def _price(params: int, macs: int) -> str:
    return numbers.price(params, macs) or "+0 parameters"


def _shortcuts(report: Report, finding: Finding, spec: ResNetSpec) -> Iterator[tuple[Fix, str, Shortcut]]:
    """Fixes that give one block another shortcut and change nothing else, cheapest first: fix, block and mode."""
    for fix in propose_fixes(report, finding):
        if fix.spec and fix.spec == spec.with_(shortcut_overrides=fix.spec.shortcut_overrides):
            changed = set(fix.spec.shortcut_overrides) - set(spec.shortcut_overrides)
            if len(changed) == 1:
                yield fix, *changed.pop()


def stop_html(report: Report, stop: Stop) -> str:
    """A stop of the walk: its sentences, the error PyTorch raises there, and the fixes of its addition."""
    sentences = "".join(tag("p", text(sentence)) for sentence in stop.sentences)
    node_of = outline(report).op_ids
    found = [finding for finding in report.findings if node_of[finding.op] == stop.node]
    error = pytorch_error(addition_error(report.trace.ops[found[0].op])) if found else ""
    return sentences + error + "".join(fixes(report, finding) for finding in found)


def _rows(report: Report, applies: bool, anchors: frozenset[str] | None) -> Iterator[Row]:
    found: dict[int, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.op, []).append(finding)
    for finding in report.findings:
        if finding.merge is None:
            yield _layer(report, finding, applies, anchors)
    for place, merge in sorted(enumerate(report.merges), key=lambda pair: pair[1].fits):
        yield _merge(report, place, merge, found.get(merge.op, []), applies, anchors)


def _merge(
    report: Report,
    place: int,
    merge: Merge,
    found: Sequence[Finding],
    applies: bool,
    anchors: frozenset[str] | None,
) -> Row:
    node, op = outline(report).op_ids[merge.op], report.trace.ops[merge.op]
    x = report.trace.ops[merge.fork].shape[1:] if merge.fork is not None else ()
    causes = "".join(tag("p", text(printable(finding.sentence, _LONGEST))) for finding in found)
    causes += pytorch_error(addition_error(op)) + "".join(fixes(report, finding, applies) for finding in found)
    cells = [
        Cell(f"{SIGNS[merge.verdict.value]} {merge.verdict.value}", css="verdict", key=int(merge.fits)),
        _path(merge.path, node, anchors, place),
        Cell(KINDS[merge.kind], css=merge.kind, key=KINDS[merge.kind]),
        Cell(numbers.shape(x) or "–", css="mono x", key=prod(x)),
        Cell(numbers.shape(merge.branch_shape), css="mono branch", key=prod(merge.branch_shape)),
        Cell(numbers.shape(merge.shortcut_shape), css="mono gives", key=prod(merge.shortcut_shape)),
        Cell(html=causes or tag("p", text(adaptation(report, merge))), css="cause", key=int(merge.fits)),
    ]
    return {"css": "fits" if merge.fits else "broken", "data_node": node, "data_row": str(place)}, cells


def _layer(report: Report, finding: Finding, applies: bool, anchors: frozenset[str] | None) -> Row:
    """A layer that does not match its input."""
    node, sentence = outline(report).op_ids[finding.op], printable(finding.sentence, _LONGEST)
    cells = [
        Cell(f"✕ {finding.rule}", css="verdict", key=0),
        _path(finding.path, node, anchors, -1),
        *(Cell("–", css=css, key=-1) for css in ("", "mono x", "mono branch", "mono gives")),
        Cell(html=tag("p", text(sentence)) + fixes(report, finding, applies), css="cause", key=0),
    ]
    return {"css": "broken", "data_node": node}, cells


def _path(path: str, node: str, anchors: frozenset[str] | None, key: int) -> Cell:
    return Cell(html=node_link(printable(path or "the network"), node, anchors), css="mono", key=key)


def fixes(report: Report, finding: Finding, applies: bool = True) -> str:
    """The finding's fixes with their price, cheapest first; empty if there is none."""
    named = (
        {fix: mode.words.in_block for fix, _, mode in _shortcuts(report, finding, report.spec)} if report.spec else {}
    )
    items = []
    for fix in propose_fixes(report, finding):
        name, details = named.get(fix, fix.title), f"{fix.title}\n\n{fix.snippet}"
        words = f"{name}, {_price(fix.params, fix.macs)}"
        if applies and fix.spec:
            done = f"{finding.path} now has {name}." if fix in named else f"{name}: applied."
            items.append(_button(words, fix.spec, done, details))
        else:
            items.append(tag("span", text(words), css="rx-fix", title=details))
    return tag("p", " ".join(items), css="rx-fixes") if items else ""


def _button(words: str, spec: ResNetSpec, done: str, code: str = "") -> str:
    """``ui/history/history.js`` puts ``spec`` in place of the network and then says ``done``."""
    query = f"?{to_query(spec)}"
    return tag("button", text(words), type="button", css="rx-fix", data_apply=query, data_done=done, title=code)
