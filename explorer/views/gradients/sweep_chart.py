"""A depth sweep as a plotly figure: one quantity of deeper and deeper networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from ...gradients.sweep import Span
from ...spec import title
from ..kit.numbers import magnitude
from ..kit.theme import ROLES, plotly_layout
from .quantity import drawable, log_axis, spread
from .verdict import settings_words

if TYPE_CHECKING:
    from ...gradients import SweepPoint

# By plain, normalised: colour, dash and marker; each alone tells the curves apart.
_LOOKS = {
    (False, True): (ROLES["identity"].colour, "solid", "circle"),
    (False, False): (ROLES["identity"].colour, "dot", "circle-open"),
    (True, True): (ROLES["main"].colour, "solid", "diamond"),
    (True, False): (ROLES["main"].colour, "dot", "diamond-open"),
}


class SweepQuantity(str, Enum):
    """One number for every network of a sweep. In the first two vanishing is visible; first ÷ last hides it if both
    ends vanish together."""

    EVENNESS = "evenness"
    FIRST_BLOCK = "first_block"
    RATIO = "ratio"

    @property
    def words(self) -> SweepWords:
        return _WORDS[self]


@dataclass(frozen=True)
class SweepWords:
    """
    Attributes:
        label: of the choice, and where one value is shown.
        axis: title of the axis.
        span: value of a point.
    """

    label: str
    axis: str
    span: Callable[[SweepPoint], Span]


_WORDS = {
    SweepQuantity.EVENNESS: SweepWords(
        "Weakest ÷ strongest block",
        "gradient of the weakest block's output ÷ the strongest's",
        lambda point: point.blocks,
    ),
    SweepQuantity.FIRST_BLOCK: SweepWords(
        "First block", "gradient of the first block's output, ‖∂L/∂y‖₂", lambda point: point.block
    ),
    SweepQuantity.RATIO: SweepWords(
        "First ÷ last layer",
        "gradient of the first layer's weights ÷ the last's",
        lambda point: Span(point.ratio, point.low, point.high),
    ),
}


def sweep_figure(points: Sequence[SweepPoint], quantity: SweepQuantity = SweepQuantity.EVENNESS) -> go.Figure:
    """The quantity against depth, one curve for each of residual and plain, with and without norm.

    Bars span the least and the greatest of the batches, or of the seeds. What a logarithmic axis cannot show leaves a
    gap and is counted in the legend. A curve's name includes normalisation and initial weights.
    """
    depths = sorted({point.depth for point in points})
    spans = [quantity.words.span(point) for point in points]
    axis = log_axis([v for span in spans for v in (span.mean, span.low, span.high)], quantity.words.axis)
    figure = go.Figure(
        layout=plotly_layout(
            xaxis={"title": {"text": "layers with weights"}, "tickvals": depths, "uirevision": str(depths[-1:])},
            yaxis=axis | {"uirevision": quantity.value},
            hovermode="closest",
            uirevision="sweep",
        )
    )
    for kind, look in _LOOKS.items():
        of_kind = [point for point in points if (point.plain, point.normalised) == kind]
        if of_kind:
            figure.add_trace(_curve(of_kind, look, quantity))
    return figure


def curve_name(point: SweepPoint) -> str:
    """ "plain · batch norm, He (fan-out) weights"."""
    return f"{'plain' if point.plain else 'residual'} · {settings_words(point.spec)}"


def _curve(points: Sequence[SweepPoint], look: tuple[str, str, str], quantity: SweepQuantity) -> go.Scatter:
    colour, dash, symbol = look
    spans = [quantity.words.span(point) for point in points]
    lost = sum(not drawable(span.mean) for span in spans)
    left_out = f" ({lost} of {len(points)} not finite, or 0)" if lost else ""
    bars = [(s.high - s.mean, s.mean - s.low) if drawable(s.low) and isfinite(s.high) else (0, 0) for s in spans]
    return go.Scatter(
        x=[point.depth for point in points],
        y=[span.mean if drawable(span.mean) else None for span in spans],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [up for up, _ in bars],
            "arrayminus": [down for _, down in bars],
            "thickness": 1,
            "width": 4,
        },
        name=curve_name(points[0]) + left_out,
        uid=points[0].name,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2},
        marker={"color": colour, "symbol": symbol, "size": 8, "line": {"color": colour, "width": 1.5}},
        hovertext=[_hover(point, span, quantity) for point, span in zip(points, spans, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _hover(point: SweepPoint, span: Span, quantity: SweepQuantity) -> str:
    runs = "seeds" if point.setting.seeds > 1 else "batches"
    return (
        f"<b>{title(point.spec)}</b>, {curve_name(point)}<br>{quantity.words.label} {magnitude(span.mean, 4)}<br>"
        f"{runs} {spread(span.low, span.high, 4)}"
    )
