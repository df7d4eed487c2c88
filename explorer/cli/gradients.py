"""``gradients``: measure the loss gradient by block, by depth of the network or by path length."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ExplorerError
from ..spec import Norm, ResNetSpec, title
from .targets import Changes, Target, read_target
from .terminal import console, count_progress, output_path, print_table

if TYPE_CHECKING:
    from torch import Tensor

    from ..gradients import ProbeOptions
    from .gradient_tables import MeasurementText

_PLAIN, _NONE = "plain", "none"


class Inputs(str, Enum):
    NOISE = "noise"
    DIGITS = "digits"
    CIFAR10 = "cifar10"


class Sweep(str, Enum):
    DEPTH = "depth"


def gradients(
    target: Target,
    changes: Changes = None,
    twin: Annotated[
        list[str] | None,
        typer.Option(metavar="plain|none|TARGET", help="Network to compare with; repeatable. Default: plain."),
    ] = None,
    norm: Annotated[Norm | None, typer.Option(help="Normalisation, the same as --set norm=….")] = None,
    inputs: Annotated[
        Inputs, typer.Option(help="Images: noise with random labels, scikit-learn's digits, or CIFAR-10.")
    ] = Inputs.NOISE,
    data: Annotated[Path | None, typer.Option(help="Folder or archive of CIFAR-10. Default: as for train.")] = None,
    sweep: Annotated[Sweep | None, typer.Option(help="Compare plain and residual networks of many depths.")] = None,
    depths: Annotated[str | None, typer.Option(metavar="20,32,…", help="Depths for --sweep depth.")] = None,
    paths: Annotated[bool, typer.Option("--paths", help="Measure the gradient of paths of each length.")] = False,
    batches: Annotated[int, typer.Option(help="Batches to average over.")] = 3,
    batch_size: Annotated[int, typer.Option(help="Images in a batch.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of weights, images and labels.")] = 0,
    seeds: Annotated[int, typer.Option(help="Number of initialisations, from SEED on.")] = 1,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the numbers as CSV.")] = False,
    html: Annotated[
        str | None, typer.Option(metavar="FILE.html", help="Write the plot as a page that works offline.")
    ] = None,
) -> None:
    """Measure gradients along depth and compare them with the plain counterpart, the network without shortcuts.

    Prints the norm of the loss gradient in every layer, from real backward passes at the initial weights, and a
    verdict: whether the gradient vanishes, explodes or keeps its size.
    """
    from .gradient_tables import page

    file = output_path(html, ".html") if html else None
    if sweep and paths:
        raise ExplorerError("--sweep and --paths cannot be combined. Use one of them.")
    if depths and not sweep:
        raise ExplorerError("--depths needs --sweep depth")
    if twin and (sweep or paths):
        raise ExplorerError("--twin cannot be combined with --sweep or --paths")
    spec = read_target(target, [*(changes or []), *([f"norm={norm}"] if norm else [])])
    options: ProbeOptions = {"batches": batches, "batch_size": batch_size, "seed": seed, "seeds": seeds}
    if inputs is not Inputs.NOISE:
        options["inputs"], options["labels"] = _load_images(inputs, spec, batches * batch_size, seed, data)
    if sweep:
        found = _measure_depths(spec, depths, options)
    else:
        found = _measure_paths(spec, options) if paths else _measure_layers(spec, _read_twins(spec, twin), options)
    if file:
        file.write_text(page(f"Gradients of {title(spec)}", found), encoding="utf-8")
    if as_csv:
        typer.echo(found.csv, nl=False)
        return
    out = console()
    print_table(out, found.columns, found.rows)
    out.print()
    for line in found.sentences:
        out.print(line, soft_wrap=True)
    if html:
        typer.echo(f"Wrote {html}")


def _load_images(inputs: Inputs, spec: ResNetSpec, count: int, seed: int, data: Path | None) -> tuple[Tensor, Tensor]:
    """Load images and labels, at most ``count``; for the same seed, the page uses the same images."""
    from ..datasets import DATA_SETS, find_data, sample

    found = sample(inputs.value, count, seed, find_data(DATA_SETS[inputs.value], data))
    return found.inputs(spec), found.labels


def _read_twins(spec: ResNetSpec, words: Sequence[str] | None) -> list[ResNetSpec]:
    words = words or [_PLAIN]
    if _NONE in words and len(words) > 1:
        raise ExplorerError("--twin none cannot be combined with another --twin")
    plain = [] if spec.is_plain else [spec.plain()]
    return [twin for word in words if word != _NONE for twin in (plain if word == _PLAIN else [read_target(word)])]


def _measure_layers(spec: ResNetSpec, twins: Sequence[ResNetSpec], options: ProbeOptions) -> MeasurementText:
    from ..gradients import probe_beside
    from .gradient_tables import describe_layers

    with count_progress("Measuring") as report:
        return describe_layers(*probe_beside(spec, twins, on_progress=report, **options))


def _measure_depths(spec: ResNetSpec, depths: str | None, options: ProbeOptions) -> MeasurementText:
    from ..gradients import depth_sweep
    from .gradient_tables import describe_depths

    with count_progress("Measuring networks") as report:
        return describe_depths(list(depth_sweep(spec, _parse_numbers(depths), on_progress=report, **options)))


def _measure_paths(spec: ResNetSpec, options: ProbeOptions) -> MeasurementText:
    from ..gradients import path_lengths
    from .gradient_tables import describe_paths

    with count_progress("Measuring paths") as report:
        return describe_paths(path_lengths(spec, on_progress=report, **options))


def _parse_numbers(words: str | None) -> list[int] | None:
    if words is None:
        return None
    try:
        return [int(word) for word in words.split(",")]
    except ValueError:
        raise ExplorerError("--depths: expected whole numbers with commas, for example 20,32,56") from None
