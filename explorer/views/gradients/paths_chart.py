"""Path lengths as a plotly figure, and a sentence on how they were measured."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ..kit.numbers import magnitude, percent
from ..kit.theme import ROLES, plotly_layout, translucent
from .quantity import drawable, log_axis, spread

if TYPE_CHECKING:
    from ...gradients.path_lengths import PathLengths

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def paths_figure(result: PathLengths) -> go.Figure:
    """Shares of the paths and of the gradient at the input, by path length (bars), and a path's gradient (line).

    A length is the number of residual blocks whose branch the path takes. A share of the gradient is that of all
    measured lengths; the line's band spans the least and the greatest of the sampled paths.
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
    right = log_axis(values, "gradient of one path at the input, ‖∂L/∂x‖₂")
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
    # Full and outlined, not hatched: plotly's hatching is lost if the page's address changes.
    for name, colour, opacity, share in (
        ("share of the paths", main, 1, [one.share_of_paths for one in result.lengths]),
        ("share of the gradient", branch, 0.25, [one.share_of_gradient for one in result.lengths]),
    ):
        yield go.Bar(
            x=[one.length for one in result.lengths],
            y=[value if isfinite(value) else None for value in share],
            name=name,
            uid=name,
            marker={
                "color": translucent(colour, opacity),
                "line": {"color": colour, "width": 1.5},
            },
            hovertext=[
                f"<b>length {one.length}</b><br>{name} {percent(value) if isfinite(value) else 'not finite'}"
                for one, value in zip(result.lengths, share, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )


def _one_path(result: PathLengths) -> Iterator[go.Scatter]:
    colour = ROLES["broken"].colour
    shown = [one for one in result.lengths if drawable(one.low) and drawable(one.high)]
    style: dict[str, Any] = {"yaxis": "y2", "legendgroup": "one"}
    yield go.Scatter(
        x=[one.length for one in (*shown, *reversed(shown))],
        y=[*(one.high for one in shown), *(one.low for one in reversed(shown))],
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


def sampled_sentence(result: PathLengths) -> str:
    """How many paths there are, and on how many of them and on what they were measured."""
    setting, paths = result.setting, f"2{str(result.blocks).translate(_RAISED)} paths"
    return (
        f"{result.blocks} residual blocks make {paths}. Up to {result.samples} paths of each length were sampled, on "
        f"{setting.batches} × {setting.batch_size} images, {setting.height}×{setting.width} px."
    )
