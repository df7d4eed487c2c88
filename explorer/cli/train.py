"""``train``: train a network on CIFAR-10 or digits, run an experiment, or repeat a saved run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ExplorerError
from ..spec import to_json
from ..training import Recipe, Schedule
from .side_by_side import repeat_run, run_experiment
from .targets import Changes, read_target, refuse_broken
from .training_bars import follow

if TYPE_CHECKING:
    from ..datasets import DataSet
    from ..spec import ResNetSpec
    from ..training import BuiltIn, Publication, Run

DIGITS = "digits"
_HELP = "Recipe (defaults: those of the built-in network, or of the page for digits)"


class ExperimentName(str, Enum):
    DEGRADATION = "degradation"


def _recipe(words: str, **bounds: Any) -> Any:
    return typer.Option(help=words, rich_help_panel=_HELP, show_default=False, **bounds)


def train(
    data: Annotated[
        str | None,
        typer.Option(
            help="digits, or a folder or archive of CIFAR-10. Default: CIFAR-10 from the folder RESNET_EXPLORER_DATA, "
            "else from the cache folder, else downloaded."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the run and of its files. Default: cifar10_resnet20 or digits_resnet20. The name of a "
            "built-in network selects its network, images and recipe."
        ),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="As for inspect. Default: cifar_resnet20. Image size and classes are set to those of the data.",
        ),
    ] = None,
    changes: Changes = None,
    epochs: Annotated[int | None, _recipe("Passes over the training images.", min=1, max=10_000)] = None,
    batch_size: Annotated[int | None, _recipe("Images per step.", min=2, max=10_000)] = None,
    learning_rate: Annotated[float | None, _recipe("Peak learning rate.", min=1e-9, max=1e3)] = None,
    schedule: Annotated[Schedule | None, _recipe("Learning-rate schedule.")] = None,
    momentum: Annotated[float | None, _recipe("Momentum of SGD.", min=0, max=0.9999)] = None,
    nesterov: Annotated[bool | None, _recipe("Nesterov's momentum.")] = None,
    weight_decay: Annotated[float | None, _recipe("L2 penalty on all parameters.", min=0, max=1)] = None,
    pad: Annotated[int | None, _recipe("Random shift of the crops, px.", min=0, max=64)] = None,
    flip: Annotated[bool | None, _recipe("Mirror half of the images at random.")] = None,
    label_smoothing: Annotated[
        float | None, _recipe("Share of the target spread over all classes.", min=0, max=0.99)
    ] = None,
    seed: Annotated[int | None, _recipe("Seed of weights, order and augmentation.", min=0, max=2**31 - 1)] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps; auto chooses the fastest.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Start from the first epoch instead of resuming.")] = False,
    runs: Annotated[Path | None, typer.Option(help="Folder for checkpoints, as NAME/last.pt. Default: runs/.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the weights. Default: the built-in weights, for digits runs/NAME."
        ),
    ] = None,
    experiment: Annotated[
        ExperimentName | None,
        typer.Option(
            help="Train its networks side by side on digits, and print accuracies and what they mean; its runs are "
            "saved only with --output."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Number of runs of the experiment, from SEED on.", min=1, max=100)] = 1,
    repeat: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON of a run: train it again and compare the results."),
    ] = None,
) -> None:
    """Train a network. Ctrl-C stops it; the same command resumes after the last finished epoch."""
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
    recipe = {key: value for key, value in given.items() if value is not None}
    if repeat:
        repeat_run(repeat, Path(data) if data else None, output, device)
    elif experiment:
        if network or name or changes or runs or fresh or data not in (None, DIGITS):
            raise ExplorerError(
                "--experiment has its own networks and images; it allows only recipe options, --device and --output"
            )
        run_experiment(experiment.value, recipe, seeds, output, device)
    else:
        if seeds > 1:
            raise ExplorerError("--seeds needs --experiment")
        _train_network(_read_order(data, name, network, changes, recipe), device, fresh, runs, output)


@dataclass(frozen=True)
class _Order:
    """One network to train.

    Attributes:
        name: of the run.
        known: the built-in network of that name; None for another network, or other images.
        place: folder or archive of the images, as for ``find_data``.
    """

    name: str
    known: BuiltIn | None
    data: DataSet
    place: Path | None
    spec: ResNetSpec
    recipe: Recipe

    @property
    def polish(self) -> Recipe | None:
        """The second recipe of a built-in network whose first one was not changed."""
        return self.known.polish if self.known and self.recipe == self.known.recipe else None


def _read_order(
    data: str | None, name: str | None, network: str | None, changes: list[str] | None, recipe: Mapping[str, Any]
) -> _Order:
    """Combine the options into an order; ``recipe`` contains the fields that the user set.

    Raises:
        ExplorerError: there is no such network, or a shortcut does not match its branch.
    """
    from ..datasets import CIFAR10, DIGITS
    from ..training import DIGITS_RECIPE, NETS

    digits = data == DIGITS.key
    name = name or ("digits_resnet20" if digits else "cifar10_resnet20")
    known = NETS.get(name) if not digits and network is None else None
    usual = DIGITS_RECIPE if digits else known.recipe if known else Recipe()
    order = _Order(
        name=name,
        known=known,
        data=DIGITS if digits else known.data if known else CIFAR10,
        place=Path(data) if data and not digits else None,
        recipe=replace(usual, **recipe),
        spec=read_target(network or (to_json(known.spec) if known else "cifar_resnet20"), changes),
    )
    refuse_broken(order.data.fit(order.spec))
    return order


def _train_network(order: _Order, device: str, fresh: bool, runs: Path | None, output: Path | None) -> None:
    """Train to the end of the recipe and write the files."""
    from ..datasets import find_data, find_photos
    from ..inference.running.engine import choose_device
    from ..inference.weights.catalogue import BUILTIN
    from ..training.checkpoints import RUNS, checkpoint_path, prepare
    from ..training.publication import describe_run

    name, data = order.name, order.data
    checkpoint = checkpoint_path(name, runs or RUNS)
    source = find_data(data, order.place)
    place = choose_device(device)
    typer.echo(f"Reading {data.name} from {source}" if data.archive else "Reading scikit-learn's digits")
    run = prepare(order.spec, order.recipe, source, checkpoint, device=place, fresh=fresh, data=data)
    if run.history:
        typer.echo(f"{name}: resuming after epoch {len(run.history)} of {order.recipe.epochs}")
    run = _train_and_polish(run, checkpoint, order.polish)
    published = describe_run(run, name, source, data)
    typer.echo(f"{100 * run.history[-1].test_accuracy:.2f} % of {len(run.test):,} test images correct")
    if order.known and (photos := find_photos(order.place)):
        published = _score_photos(published, photos)
    path = published.write(output or (BUILTIN if data.archive else checkpoint.parent))
    typer.echo(f"Wrote {path} and {path.with_suffix('.json').name}")


def _train_and_polish(run: Run, checkpoint: Path, polish: Recipe | None) -> Run:
    """Train to the end, then by the second recipe if there is one; on Ctrl-C, print what is saved.

    Raises:
        typer.Exit: stopped by Ctrl-C.
    """
    from ..training.checkpoints import polish as start_polishing

    try:
        follow(run, checkpoint)
        if polish:
            checkpoint = checkpoint.with_name("polish.pt")
            run = start_polishing(run, polish, checkpoint)
            follow(run, checkpoint)
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {_saved_words(run, checkpoint)}")
        raise typer.Exit(130) from None
    return run


def _score_photos(published: Publication, photos: Path) -> Publication:
    """Classify full-size photos and print the result."""
    from ..inference.checkpoint import checkpoint_classifier, trained_checkpoint
    from ..inference.photo_score import score_photos
    from ..views.classify.measurements import photo_score_words

    trained = trained_checkpoint(published.name, published.card, published.state, published.weights)
    classifier = checkpoint_classifier(trained)
    if published.calibration:
        variant = replace(classifier.variant, min_in_distribution_score=published.calibration.familiar)
        classifier = replace(classifier, variant=variant)
    score = score_photos(classifier, photos)
    typer.echo(photo_score_words(score))
    return replace(published, photos=asdict(score))


def _saved_words(run: Run, checkpoint: Path) -> str:
    done = len(run.history)
    if not done:
        return "No epoch was finished, so nothing is saved."
    return f"{checkpoint} contains {done} of {run.recipe.epochs} epochs. The same command resumes there."
