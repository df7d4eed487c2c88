"""The output of ``gradients``: a table, sentences, CSV and plots for each measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from ..csv_text import Value, lines
from .terminal import Column

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from ..gradients import GradientProbe, LayerGradient, PathLengths, SweepPoint

_HEAD = ("depth", "layer", "is_projection", "norm", "low", "high", "weight_norm", "output_std")
_PLOT = {"displaylogo": False, "showSendToCloud": False, "plotlyServerURL": ""}


@dataclass(frozen=True)
class MeasurementText:
    """A measurement in words and numbers; the plots are drawn only if they are needed."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, ...]]
    sentences: tuple[str, ...]
    csv: str
    figures: tuple[Callable[[], go.Figure], ...]


def describe_layers(probe: GradientProbe, twins: Sequence[GradientProbe]) -> MeasurementText:
    """‖∂L/∂W‖₂ of every layer, and of the layer of the same name in every twin; the verdict is about the blocks."""
    from ..views.gradients.depth_chart import gradient_figure, measured_sentence
    from ..views.gradients.quantity import Quantity
    from ..views.gradients.verdict import network_verdict

    columns = (
        Column("depth", number=True),
        Column("layer"),
        Column("‖∂L/∂W‖₂", number=True),
        Column("low … high", number=True, optional=True),
        Column("÷ ‖W‖", number=True, optional=True),
        Column("σ(output)", number=True, optional=True),
        *(Column(name, number=True) for name in _names(twins)),
    )
    beside: Sequence[GradientProbe | None] = twins or [None]
    verdicts = (line for twin in beside for line in network_verdict(probe, twin).sentences)
    notes = (note for network in (probe, *twins) for note in network.notes)
    return MeasurementText(
        columns=columns,
        rows=list(_layer_rows(probe, twins)),
        sentences=tuple(dict.fromkeys((*verdicts, measured_sentence(probe.setting), *notes))),
        csv=_layer_csv(probe, twins),
        figures=tuple(
            partial(gradient_figure, probe, twin, quantity)
            for twin in beside
            for quantity in (Quantity.OUTPUTS, Quantity.WEIGHTS)
        ),
    )


def describe_depths(points: Sequence[SweepPoint]) -> MeasurementText:
    """Weakest ÷ strongest block: a row for each depth, a column for each kind of network."""
    from ..gradients import sweep_csv
    from ..views.gradients.conclusions import sweep_verdict
    from ..views.gradients.depth_chart import measured_sentence
    from ..views.gradients.sweep_chart import sweep_figure
    from ..views.kit.numbers import magnitude

    names = list(dict.fromkeys(point.name for point in points))
    depths = list(dict.fromkeys((point.spec.depths, point.depth) for point in points))
    evenness = {(point.spec.depths, point.name): magnitude(point.evenness) for point in points}
    sentence = (
        "Norm of the loss gradient of the weakest block's output ÷ the strongest's, at the initial weights. "
        f"{measured_sentence(points[0].setting)}"
    )
    return MeasurementText(
        columns=(Column("layers", number=True), *(Column(name, number=True) for name in names)),
        rows=[(str(layers), *(evenness[blocks, name] for name in names)) for blocks, layers in depths],
        sentences=(
            *sweep_verdict(points).sentences,
            sentence,
            *dict.fromkeys(note for point in points for note in point.notes),
        ),
        csv=sweep_csv(points),
        figures=(partial(sweep_figure, points),),
    )


def describe_paths(result: PathLengths) -> MeasurementText:
    """Describe the gradient by path length: one row per length."""
    from ..gradients import path_csv
    from ..views.gradients.conclusions import paths_verdict
    from ..views.gradients.paths_chart import paths_figure
    from ..views.kit.numbers import magnitude, percent

    columns = ("length", "paths", "share of paths", "‖∂L/∂x‖₂ of one", "low … high", "share of gradient")
    rows = [
        (
            str(one.length),
            f"{one.paths:,}" if one.paths < 10**9 else f"{one.paths:.2e}",
            percent(one.share_of_paths),
            magnitude(one.gradient),
            f"{magnitude(one.low)} … {magnitude(one.high)}",
            percent(one.share_of_gradient),
        )
        for one in result.lengths
    ]
    return MeasurementText(
        columns=tuple(Column(name, number=True, optional="…" in name) for name in columns),
        rows=rows,
        sentences=(*paths_verdict(result).sentences, *_path_sentences(result), *result.notes),
        csv=path_csv(result),
        figures=(partial(paths_figure, result),),
    )


