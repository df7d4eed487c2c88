"""``train``: train the built-in network, or another, on CIFAR-10."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ExplorerError
from ..training.recipe import Recipe, Schedule
from .targets import Changes, read_target
from .terminal import console, progress

if TYPE_CHECKING:
    from ..spec import ResNetSpec
    from ..training.loop import Epoch, Run

_DEFAULT = Recipe()


def train(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder or archive of CIFAR-10; else RESNET_EXPLORER_DATA, else a copy beside the project, "
            "else it is downloaded."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Of the run and of the files written.")] = "cifar10_resnet20",
    network: Annotated[
        str,
        typer.Option(metavar="TARGET", help="As in inspect; it gets CIFAR-10's size and classes."),
    ] = "cifar_resnet20",
    changes: Changes = None,
    epochs: Annotated[int, typer.Option(min=1, max=10_000)] = _DEFAULT.epochs,
    batch_size: Annotated[int, typer.Option(min=2, max=10_000)] = _DEFAULT.batch_size,
    learning_rate: Annotated[float, typer.Option(min=1e-9, max=1e3)] = _DEFAULT.learning_rate,
    schedule: Annotated[Schedule, typer.Option(help="Course of the learning rate.")] = _DEFAULT.schedule,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1)] = _DEFAULT.seed,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps; auto takes the fastest.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of going on.")] = False,
    runs: Annotated[
        Path | None, typer.Option(help="Where the last epoch is kept, as NAME/last.pt; else runs/.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where the weights go; else to the built-in ones.")
    ] = None,
) -> None:
    """Train a network on CIFAR-10. Ctrl-C stops it; the same command goes on after the last whole epoch."""
    from ..inference.cache import cache_folder
    from ..inference.catalog import BUILTIN
    from ..inference.engine import choose_device
    from ..training import builtin

    spec = read_target(network, changes)
    _check(builtin.CIFAR10.fit(spec))
    checkpoint = builtin.checkpoint_path(name, runs or builtin.RUNS)
    source = builtin.find_data(data, cache_folder() / "cifar10")
    place = choose_device(device)
    recipe = Recipe(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, schedule=schedule, seed=seed)
    typer.echo(f"Reading CIFAR-10 from {source}")
    run = builtin.prepare(spec, recipe, source, checkpoint, device=place, fresh=fresh)
    if run.history:
        typer.echo(f"{name}: going on after epoch {len(run.history)} of {epochs}")
    try:
        _follow(run, checkpoint)
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {_kept(run, checkpoint)}")
        raise typer.Exit(130) from None
    path = builtin.publish(run, output or BUILTIN, name, source)
    accuracy = run.history[-1].test_accuracy
    typer.echo(f"{100 * accuracy:.2f} % of {len(run.test):,} test images are right")
    typer.echo(f"Wrote {path} and {path.with_suffix('.json').name}")


def _check(spec: ResNetSpec) -> None:
    """Before the data is read.

    Raises:
        ExplorerError: a shortcut doesn't fit.
    """
    from ..inspection import inspect

    broken = inspect(spec).broken
    if broken:
        raise ExplorerError(broken[0].explanation)


def _follow(run: Run, checkpoint: Path) -> None:
    """Train to the end: a line for every epoch, and a bar for the whole run."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    from ..training.builtin import train
    from ..training.loop import Epoch

    epochs = run.recipe.epochs
    columns = (TextColumn("{task.description}"), BarColumn(20), TimeRemainingColumn(), TextColumn("left"))
    with progress(console(), *columns) as bar:
        task = bar.add_task("starting", total=None)
        for event in train(run, checkpoint):
            if isinstance(event, Epoch):
                bar.console.print(_line(event, epochs), soft_wrap=True)
                continue
            place = f"epoch {event.epoch + 1} of {epochs}"
            bar.update(
                task,
                description=f"{place}  loss {event.loss:.3f}  {event.images_per_second:,.0f} images/s",
                completed=event.epoch * event.steps + event.step,
                total=epochs * event.steps,
            )


def _line(epoch: Epoch, epochs: int) -> str:
    number = f"{epoch.epoch + 1:{len(str(epochs))}} of {epochs}"
    train, test = (f"{100 * share:5.2f} %" for share in (epoch.train_accuracy, epoch.test_accuracy))
    return f"epoch {number}  loss {epoch.loss:.4f}  train {train}  test {test}  {epoch.seconds:.0f} s"


def _kept(run: Run, checkpoint: Path) -> str:
    done = len(run.history)
    if not done:
        return "No epoch was finished, so nothing is kept."
    return f"{checkpoint} keeps the first {done} of {run.recipe.epochs} epochs; the same command goes on."
