"""How many photos a second a network classifies, as a chart and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ..kit import numbers
from ..kit.theme import ROLES, plotly_layout

if TYPE_CHECKING:
    from ...inference.throughput import ThroughputPoint


def figure(points: Sequence[ThroughputPoint]) -> go.Figure:
    """Images a second against the images of a batch, which double from tick to tick."""
    sizes = [point.batch for point in points]
    axes: dict[str, Any] = {
        "xaxis": {
            "title": {"text": "images in a batch"},
            "type": "log",
            "tickvals": sizes,
            "ticktext": list(map(str, sizes)),
        },
        "yaxis": {"title": {"text": "images per second"}, "rangemode": "tozero"},
    }
    drawn = go.Figure(layout=plotly_layout(**axes, margin={"t": 24}, showlegend=False))
    drawn.add_scatter(
        x=sizes,
        y=[point.images_per_s for point in points],
        mode="lines+markers",
        line={"color": ROLES["identity"].colour, "width": 2},
        marker={"size": 8},
        text=[f"{numbers.duration(point.ms / 1000)} a batch" for point in points],
        hovertemplate="%{y:.4~g} images/s<br>batches of %{x}, %{text}<extra></extra>",
    )
    return drawn


def sentence(points: Sequence[ThroughputPoint], title: str) -> str:
    """The best rate, and how long a photo alone takes."""
    best, alone = max(points, key=lambda point: point.images_per_s), points[0]
    rate = numbers.three_digits(best.images_per_s) if best.images_per_s >= 1 else f"{best.images_per_s:.2g}"
    size = f"in batches of {best.batch}" if best.batch > 1 else "one at a time"
    return (
        f"{title} on {best.device}: at most {rate} images a second, {size}. A batch of {alone.batch} takes "
        f"{numbers.duration(alone.ms / 1000)}. Decoding and resizing photos are not counted."
    )
