"""What the shortcut options cost in one network: parameters, multiply-adds, memory, and the errors of the paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from ...errors import ExplorerError
from ...inspection import Report, inspect
from ...inspection.saved_tensors import find_saved_tensors
from ...spec import ResNetSpec, Shortcut, to_query
from ..kit import numbers
from ..kit.markup import Cell, Row, table, tag, text
from ..kit.theme import LOOKS, ROLES, Look, plotly_layout

# Top-1 and top-5 error in % on ImageNet's validation set, 10-crop testing (He et al. 2015, Table 3): plain-34 and
# ResNet-34 with options A, B and C.
REPORTED = {
    Shortcut.NONE: (28.54, 10.02),
    Shortcut.ZERO_PAD: (25.03, 7.76),
    Shortcut.PROJECTION: (24.52, 7.46),
    Shortcut.PROJECTION_ALL: (24.19, 7.40),
}
SOURCE = (
    "Errors are those of ResNet-34 (None: of the plain network of 34 layers) on ImageNet's validation set, 10-crop "
    "testing, as He et al. 2015 report them in Table 3. They are not measured here."
)
_NOTES = (
    "Memory is for one image in float32: all outputs of the forward pass, and those that are saved for backward. "
    "Option A's strided slices count as outputs, although PyTorch does not copy them. In the chart the plain network "
    "is solid, and what the shortcuts add is hatched."
)


@dataclass(frozen=True)
class OptionCost:
    """A network with one shortcut mode everywhere.

    Attributes:
        spec: the network, without shortcuts of single blocks.
        params: parameters.
        macs: multiply-adds of one image.
        activations: bytes of all outputs of the forward pass, one image, float32.
        saved: bytes that are saved for backward, one image, float32.
        broken, merges: residual additions whose shapes do not match, and all of them.
        errors: top-1 and top-5 that the paper reports for ResNet-34, %; None if it reports none.
    """

    mode: Shortcut
    spec: ResNetSpec
    params: int
    macs: int
    activations: int
    saved: int
    broken: int
    merges: int
    errors: tuple[float, float] | None


def costs(spec: ResNetSpec) -> tuple[OptionCost, ...]:
    """One for each mode, in the order A, B, C, identity, none; a mode that leaves the bounds of a spec is left out."""
    return tuple(_costs(spec))


def _costs(spec: ResNetSpec) -> Iterator[OptionCost]:
    for mode in Shortcut:
        try:
            report = inspect(spec.with_(shortcut=mode, shortcut_overrides=()))
        except ExplorerError:
            continue
        yield _cost(mode, report)


def _cost(mode: Shortcut, report: Report) -> OptionCost:
    assert report.spec is not None  # it was inspected from one
    saved = sum(piece.bytes for piece in find_saved_tensors(report.trace))
    totals = (report.params, report.macs, report.activation_bytes, saved)
    return OptionCost(mode, report.spec, *totals, len(report.broken), len(report.merges), REPORTED.get(mode))


# ---- the table ---------------------------------------------------------------------------------------------

_COLUMNS: tuple[tuple[str, str, Callable[[OptionCost], int], Callable[[float], str]], ...] = (
    ("Parameters", "parameters", lambda cost: cost.params, numbers.count),
    ("MACs", "multiply-adds of one image", lambda cost: cost.macs, numbers.macs),
    ("Activations, forward", "bytes: all outputs of the forward pass", lambda cost: cost.activations, numbers.size),
    ("Saved for backward", "bytes: what training saves of the forward pass", lambda cost: cost.saved, numbers.size),
)


def cost_table(spec: ResNetSpec) -> str:
    """The modes as rows, each amount with what it is above A; this network's own mode is marked."""
    rows = costs(spec)
    head = [
        Cell("Shortcut"),
        Cell("", names=False),
        *(Cell(name, css="num") for name, *_ in _COLUMNS),
        Cell("Error of ResNet-34", "top-1 and, below it, top-5, as the paper reports them", css="num"),
    ]
    caption = "The same network with each shortcut mode in every block; below each amount, its difference from A"
    own = " Shortcuts of single blocks are left out of the rows." if spec.shortcut_overrides else ""
    return table(caption, head, (_row(cost, rows, spec) for cost in rows)) + tag(
        "p", text(f"{SOURCE} {_NOTES}{own}"), css="rx-note"
    )


def _row(cost: OptionCost, rows: Sequence[OptionCost], spec: ResNetSpec) -> Row:
    first = rows[0]
    chosen = cost.spec == spec
    css = "broken" if cost.broken else "fits"
    fits = f"✓ {cost.merges} of {cost.merges} match" if cost.merges else "no shortcuts"
    if cost.broken:
        fits = f"✕ {cost.broken} of {cost.merges} {'does' if cost.broken == 1 else 'do'} not match"
    amounts = [_amount(cost, first, value, shown, words) for _, words, value, shown in _COLUMNS]
    action = Cell("current", css="use") if chosen else Cell(html=_use(cost), css="use")
    match = tag("small", text(fits), css="verdict" if cost.merges else "")
    cells = [Cell(html=text(cost.mode.label) + match, names=True), action, *amounts, _errors(cost)]
    return {"css": f"{css}{' selected' if chosen else ''}"}, cells