def page(heading: str, found: MeasurementText) -> str:
    """Write a page with the sentences and the plots; it works offline."""
    from ..views.kit.theme import DARK, LIGHT, SANS

    words = "\n".join(f"<p>{escape(line)}</p>" for line in found.sentences)
    plots = "\n".join(
        draw().to_html(full_html=False, include_plotlyjs=not number, default_height="32rem", config=_PLOT)
        for number, draw in enumerate(found.figures)
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(heading)}</title>
<style>
body {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 {SANS};
  color: {LIGHT.text}; background: {LIGHT.page} }}
@media (prefers-color-scheme: dark) {{ body {{ color: {DARK.text}; background: {DARK.page} }} }}
</style>
<h1>{escape(heading)}</h1>
{words}
{plots}
</html>
"""


def _names(twins: Sequence[GradientProbe]) -> list[str]:
    """Column heads of the other networks; equal names get a number."""
    from ..spec import title

    names = ["plain counterpart" if twin.spec.is_plain else title(twin.spec) for twin in twins]
    return [f"{name} ({i})" if names.count(name) > 1 else name for i, name in enumerate(names, start=1)]


def _pairs(
    probe: GradientProbe, twins: Sequence[GradientProbe]
) -> Iterator[tuple[LayerGradient, list[LayerGradient | None]]]:
    """Pair every layer with the layers of the same name in the other networks; a projection may have none."""
    others = [{layer.path: layer for layer in twin.layers} for twin in twins]
    return ((layer, [other.get(layer.path) for other in others]) for layer in probe.layers)


def _layer_rows(probe: GradientProbe, twins: Sequence[GradientProbe]) -> Iterator[tuple[str, ...]]:
    from ..views.kit.numbers import magnitude

    for layer, others in _pairs(probe, twins):
        yield (
            "" if layer.is_projection else str(layer.depth),
            layer.path,
            magnitude(layer.norm),
            f"{magnitude(layer.low)} … {magnitude(layer.high)}",
            magnitude(layer.relative),
            magnitude(layer.output_std),
            *(magnitude(other.norm) if other else "" for other in others),
        )


def _layer_csv(probe: GradientProbe, twins: Sequence[GradientProbe]) -> str:
    """Write all digits; the norm is empty if the other network has no such layer."""
    names = (f"twin_norm_{i}" if i > 1 else "twin_norm" for i in range(1, max(len(twins), 1) + 1))
    rows: list[Sequence[Value]] = [(*_HEAD, *names)]
    for layer, others in _pairs(probe, twins):
        numbers = (layer.norm, layer.low, layer.high, layer.weight_norm, layer.output_std)
        norms = [other.norm if other else None for other in others] or [None]
        rows.append((layer.depth, layer.path, int(layer.is_projection), *numbers, *norms))
    return lines(rows, end="\n")


def _path_sentences(result: PathLengths) -> Iterator[str]:
    from ..views.kit.numbers import three_digits

    setting = result.setting
    yield (
        f"{result.blocks} blocks with a shortcut make 2^{result.blocks} paths with a mean length of "
        f"{result.mean_length:g} {'branch' if result.mean_length == 1 else 'branches'}."
    )
    carried = result.carried()
    if carried:
        yield (
            f"95 % of the gradient at the input comes from paths of {carried[0]} to {carried[1]} branches. "
            f"Their mean length, weighted by gradient, is {three_digits(result.effective_length)}."
        )
    yield (
        f"Up to {result.samples // setting.batches // setting.seeds} paths of each length in each of "
        f"{_times(setting.seeds, setting.batches)} batches of {setting.batch_size} images, "
        f"{setting.height}×{setting.width} px, at the initial weights."
    )


def _times(seeds: int, batches: int) -> str:
    return f"{seeds} × {batches}" if seeds > 1 else str(batches)
