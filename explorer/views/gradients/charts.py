"""Depth sweeps and path lengths as plotly figures, and what they show in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ...spec import title
from ..kit.numbers import magnitude, percent
from ..kit.theme import ROLES, plotly_layout, translucent
from .quantity import drawable, log_axis, spread

if TYPE_CHECKING:
    from ...gradients import SweepPoint
    from ...gradients.path_lengths import PathLengths

# By plain, normalised: colour, dash and marker; each alone tells the curves apart.
_LOOKS = {
    (False, True): (ROLES["identity"].colour, "solid", "circle"),
    (False, False): (ROLES["identity"].colour, "dot", "circle-open"),
    (True, True): (ROLES["main"].colour, "solid", "diamond"),
    (True, False): (ROLES["main"].colour, "dot", "diamond-open"),
}


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def sweep_figure(points: Sequence[SweepPoint]) -> go.Figure:
    """First-to-last gradient ratio against depth, one curve for each of residual and plain, with and without norm.

    Bars span the least and the greatest of the batches, or of the seeds. What a logarithmic axis cannot hold leaves a
    gap and is counted in the legend.
    """
    depths = sorted({point.depth for point in points})
    axis = log_axis([v for p in points for v in (p.ratio, p.low, p.high)], "‖∂L/∂W‖₂ of the first layer ÷ the last")
    figure = go.Figure(
        layout=plotly_layout(
            xaxis={"title": {"text": "layers with weights"}, "tickvals": depths, "uirevision": str(depths[-1:])},
            yaxis=axis,
            hovermode="closest",
            uirevision="sweep",
        )
    )
    for kind, look in _LOOKS.items():
        of_kind = [point for point in points if (point.plain, point.normalised) == kind]
        if of_kind:
            figure.add_trace(_curve(of_kind, look))
    return figure


def _curve(points: Sequence[SweepPoint], look: tuple[str, str, str]) -> go.Scatter:
    colour, dash, symbol = look
    lost = sum(not drawable(point.ratio) for point in points)
    left_out = f" ({lost} of {len(points)} not finite, or 0)" if lost else ""
    bars = [(p.high - p.ratio, p.ratio - p.low) if drawable(p.low) and isfinite(p.high) else (0, 0) for p in points]
    return go.Scatter(
        x=[point.depth for point in points],
        y=[point.ratio if drawable(point.ratio) else None for point in points],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [up for up, _ in bars],
            "arrayminus": [down for _, down in bars],
            "thickness": 1,
            "width": 4,
        },
        name=points[0].name + left_out,
        uid=points[0].name,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"color": colour, "symbol": symbol, "size": 8, "line": {"color": colour, "width": 1.5}},
        hovertext=[
            f"<b>{title(p.spec)}</b>, {p.name}<br>first ÷ last {magnitude(p.ratio, 4)}<br>"
            f"{'seeds' if p.setting.seeds > 1 else 'batches'} {spread(p.low, p.high, 4)}<br>"
            f"first {magnitude(p.first, 4)}, last {magnitude(p.last, 4)}"
            for p in points
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def sweep_sentence(points: Sequence[SweepPoint]) -> str:
    """The ratio at the least and at the greatest depth of every curve. Nothing is concluded."""
    return "Norm of the loss gradient, first layer ÷ last, at the initial weights. " + " ".join(
        f"{name[0].upper()}{name[1:]}: {_ends(of_name)}." for name, of_name in _by_name(points)
    )


def _by_name(points: Sequence[SweepPoint]) -> Iterator[tuple[str, list[SweepPoint]]]:
    for name in dict.fromkeys(point.name for point in points):
        yield name, sorted((p for p in points if p.name == name), key=lambda p: p.depth)


def _ends(points: Sequence[SweepPoint]) -> str:
    ends = [points[0], *points[-1:]] if len(points) > 1 else points
    return ", ".join(f"{magnitude(p.ratio)} with {p.depth} layers" for p in ends)


def paths_figure(result: PathLengths) -> go.Figure:
    """Shares of the paths and of the gradient at the input, by path length (bars), and a path's gradient (line).

    A length is the number of residual blocks whose branch the path takes. A share of the gradient is that of all
    measured lengths; the line's band spans the least and the greatest of the paths that were drawn.
    """
    lengths = [one.length for one in result.lengths]
    layout = plotly_layout(
        xaxis={"title": {"text": "path length: residual branches passed"}, "uirevision": str(lengths)},
        yaxis={"title": {"text": "share"}, "tickformat": ".0%", "rangemode": "tozero", "hoverformat": ".2%"},
        barmode="group",
        bargap=0.15,
        hovermode="closest",
        margin={"r": 72},
        uirevision="paths",
    )
    values = [v for one in result.lengths for v in (one.low, one.high)]
    right = log_axis(values, "‖∂L/∂x‖₂ of one path, nats per unit of input")
    layout["yaxis2"] = {
        **layout["yaxis"],
        "rangemode": "normal",
        **right,
        "title": {**layout["yaxis"]["title"], **right["title"]},
        "overlaying": "y",
        "side": "right",
        "showgrid": False,
    }
    figure = go.Figure(layout=layout)
    figure.add_traces([*_shares(result), *_one_path(result)])
    return figure


def _shares(result: PathLengths) -> Iterator[go.Bar]:
    main, branch = ROLES["main"].colour, ROLES["identity"].colour
    for name, colour, pattern, share in (
        ("share of the paths", main, "", [one.share_of_paths for one in result.lengths]),
        ("share of the gradient", branch, "/", [one.share_of_gradient for one in result.lengths]),
    ):
        yield go.Bar(
            x=[one.length for one in result.lengths],
            y=[value if isfinite(value) else None for value in share],
            name=name,
            uid=name,
            marker={
                "color": colour,
                "line": {"color": colour, "width": 1},
                "pattern": {"shape": pattern, "fillmode": "replace", "fgcolor": colour, "size": 6} if pattern else {},
            },
            hovertext=[
                f"<b>length {one.length}</b><br>{name} {percent(value) if isfinite(value) else 'not finite'}"
                for one, value in zip(result.lengths, share, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )


def _one_path(result: PathLengths) -> Iterator[go.Scatter]:
    colour = ROLES["broken"].colour
    held = [one for one in result.lengths if drawable(one.low) and drawable(one.high)]
    style: dict[str, Any] = {"yaxis": "y2", "legendgroup": "one"}
    yield go.Scatter(
        x=[one.length for one in (*held, *reversed(held))],
        y=[*(one.high for one in held), *(one.low for one in reversed(held))],
        fill="toself",
        fillcolor=translucent(colour, 0.14),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        uid="band",
        **style,
    )
    yield go.Scatter(
        x=[one.length for one in result.lengths],
        y=[one.gradient if drawable(one.gradient) else None for one in result.lengths],
        name="gradient of one path",
        uid="one path",
        mode="lines+markers",
        line={"color": colour, "width": 2, "dash": "dash"},
        marker={"color": colour, "symbol": "square", "size": 6},
        hovertext=[
            f"<b>length {one.length}</b><br>‖∂L/∂x‖₂ of one path {magnitude(one.gradient, 4)}<br>"
            f"paths {spread(one.low, one.high, 4)}"
            for one in result.lengths
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        **style,
    )


def paths_sentence(result: PathLengths) -> str:
    """How many paths, how long, and which lengths carry the gradient at the input. Nothing is concluded."""
    carried, paths = result.carried(), f"2{str(result.blocks).translate(_RAISED)} paths"
    parts = [
        f"{title(result.spec)} at its initial weights: {result.blocks} residual blocks make {paths}, "
        f"{result.mean_length:.1f} branches long on average."
    ]
    if carried and isfinite(result.effective_length):
        low, high = carried
        lengths = f"lengths {low} to {high}" if low < high else f"length {low}"
        parts.append(
            f"Weighted by the gradient they carry to the input, {result.effective_length:.1f}; "
            f"{lengths} carry 95 % of it."
        )
    setting = result.setting
    parts.append(
        f"Up to {result.samples} paths of each length, {setting.batches} × {setting.batch_size} images, "
        f"{setting.height}×{setting.width} px."
    )
    return " ".join(parts)
