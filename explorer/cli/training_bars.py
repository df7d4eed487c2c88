"""Progress of training in a terminal: a bar, and a line for every epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .terminal import console, progress

if TYPE_CHECKING:
    from ..training import Epoch, Run, Training


def follow(run: Run, checkpoint: Path) -> None:
    """Train to the end; print a line for every epoch and a bar for the whole run."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn

    from ..training import Epoch, train

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


def watch(training: Training) -> None:
    """Train networks side by side to the end, with one bar for all."""
    from rich.progress import BarColumn, TextColumn

    from ..views.training.runs import outcomes, time_left

    with progress(console(), TextColumn("{task.description}"), BarColumn(20)) as bar:
        task = bar.add_task("reading the images", total=1)
        for _ in training.steps():
            words = f"{outcomes(training.records)} {time_left(training.seconds_left)}"
            bar.update(task, description=words, completed=training.share)


def _line(epoch: Epoch, epochs: int) -> str:
    number = f"{epoch.epoch + 1:{len(str(epochs))}} of {epochs}"
    train, test = (f"{100 * share:5.2f} %" for share in (epoch.train_accuracy, epoch.test_accuracy))
    return f"epoch {number}  loss {epoch.loss:.4f}  train {train}  test {test}  {epoch.seconds:.0f} s"
