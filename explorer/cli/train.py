"""``train``: train the built-in network, or another, on CIFAR-10 or on scikit-learn's digits; or a kept run again."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ExplorerError
from ..spec import to_json
from ..training.recipe import Recipe, Schedule
from .targets import Changes, read_target
from .terminal import console, progress

if TYPE_CHECKING:
    from ..spec import ResNetSpec
    from ..training.builtin import Data
    from ..training.loop import Epoch, Run
    from ..training.runs import Training

DIGITS = "digits"
_HELP = "Recipe; what is not given is as for the built-in network, or as on the page for digits"


def _recipe(words: str, **bounds: Any) -> Any:
    return typer.Option(help=words, rich_help_panel=_HELP, show_default=False, **bounds)


def train(
    data: Annotated[
        str | None,
        typer.Option(
            help="digits, or a folder or archive of CIFAR-10; else RESNET_EXPLORER_DATA, else a copy beside the "
            "project, else it is downloaded."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Of the run and of the files written; else cifar10_ or digits_resnet20. The name of a built-in net "
            "stands for its network, images and recipe."
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET", help="As in inspect, else cifar_resnet20; it gets the data's image size and classes."
        ),
    ] = None,
    changes: Changes = None,
    epochs: Annotated[int | None, _recipe("Passes over the images.", min=1, max=10_000)] = None,
    batch_size: Annotated[int | None, _recipe("Images in a step.", min=2, max=10_000)] = None,
    learning_rate: Annotated[float | None, _recipe("Its peak.", min=1e-9, max=1e3)] = None,
    schedule: Annotated[Schedule | None, _recipe("Course of the learning rate.")] = None,
    momentum: Annotated[float | None, _recipe("Of SGD.", min=0, max=0.9999)] = None,
    nesterov: Annotated[bool | None, _recipe("Nesterov's momentum.")] = None,
    weight_decay: Annotated[float | None, _recipe("L2, on all parameters.", min=0, max=1)] = None,
    pad: Annotated[int | None, _recipe("Crops are shifted by up to so many px.", min=0, max=64)] = None,
    flip: Annotated[bool | None, _recipe("Mirror half of the images.")] = None,
    label_smoothing: Annotated[
        float | None, _recipe("Share of the target that all classes get.", min=0, max=0.99)
    ] = None,
    seed: Annotated[int | None, _recipe("Of weights, order and augmentation.", min=0, max=2**31 - 1)] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps; auto takes the fastest.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew instead of going on.")] = False,
    runs: Annotated[
        Path | None, typer.Option(help="Where the last epoch is kept, as NAME/last.pt; else runs/.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where the weights go; else to the built-in ones, digits to runs/NAME."),
    ] = None,
    repeat: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The JSON of a run: train it again, and say whether it measures the same."),
    ] = None,
) -> None:
    """Train a network. Ctrl-C stops it; the same command goes on after the last whole epoch."""
    from ..inference.running.engine import choose_device
    from ..inference.weights.cache import cache_folder
    from ..inference.weights.catalogue import BUILTIN
    from ..training import builtin, digits

    if repeat:
        _repeat(repeat, data, output, device)
        return
    name = name or ("digits_resnet20" if data == DIGITS else "cifar10_resnet20")
    known = builtin.NETS.get(name) if data != DIGITS and network is None else None
    usual = digits.RECIPE if data == DIGITS else known.recipe if known else Recipe()
    chosen = digits.DIGITS if data == DIGITS else known.data if known else builtin.CIFAR10
    given: dict[str, Any] = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "momentum": momentum,
        "nesterov": nesterov,
        "weight_decay": weight_decay,
        "pad": pad,
        "flip": flip,
        "label_smoothing": label_smoothing,
        "seed": seed,
    }
    recipe = replace(usual, **{key: value for key, value in given.items() if value is not None})
    spec = read_target(network or (to_json(known.spec) if known else "cifar_resnet20"), changes)
    _check(chosen.fit(spec))
    checkpoint = builtin.checkpoint_path(name, runs or builtin.RUNS)
    source = _source(data, cache_folder() / "cifar10", chosen)
    place = choose_device(device)
    typer.echo("Reading scikit-learn's digits" if data == DIGITS else f"Reading {chosen.name} from {source}")
    run = builtin.prepare(spec, recipe, source, checkpoint, device=place, fresh=fresh, data=chosen)
    if run.history:
        typer.echo(f"{name}: going on after epoch {len(run.history)} of {recipe.epochs}")
    try:
        _follow(run, checkpoint)
        if known and known.polish and recipe == known.recipe:
            checkpoint = checkpoint.with_name("polish.pt")
            run = builtin.polished(run, known.polish, checkpoint)
            _follow(run, checkpoint)
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {_kept(run, checkpoint)}")
        raise typer.Exit(130) from None
    folder = output or (checkpoint.parent if data == DIGITS else BUILTIN)
    path = builtin.publish(run, folder, name, source, chosen)
    accuracy = run.history[-1].test_accuracy
    typer.echo(f"{100 * accuracy:.2f} % of {len(run.test):,} test images are right")
    if known and (photos := builtin.find_photos()):
        typer.echo(_on_photos(path, photos))
    typer.echo(f"Wrote {path} and {path.with_suffix('.json').name}")


def _source(data: str | None, cache: Path, chosen: Data | None = None) -> Path:
    """Where the images are, of CIFAR-10 if nothing else is chosen; digits are where scikit-learn is."""
    from ..training.builtin import CIFAR10, find_data

    return Path(DIGITS) if data == DIGITS else find_data(Path(data) if data else None, cache, chosen or CIFAR10)


def _on_photos(weights: Path, photos: Path) -> str:
    """Classify full-size photos, note in the side file how that went, and say it."""
    from ..inference import load_classifier
    from ..inference.photo_score import score_photos

    score = score_photos(load_classifier(weights.stem, folder=weights.parent), photos)
    card = weights.with_suffix(".json")
    known = json.loads(card.read_text(encoding="utf-8"))
    card.write_text(json.dumps({**known, "photos": asdict(score)}, indent=2) + "\n", encoding="utf-8")
    return score.sentence


def _repeat(file: Path, data: str | None, output: Path | None, device: str) -> None:
    """Train a kept run again, write what came of it, and compare.

    Raises:
        ExplorerError: the file is no run, or the folder for the results is not named.
    """
    from ..inference.running.engine import choose_device
    from ..inference.weights.cache import cache_folder
    from ..training.run_file import MAX_TEXT, read_run, run_json, weights_file
    from ..training.runs import Training
    from ..views.training.runs import outcomes, repeated

    if output is None:
        raise ExplorerError("--output: name a folder for the repeated run")
    with file.open(encoding="utf-8", errors="replace") as text:
        first = read_run(text.read(MAX_TEXT + 1))
    _check(first.plan.spec)
    again = replace(first.plan, name=f"{first.plan.name} again")
    source = _source(DIGITS if again.data == DIGITS else data, cache_folder() / "cifar10")
    training = Training([again], source, choose_device(device))
    _watch(training)
    (record,) = training.records
    output.mkdir(parents=True, exist_ok=True)
    (output / "run.json").write_text(run_json(record), encoding="utf-8")
    (output / "run.safetensors").write_bytes(weights_file(record))
    typer.echo(outcomes([record]))
    typer.echo(repeated(first, record))
    typer.echo(f"Wrote {output / 'run.json'} and run.safetensors")


def _watch(training: Training) -> None:
    from rich.progress import BarColumn, TextColumn

    from ..views.training.runs import left, outcomes

    with progress(console(), TextColumn("{task.description}"), BarColumn(20)) as bar:
        task = bar.add_task("reading the images", total=1)
        for _ in training.steps():
            words = f"{outcomes(training.records)} {left(training.seconds_left)}"
            bar.update(task, description=words, completed=training.share)


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