def _use(cost: OptionCost) -> str:
    done = f"Every block has the shortcut “{cost.mode.label}” now."
    query = f"?{to_query(cost.spec)}"
    label = f"Use {cost.mode.label}"
    return tag("button", "Use", type="button", css="rx-fix", data_apply=query, data_done=done, aria_label=label)


def _amount(
    cost: OptionCost, first: OptionCost, value: Callable[[OptionCost], int], shown: Callable[[float], str], words: str
) -> Cell:
    amount, above = value(cost), value(cost) - value(first)
    sign = "+" if above > 0 else numbers.MINUS
    difference = "" if cost is first else f"{sign}{shown(abs(above))}" if above else f"as {first.mode.words.short}"
    html = text(shown(amount)) + (tag("small", difference) if difference else "")
    return Cell(html=html, exact=f"{numbers.exact(amount)} {words}", css="num")


def _errors(cost: OptionCost) -> Cell:
    if cost.errors is None:
        return Cell("–", css="num")
    top1, top5 = (f"{error:.2f} %" for error in cost.errors)
    return Cell(html=text(top1) + tag("small", text(f"top-5 {top5}")), css="num")


# ---- the chart ---------------------------------------------------------------------------------------------

_GAP = 0.1


def cost_figure(spec: ResNetSpec) -> go.Figure:
    """Three plots, one below the other: parameters, multiply-adds of one image, and what is saved for backward.

    A bar is the plain network followed by what the shortcuts add. Modes whose shapes do not match are left out: such a
    network does not run.
    """
    running = [cost for cost in costs(spec) if not cost.broken]
    plain = next((cost for cost in running if cost.mode is Shortcut.NONE), None)
    panels = [(name, value, words) for name, _, value, words in _COLUMNS if name != "Activations, forward"]
    figure = go.Figure(layout=_layout([name for name, *_ in panels]))
    for place, (name, value, words) in enumerate(panels, start=1):
        for part in _bars(running, plain, value, words):
            figure.add_trace(part.update(xaxis=f"x{place}", yaxis=f"y{place}", name=name))
    return figure


def _bars(
    shown: Sequence[OptionCost],
    plain: OptionCost | None,
    value: Callable[[OptionCost], int],
    words: Callable[[float], str],
) -> Iterator[go.Bar]:
    """Every mode's bar up to the plain network, then the rest of each."""
    base = value(plain) if plain else 0
    labels = [cost.mode.words.short for cost in shown]
    below = [min(value(cost), base) for cost in shown]
    style = {"orientation": "h", "y": labels, "showlegend": False, "hovertemplate": "%{hovertext}<extra></extra>"}
    yield go.Bar(
        x=below, hovertext=[f"plain network: {words(base)}"] * len(shown), **_painted(LOOKS[Shortcut.NONE]), **style
    )
    for cost, label in zip(shown, labels, strict=True):
        added = max(0, value(cost) - base)
        total = f"{words(value(cost))}"
        yield go.Bar(
            x=[added],
            text=[total],
            textposition="outside",
            cliponaxis=False,
            hovertext=[f"{cost.mode.label}: {total}<br>{numbers.exact(added)} above the plain network"],
            **_painted(LOOKS[cost.mode]),
            **{**style, "y": [label]},
        )


def _painted(look: Look) -> dict[str, Any]:
    colour, pattern = ROLES[look.role].colour, look.pattern
    fill = {"shape": pattern, "fillmode": "replace", "fgcolor": colour, "size": 6}
    return {"marker": {"color": colour, "line": {"color": colour, "width": 1}, "pattern": fill if pattern else {}}}


def _layout(names: Sequence[str]) -> dict[str, Any]:
    # Room at the right for the totals behind the bars.
    layout = plotly_layout(barmode="stack", bargap=0.3, height=420, margin={"l": 56, "r": 88, "t": 32, "b": 8})
    across, down = layout.pop("xaxis"), layout.pop("yaxis")
    height = (1 - _GAP * (len(names) - 1)) / len(names)
    for place, name in enumerate(names, start=1):
        top = 1 - (place - 1) * (height + _GAP)
        bare = {"ticks": "", "showgrid": False}
        title = {"text": name, "standoff": 4, "font": {"size": 12}}
        layout[f"xaxis{place}"] = {
            **across, **bare, "anchor": f"y{place}", "side": "top", "title": title, "showline": False,
            "rangemode": "tozero", "showticklabels": False,
        }  # fmt: skip
        layout[f"yaxis{place}"] = {
            **down, **bare, "anchor": f"x{place}", "domain": [max(0.0, top - height), top], "autorange": "reversed",
        }  # fmt: skip
    return layout
