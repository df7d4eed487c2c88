"""Measured values along a network's depth, as a plotly figure, and a sentence on how they were measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ...spec import ResNetSpec, title
from ..kit.numbers import magnitude
from ..kit.theme import GRID, HERE, NEUTRAL, ROLES, TWIN, Curve, plotly_layout, translucent
from .quantity import DepthPoint, Quantity, drawable, log_axis, points, spread
from .verdict import settings_words

if TYPE_CHECKING:
    from ...gradients import GradientProbe, Setting

# In deeper networks markers would hide the dashes: only some are drawn.
MOST_MARKERS, SOME_MARKERS = 64, 24
# A stage's label needs about this share of the width.
LEAST_LABEL = 0.05


def gradient_figure(
    probe: GradientProbe, twin: GradientProbe | None = None, quantity: Quantity = Quantity.OUTPUTS
) -> go.Figure:
    """One quantity of every layer or block along depth, input left, output right, on a logarithmic axis.

    A band spans the least and the greatest of the batches, or of the seeds. Values that a logarithmic axis cannot show
    (0, or not finite) leave a gap, and the legend counts them. A curve's name includes normalisation and initial
    weights. ``customdata`` of a point is its module path.
    """
    figure = go.Figure(layout=plotly_layout(**_axes(probe, twin, quantity)))
    # The twin first, so that this network is drawn over it; the legend has the other order.
    for network, curve, rank in ((twin, TWIN, 2), (probe, HERE, 1)):
        if network is not None:
            named = _name(network, probe if curve is TWIN else None)
            traces = _traces(network, points(network, quantity), named, curve, quantity)
            figure.add_traces([trace.update(legendrank=rank) for trace in traces])
    _draw_stages(figure, probe.spec)
    if not any(point.drawable for point in points(probe, quantity)):
        figure.add_annotation(
            text="No value above 0 to draw", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False
        )
    return figure


def measured_sentence(setting: Setting) -> str:
    """On how many images and initial weights something was measured."""
    each = f"{setting.batches} × {setting.batch_size} images, {setting.height}×{setting.width} px"
    return f"Mean of {setting.seeds} initialisations, each of {each}." if setting.seeds > 1 else f"Mean of {each}."


def _name(network: GradientProbe, beside: GradientProbe | None) -> str:
    """ "ResNet-34 · batch norm, He (fan-out) weights"; the second of two equal names is told apart."""
    name = f"{title(network.spec)} · {settings_words(network.spec)}"
    return f"{name} (beside)" if beside and name == _name(beside, None) else name


def _traces(
    probe: GradientProbe, found: Sequence[DepthPoint], name: str, curve: Curve, quantity: Quantity
) -> Iterator[go.Scatter]:
    """The band, the main path and the projections. By ``uid`` the legend's choices survive updates."""
    key = "twin" if curve is TWIN else "here"
    path = [point for point in found if not point.is_projection]
    band = _band(path)
    if band and (probe.setting.batches > 1 or probe.seeds > 1):
        yield go.Scatter(
            x=[x for x, _ in band],
            y=[y for _, y in band],
            fill="toself",
            fillcolor=translucent(curve.colour, 0.18),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            legendgroup=key,
            showlegend=False,
            uid=f"{key}-band",
        )
    words = (name, quantity.words.symbol, probe.spread)
    yield go.Scatter(
        **_placed(path, words),
        name=name + _left_out(path),
        mode="lines+markers",
        line={"color": curve.colour, "dash": curve.dash, "width": 2},
        marker=_marker(curve.colour, curve.symbol, len(path)),
        legendgroup=key,
        uid=f"{key}-path",
    )
    projections = [point for point in found if point.is_projection]
    if projections:
        role = ROLES["projection"]
        yield go.Scatter(
            **_placed(projections, words),
            name="projections" + _left_out(projections),
            mode="markers",
            # On white the fill alone has 2.2:1; its edge has 5.6:1.
            marker=_marker(role.colour, "square", edge=role.on_light),
            uid=f"{key}-projections",
        )


def _marker(colour: str, symbol: str, points: int = 0, edge: str | None = None) -> dict[str, Any]:
    return {
        "color": colour,
        "symbol": symbol,
        "size": 8,
        "line": {"color": edge or colour, "width": 1.5},
        "maxdisplayed": SOME_MARKERS if points > MOST_MARKERS else 0,
    }


def _placed(found: Sequence[DepthPoint], words: tuple[str, str, str]) -> dict[str, Any]:
    name, symbol, spread_of = words
    return {
        "x": [point.depth for point in found],
        "y": [point.mean if point.drawable else None for point in found],
        "customdata": [point.path for point in found],
        "hovertext": [
            f"<b>{point.path}</b><br>{name}<br>{symbol} {magnitude(point.mean, 4)}<br>"
            f"{spread_of} {spread(point.low, point.high, 4)}"
            for point in found
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _band(path: Sequence[DepthPoint]) -> list[tuple[float | None, float | None]]:
    """Outline from least to greatest: a closed part for each run of points that can be drawn."""
    outline: list[tuple[float | None, float | None]] = []
    for whole, group in groupby(path, lambda point: drawable(point.low) and drawable(point.high)):
        if whole:
            run = list(group)
            outline += [(point.depth, point.high) for point in run]
            outline += [(point.depth, point.low) for point in reversed(run)]
            outline.append((None, None))
    return outline


def _left_out(found: Sequence[DepthPoint]) -> str:
    """Words for the legend about values that are not drawn."""
    zeros = sum(point.mean == 0 for point in found)
    lost = sum(not isfinite(point.mean) for point in found)
    parts = [f"{n} of {len(found)} {what}" for n, what in ((zeros, "exactly 0"), (lost, "not finite")) if n]
    return f" ({', '.join(parts)})" if parts else ""


def _axes(probe: GradientProbe, twin: GradientProbe | None, quantity: Quantity) -> dict[str, Any]:
    depth = probe.spec.weighted_layers
    values = [v for p in (probe, twin) if p for point in points(p, quantity) for v in (point.low, point.high)]
    return {
        "xaxis": {
            "title": {"text": "layer with weights, from input to output"},
            "range": [0.5 - 0.01 * depth, depth + 0.5 + 0.01 * depth],
            "dtick": 1 if depth <= 12 else None,
            # A zoom ends if the network's depth or the quantity changes; the legend's choices stay.
            "uirevision": f"depth {depth}",
        },
        "yaxis": log_axis(values, quantity.words.axis) | {"uirevision": quantity.value},
        "hovermode": "closest",
        "uirevision": "gradients",
    }


def _draw_stages(figure: go.Figure, spec: ResNetSpec) -> None:
    """A light line before each stage, and the stages' names above the plot."""
    end = 0
    for name, depth in _stages(spec):
        if end:
            figure.add_vline(x=end + 0.5, line={"color": GRID, "width": 1}, layer="below")
        if depth / spec.weighted_layers >= LEAST_LABEL:
            figure.add_annotation(
                text=name,
                x=end + (depth + 1) / 2,
                y=1,
                yref="paper",
                yanchor="bottom",
                showarrow=False,
                font={"size": 11, "color": NEUTRAL},
            )
        end += depth


def _stages(spec: ResNetSpec) -> Iterator[tuple[str, int]]:
    """Name and weighted layers of stem, stages and classifier."""
    yield "stem", spec.stem.convolutions
    yield from ((f"layer{i}", n * spec.block.convolutions) for i, n in enumerate(spec.depths, start=1))
    yield "fc", 1
