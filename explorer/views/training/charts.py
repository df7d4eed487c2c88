"""Training runs as charts: accuracy, loss and learning rate over epochs, gradient norms over depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ..kit.theme import CURVES, NEUTRAL, Curve, plotly_layout, translucent

if TYPE_CHECKING:
    from ...training import CurvePoint, Record
# Each run with its place among the lines, which stays while others come and go.
Runs = Sequence[tuple[int, "Record"]]
_MARGIN = {"l": 56, "r": 8, "t": 92, "b": 40}


def line(place: int) -> Curve:
    """How the ``place``-th run is drawn; the ninth is drawn as the first."""
    return CURVES[place % len(CURVES)]


def loss_figure(runs: Runs) -> go.Figure:
    """Training loss in nats, on a logarithmic axis; each point is the mean since the one before."""
    return _figure(
        runs,
        _curves(runs, lambda point: point.loss, "loss"),
        "Loss on the training images",
        "cross-entropy, nats",
        type="log",
        exponentformat="power",
        tickformat="~g",
        dtick="D2",
    )


def rate_figure(runs: Runs) -> go.Figure:
    """Learning rate of every recorded step."""
    traces = _curves(runs, lambda point: point.learning_rate, "learning rate")
    return _figure(runs, traces, "Learning rate", "learning rate", rangemode="tozero")


def accuracy_figure(runs: Runs) -> go.Figure:
    """Accuracy after every epoch, %: a bold line with markers on the test images, a thin one on the training images."""
    figure = _figure(runs, (), "Images that are classified correctly", "accuracy, %", range=[0, 101])
    _explain_widths(figure, runs, bold="test", thin="training")
    for place, record in runs:
        this, name = line(place), record.plan.name
        passes = [epoch.epoch + 1 for epoch in record.epochs]
        for what, shares in (
            ("test", [epoch.test_accuracy for epoch in record.epochs]),
            ("training", [epoch.train_accuracy for epoch in record.epochs]),
        ):
            test = what == "test"
            figure.add_scatter(
                x=passes,
                y=[100 * share for share in shares],
                hovertemplate=f"<b>{_safe(name)}</b><br>{what} %{{y:.1f}} %<br>after epoch %{{x}}<extra></extra>",
                name=_safe(name),
                mode="lines+markers" if test else "lines",
                line={
                    "color": this.colour if test else translucent(this.colour, 0.6),
                    "dash": this.dash,
                    "width": 2 if test else 1,
                },
                marker={"symbol": this.symbol, "size": 7, "color": this.colour},
                legendgroup=str(place),
                showlegend=test,
            )
    return figure


def norm_figure(runs: Runs) -> go.Figure:
    """‖∂L/∂W‖₂ of stem, blocks and head, input left, output right: bold in the latest step, thin in the first."""
    figure = _figure(
        runs,
        (),
        "Gradient norm of the weights of each block",
        "‖∂L/∂W‖₂",
        type="log",
        exponentformat="power",
        tickformat="~g",
        dtick="D2",
    )
    _explain_widths(figure, runs, bold="latest step", thin="first step")
    deepest = max((len(record.parts) for _, record in runs), default=1)
    figure.update_xaxes(
        title_text="stem (0), blocks, head: input left, output right",
        range=[-0.4, deepest - 0.6],
        dtick=1 if deepest <= 12 else None,
    )
    for place, record in runs:
        if record.points:
            first, last = record.points[0], record.points[-1]
            figure.add_traces([_norms(record, first, place, faint=True), _norms(record, last, place, faint=False)])
    return figure


def _norms(record: Record, point: CurvePoint, place: int, faint: bool) -> go.Scatter:
    this, named = line(place), f"{_safe(record.plan.name)}, epoch {point.epoch:.2f}"
    return go.Scatter(
        x=list(range(len(record.parts))),
        y=[norm if norm > 0 else None for norm in point.norms],
        customdata=list(record.parts),
        hovertemplate=f"<b>%{{customdata}}</b><br>{named}<br>‖∂L/∂W‖₂ %{{y:.3g}}<extra></extra>",
        name=named,
        mode="lines" if faint else "lines+markers",
        line={
            "color": translucent(this.colour, 0.4) if faint else this.colour,
            "dash": this.dash,
            "width": 1 if faint else 2,
        },
        marker={"symbol": this.symbol, "size": 6, "maxdisplayed": 30},
        legendgroup=str(place),
        showlegend=not faint,
    )


def _curves(runs: Runs, value: Callable[[CurvePoint], float], what: str) -> Iterator[go.Scatter]:
    for place, record in runs:
        this = line(place)
        yield go.Scatter(
            x=[round(point.epoch, 4) for point in record.points],
            y=[value(point) for point in record.points],
            hovertemplate=f"<b>{_safe(record.plan.name)}</b><br>{what} %{{y:.3g}}<br>epoch %{{x:.2f}}<extra></extra>",
            name=_safe(record.plan.name),
            mode="lines",
            line={"color": this.colour, "dash": this.dash, "width": 2},
        )


def _explain_widths(figure: go.Figure, runs: Runs, *, bold: str, thin: str) -> None:
    """Two grey entries of the legend that say what bold and thin lines are."""
    for words, width in ((f"bold: {bold}", 3), (f"thin: {thin}", 1)):
        if runs:
            figure.add_scatter(
                x=[None],
                y=[None],
                name=words,
                mode="lines",
                line={"color": NEUTRAL, "width": width},
                hoverinfo="skip",
            )


def _figure(runs: Runs, traces: Any, title: str, unit: str, **axis: Any) -> go.Figure:
    longest = max((record.plan.recipe.epochs for _, record in runs), default=1)
    layout = plotly_layout(
        title={
            "text": title,
            "font": {"size": 14},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 6, "l": 4},
        },
        # The axis ends where the run will end: curves grow, axes stay.
        xaxis={"title": {"text": "epoch"}, "range": [0, 1.01 * longest]},
        yaxis={"title": {"text": unit}, **axis},
        legend={"y": 1.01, "font": {"size": 11}, "entrywidth": 0},
        margin=_MARGIN,
        showlegend=True,
        hovermode="closest",
    )
    return go.Figure(list(traces), layout)


def _safe(name: str) -> str:
    """A run's name with markup escaped, which plotly would interpret."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
