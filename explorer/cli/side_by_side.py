"""``train --repeat`` and ``train --experiment``: train networks side by side, as on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import ExplorerError
from .targets import refuse_broken
from .terminal import Column, console, print_table
from .training_bars import watch

if TYPE_CHECKING:
    from ..training import Record


def repeat_run(file: Path, data: Path | None, output: Path | None, device: str) -> None:
    """Train a saved run again, save the new run and compare the two.

    Args:
        file: the JSON of the run.
        data: folder or archive of its images, as for ``find_data``.

    Raises:
        ExplorerError: the file is not a run, or ``output`` is missing.
    """
    from ..datasets import find_data
    from ..inference.running.engine import choose_device
    from ..training import TRAINING_DATA, Training, read_run
    from ..training.run_file import MAX_TEXT
    from ..views.training.runs import outcomes, repeated

    if output is None:
        raise ExplorerError("--repeat needs --output: a folder for the repeated run")
    with file.open(encoding="utf-8", errors="replace") as text:
        first = read_run(text.read(MAX_TEXT + 1))
    refuse_broken(first.plan.spec)
    again = replace(first.plan, name=f"{first.plan.name} again")
    training = Training([again], find_data(TRAINING_DATA[again.data], data), choose_device(device))
    watch(training)
    (record,) = training.records
    _write(record, output, "run")
    typer.echo(outcomes([record]))
    typer.echo(repeated(first, record))
    typer.echo(f"Wrote {output / 'run.json'} and run.safetensors")


def run_experiment(name: str, changes: Mapping[str, Any], seeds: int, output: Path | None, device: str) -> None:
    """Train an experiment's networks side by side, and print accuracies and what they mean.

    Args:
        name: a key of ``EXPERIMENTS``.
        changes: fields of its recipe, and their values.
        seeds: number of runs, from the recipe's seed on.
        output: folder for the JSON and the weights of every run; None writes nothing.
    """
    from ..datasets import find_data
    from ..inference.running.engine import choose_device
    from ..training import EXPERIMENTS, TRAINING_DATA, Training
    from ..views.training.experiment import accuracy_table
    from ..views.training.runs import outcomes
    from ..views.training.verdict import limits, verdict

    experiment = EXPERIMENTS[name]
    recipe = replace(experiment.recipe, **changes)
    source, place = find_data(TRAINING_DATA[experiment.data]), choose_device(device)
    results: list[list[Record]] = []
    for seed in range(recipe.seed, recipe.seed + seeds):
        plans = replace(experiment, recipe=replace(recipe, seed=seed)).plans()
        training = Training(plans, source, place)
        watch(training)
        results.append(training.records)
    head, rows = accuracy_table(results)
    out = console()
    print_table(out, [Column(name, number=bool(name)) for name in head], rows)
    for records in results:
        start = f"Seed {records[0].plan.recipe.seed}: " if seeds > 1 else ""
        out.print(f"{start}{verdict(records)}", soft_wrap=True)
    out.print(limits(results[0]), soft_wrap=True)
    every = [record for records in results for record in records]
    for record in every:
        if record.ended:
            out.print(outcomes([record]), soft_wrap=True)
        if output:
            _write(record, output, f"{record.plan.name.lower()}-seed{record.plan.recipe.seed}")
    if output:
        typer.echo(f"Wrote {len(every)} runs to {output}")


def _write(record: Record, folder: Path, name: str) -> None:
    from ..training import run_json, weights_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(run_json(record), encoding="utf-8")
    (folder / f"{name}.safetensors").write_bytes(weights_file(record))
