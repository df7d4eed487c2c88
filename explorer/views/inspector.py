"""What is known of the thing that was clicked."""

from __future__ import annotations

from collections.abc import Iterator

from ..inspection import Report
from . import numbers
from .diagram import Node, Role
from .markup import Cell, facts, tag, text
from .words import op_words, printable, shape_text

_FORMULAS = {
    "identity": "y = F(x) + x",
    "projection": "y = F(x) + W·x",
    "zero_pad": "y = F(x) + pad(x)",
    "other": "y = F(x) + s(x)",
}
HINT = "Click a box to see its shapes and cost; a block opens where it stands."


def empty() -> str:
    """Shown before anything is clicked."""
    return tag("h3", "Inspector") + tag("p", HINT, css="rx-empty")


def inspector(report: Report, node: Node) -> str:
    """Heading, one sentence, shapes and costs of ``node``."""
    head = tag("h3", text(printable(_heading(node))))
    return head + _verdict(node) + facts(_facts(report, node)) + _operations(report, node)


def _heading(node: Node) -> str:
    if node.merge:
        return f"{node.merge.path or 'the network'} · sum"
    return node.id if node.role is Role.OP else node.lines[0]


def _verdict(node: Node) -> str:
    if node.merge is None:
        return ""
    css = "fits" if node.merge.fits else "broken"
    formula = tag("p", tag("code", text(_FORMULAS[node.merge.kind])), css="rx-formula")
    return formula + tag(
        "p", text(f"{'✓' if node.merge.fits else '✕'} {node.merge.explanation}"), css=f"rx-finding {css}"
    )


def _facts(report: Report, node: Node) -> Iterator[tuple[str, Cell]]:
    ops = [report.trace.ops[i] for i in node.ops]
    if node.merge:
        yield "Branch F(x)", Cell(numbers.shape(node.merge.branch_shape), css="mono")
        yield "Shortcut", Cell(numbers.shape(node.merge.shortcut_shape), css="mono")
    elif ops[0].in_shapes:
        yield "Input", Cell(shape_text(ops[0].in_shapes[0]), css="mono")
    yield "Output", Cell(shape_text(ops[-1].shape), css="mono")
    owners = dict.fromkeys(op.path for op in ops)
    params = sum(report.trace.params.get(path, 0) for path in owners)
    macs = sum(op.macs for op in ops)
    each = " each" if node.count > 1 else ""
    if params:
        yield f"Parameters{each}", Cell(numbers.exact(params), css="num")
    if macs:
        yield f"Multiply-adds{each}", Cell(numbers.macs(macs), numbers.exact(macs), css="num")
    memory = sum(op.bytes for op in ops)
    yield (
        f"Activations{each}",
        Cell(numbers.size(memory), f"{numbers.exact(memory)} bytes, float32, one image", css="num"),
    )
    field = report.receptive_fields[ops[-1].index]
    if field:
        yield "Receptive field", Cell(numbers.pixels(field.size), css="num")
        yield "Stride in the input", Cell(numbers.pixels(field.jump), css="num")


def _operations(report: Report, node: Node) -> str:
    if len(node.ops) < 2:
        attrs = report.trace.ops[node.ops[0]].attrs
        shown = {
            k: v
            for k, v in attrs.items()
            if k in ("kernel", "stride", "padding", "dilation", "groups", "bias", "step", "pad")
        }
        return facts((name.capitalize(), Cell(_value(value), css="mono")) for name, value in shown.items())
    items = "".join(tag("li", text(op_words(report.trace.ops[i]))) for i in node.ops)
    return tag("h4", "Operations") + tag("ol", items, css="rx-ops")


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
