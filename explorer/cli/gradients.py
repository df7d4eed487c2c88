"""``gradients``: how strong the loss gradient is along depth, here and in the plain twin."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Annotated

import typer

from .targets import Changes, Target, read_target
from .terminal import Column, console, counted, output_path, print_table

if TYPE_CHECKING:
    from ..gradients import GradientProbe, LayerGradient

_COLUMNS = (
    Column("depth", number=True),
    Column("layer"),
    Column("‖∂L/∂W‖₂", number=True),
    Column("low … high", number=True, optional=True),
    Column("÷ ‖W‖", number=True, optional=True),
    Column("plain twin", number=True),
)
_HEAD = ("depth", "layer", "is_projection", "norm", "low", "high", "weight_norm", "twin_norm")


def gradients(
    target: Target,
    changes: Changes = None,
    batches: Annotated[int, typer.Option(help="Batches to average over.")] = 3,
    batch_size: Annotated[int, typer.Option(help="Images in a batch.")] = 8,
    seed: Annotated[int, typer.Option(help="Of weights, images and labels.")] = 0,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the numbers as CSV.")] = False,
    html: Annotated[
        str | None, typer.Option(metavar="FILE.html", help="Write the plot, a page that works offline.")
    ] = None,
) -> None:
    """Gradients along depth, beside the plain twin.

    The norm of the loss gradient in every layer, measured by real backward passes on noise, at the initial weights.
    """
    from ..gradients import probe_with_twin
    from ..views.charts import summary_sentence

    path = output_path(html, ".html") if html else None
    spec = read_target(target, changes)
    with counted("Measuring") as report:
        probe, twin = probe_with_twin(spec, batches=batches, batch_size=batch_size, seed=seed, on_progress=report)
    sentence = summary_sentence(probe, twin)
    if path:
        path.write_text(_page(probe, twin, sentence), encoding="utf-8")
    if as_csv:
        typer.echo(_csv(probe, twin), nl=False)
        return
    out = console()
    print_table(out, _COLUMNS if twin else _COLUMNS[:-1], list(_rows(probe, twin)))
    out.print()
    for line in (sentence, *probe.notes):
        out.print(line, soft_wrap=True)
    if html:
        typer.echo(f"Wrote {html}")


def _pairs(probe: GradientProbe, twin: GradientProbe | None) -> Iterator[tuple[LayerGradient, LayerGradient | None]]:
    """Every layer with the twin's of the same name; a projection has none."""
    others = {layer.path: layer for layer in twin.layers} if twin else {}
    return ((layer, others.get(layer.path)) for layer in probe.layers)


def _rows(probe: GradientProbe, twin: GradientProbe | None) -> Iterator[tuple[str, ...]]:
    from ..views.numbers import magnitude

    for layer, other in _pairs(probe, twin):
        yield (
            "" if layer.is_projection else str(layer.depth),
            layer.path,
            magnitude(layer.norm),
            f"{magnitude(layer.low)} … {magnitude(layer.high)}",
            magnitude(layer.relative),
            *([magnitude(other.norm) if other else ""] if twin else []),
        )


def _csv(probe: GradientProbe, twin: GradientProbe | None) -> str:
    """All digits; ``twin_norm`` is empty where the twin has no such layer."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEAD)
    for layer, other in _pairs(probe, twin):
        numbers = (layer.norm, layer.low, layer.high, layer.weight_norm, other.norm if other else "")
        writer.writerow([layer.depth, layer.path, int(layer.is_projection), *numbers])
    return text.getvalue()


def _page(probe: GradientProbe, twin: GradientProbe | None, sentence: str) -> str:
    from ..spec import title
    from ..views.charts import gradient_figure
    from ..views.theme import DARK, LIGHT, SANS

    name = escape(title(probe.spec))
    words = "\n".join(f"<p>{escape(line)}</p>" for line in (sentence, *probe.notes))
    plot = gradient_figure(probe, twin).to_html(
        full_html=False, include_plotlyjs=True, default_height="32rem", config={"displaylogo": False}
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Gradients of {name}</title>
<style>
body {{ max-width: 72rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 {SANS};
  color: {LIGHT.text}; background: {LIGHT.page} }}
@media (prefers-color-scheme: dark) {{ body {{ color: {DARK.text}; background: {DARK.page} }} }}
</style>
<h1>Gradients of {name}</h1>
{words}
{plot}
</html>
"""
