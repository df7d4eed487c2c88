"""Plots of measured values, as plotly figures, and what they show in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, isfinite, log10
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ..spec import ResNetSpec, title
from .numbers import magnitude
from .theme import GRID, NEUTRAL, ROLES, plotly_layout, translucent

if TYPE_CHECKING:
    from ..gradients import GradientProbe, LayerGradient

# Deeper than this, markers would hide the dashes: only some are drawn.
MOST_MARKERS, SOME_MARKERS = 64, 24
# A stage's label needs about this share of the width.
LEAST_LABEL = 0.05
# Powers of ten beside the axis. Within three decades also their doubles and fives (plotly's D2), or all (D1).
MOST_TICKS = 8


@dataclass(frozen=True)
class Look:
    """Colour, dash and markers of one network: each alone tells it from the other."""

    colour: str
    dash: str
    symbol: str
    output_symbol: str


HERE = Look(ROLES["identity"].colour, "solid", "circle", "triangle-up")
TWIN = Look(ROLES["main"].colour, "dash", "diamond-open", "triangle-up-open")


def gradient_figure(probe: GradientProbe, twin: GradientProbe | None = None) -> go.Figure:
    """‖∂L/∂W‖₂ of every layer along depth, input left, output right, on a logarithmic axis.

    A band spans the least and the greatest of the batches. Values that a logarithmic axis cannot hold (0, or
    not finite) leave a gap, and the legend counts them. ‖∂L/∂y‖₂ of the block outputs, in nats per unit of
    activation, is hidden until asked for in the legend.
    """
    figure = go.Figure(layout=plotly_layout(**_gradient_axes(probe, twin)))
    # The twin first, so that this network lies on top; the legend reads the other way round.
    for network, look, rank in ((twin, TWIN, 2), (probe, HERE, 1)):
        if network is not None:
            figure.add_traces([trace.update(legendrank=rank) for trace in _traces(network, look)])
    _draw_stages(figure, probe.spec)
    if not any(_drawable(layer.norm) for layer in probe.layers):
        figure.add_annotation(
            text="No gradient above 0 to draw", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False
        )
    return figure


def summary_sentence(probe: GradientProbe, twin: GradientProbe | None = None) -> str:
    """What was measured at both ends of the network, and on what. Nothing is concluded."""
    first, last = (layer.path for layer in (probe.main_path[0], probe.main_path[-1]))
    ends = [(p.main_path[0].norm, p.main_path[-1].norm) for p in (probe, twin) if p is not None]
    parts = [
        f"First layer ({first}): {_compared([a for a, _ in ends])}",
        f"last layer ({last}): {_compared([b for _, b in ends])}",
    ]
    if all(isfinite(a) and _drawable(b) for a, b in ends):
        parts.append(f"first ÷ last: {_compared([a / b for a, b in ends])}")
    setting = probe.setting
    return (
        f"Norm of the loss gradient at the initial weights. {'; '.join(parts)}. "
        f"Mean of {setting.batches} × {setting.batch_size} images, {setting.height}×{setting.width} px."
    )


def _compared(values: Sequence[float]) -> str:
    places = (" here", " in the plain twin") if len(values) > 1 else ("",)
    return ", ".join(f"{magnitude(value)}{place}" for value, place in zip(values, places, strict=True))


def _traces(probe: GradientProbe, look: Look) -> Iterator[go.Scatter]:
    name = title(probe.spec)
    path = probe.main_path
    band = _band(path)
    if probe.setting.batches > 1 and band:
        yield go.Scatter(
            x=[x for x, _ in band],
            y=[y for _, y in band],
            fill="toself",
            fillcolor=translucent(look.colour, 0.18),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            legendgroup=name,
            showlegend=False,
        )
    yield go.Scatter(
        **_points(path, name),
        name=name + _left_out(path),
        mode="lines+markers",
        line={"color": look.colour, "dash": look.dash, "width": 2},
        marker=_marker(look.colour, look.symbol, len(path)),
        legendgroup=name,
    )
    projections = [layer for layer in probe.layers if layer.is_projection]
    if projections:
        role = ROLES["projection"]
        yield go.Scatter(
            **_points(projections, name),
            name="projections" + _left_out(projections),
            mode="markers",
            # On white the fill alone has 2.2:1; its edge has 5.6:1.
            marker=_marker(role.colour, "square", edge=role.on_light),
        )
    yield _output_trace(probe, name, look)


def _output_trace(probe: GradientProbe, name: str, look: Look) -> go.Scatter:
    """‖∂L/∂y‖₂ of the block outputs."""
    return go.Scatter(
        x=[block.depth for block in probe.blocks],
        y=[block.norm if _drawable(block.norm) else None for block in probe.blocks],
        hovertext=[
            f"<b>{block.path}</b>, its output y<br>{name}<br>‖∂L/∂y‖₂ {magnitude(block.norm, 4)}<br>"
            f"standard deviation {magnitude(block.activation_std, 4)}"
            for block in probe.blocks
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        name=f"{name}: block outputs",
        mode="lines+markers",
        line={"color": look.colour, "dash": "dot", "width": 1.5},
        marker=_marker(look.colour, look.output_symbol, len(probe.blocks)),
        visible="legendonly",
    )


def _marker(colour: str, symbol: str, points: int = 0, edge: str | None = None) -> dict[str, Any]:
    return {
        "color": colour,
        "symbol": symbol,
        "size": 8,
        "line": {"color": edge or colour, "width": 1.5},
        "maxdisplayed": SOME_MARKERS if points > MOST_MARKERS else 0,
    }


def _points(layers: Sequence[LayerGradient], name: str) -> dict[str, Any]:
    return {
        "x": [layer.depth for layer in layers],
        "y": [layer.norm if _drawable(layer.norm) else None for layer in layers],
        "hovertext": [_hover(layer, name) for layer in layers],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _hover(layer: LayerGradient, name: str) -> str:
    return (
        f"<b>{layer.path}</b><br>{name}<br>‖∂L/∂W‖₂ {magnitude(layer.norm, 4)}<br>"
        f"batches {magnitude(layer.low, 4)} … {magnitude(layer.high, 4)}<br>"
        f"÷ ‖W‖₂ {magnitude(layer.relative, 4)}"
    )


def _band(layers: Sequence[LayerGradient]) -> list[tuple[float | None, float | None]]:
    """Outline from least to greatest, one closed part for each run of layers that can be drawn."""
    outline: list[tuple[float | None, float | None]] = []
    for drawable, group in groupby(layers, lambda layer: _drawable(layer.low) and _drawable(layer.high)):
        if drawable:
            run = list(group)
            outline += [(layer.depth, layer.high) for layer in run]
            outline += [(layer.depth, layer.low) for layer in reversed(run)]
            outline.append((None, None))
    return outline


def _drawable(value: float) -> bool:
    """Whether a logarithmic axis can hold the value."""
    return isfinite(value) and value > 0


def _left_out(layers: Sequence[LayerGradient]) -> str:
    """Words for the legend about values that are not drawn."""
    zeros = sum(layer.norm == 0 for layer in layers)
    lost = sum(not isfinite(layer.norm) for layer in layers)
    parts = [f"{n} of {len(layers)} {what}" for n, what in ((zeros, "exactly 0"), (lost, "not finite")) if n]
    return f" ({', '.join(parts)})" if parts else ""


def _gradient_axes(probe: GradientProbe, twin: GradientProbe | None) -> dict[str, Any]:
    depth = probe.spec.weighted_layers
    norms = [v for p in (probe, twin) if p for layer in p.layers for v in (layer.low, layer.high) if _drawable(v)]
    decades = log10(max(norms) / min(norms)) if norms else 0
    return {
        "xaxis": {
            "title": {"text": "layer with weights, from input to output"},
            "range": [0.5 - 0.01 * depth, depth + 0.5 + 0.01 * depth],
            "dtick": 1 if depth <= 12 else None,
            # A zoom ends where the network's depth changes; the legend's choices stay.
            "uirevision": f"depth {depth}",
        },
        "yaxis": {
            "title": {"text": "‖∂L/∂W‖₂, nats per unit of weight"},
            "type": "log",
            "exponentformat": "power",
            # Between powers of ten plotly shortens 0.5 to "5" unless a format is given.
            "tickformat": None if decades > 3 else "~g",
            "dtick": ceil(decades / MOST_TICKS) if decades > 3 else "D2" if decades > 0.5 else "D1",
        },
        "hovermode": "closest",
        "uirevision": "gradients",
    }


def _draw_stages(figure: go.Figure, spec: ResNetSpec) -> None:
    """A light line wherever a stage begins, and the stages' names above the plot."""
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
    convolutions = [depth * spec.block.convolutions for depth in spec.depths]
    yield "stem", spec.weighted_layers - sum(convolutions) - 1
    yield from ((f"layer{i}", n) for i, n in enumerate(convolutions, start=1))
    yield "fc", 1
