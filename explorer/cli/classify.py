"""``classify``: predict classes for photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ExplorerError, WeightsError
from .answers_file import AnswersFile
from .photo_files import map_in_order, photo_files, read_photo, try_on
from .targets import Changes, apply_changes
from .terminal import QUIET, console, count_progress, print_json, progress

if TYPE_CHECKING:
    from ..inference import Classifier, Prediction

Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Pretrained network, for example resnet50. Default: the built-in one."),
]
Weights = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Your own weights (.safetensors, .pth); the network is recognised from them."),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, cuda-float32 or mps; auto chooses the fastest.")]


def classify(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="Photos, or folders of photos.")],
    model: Model = None,
    weights: Weights = None,
    changes: Changes = None,
    head: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Head from `transfer`, for the network it was trained on.")
    ] = None,
    device: Device = "auto",
    top: Annotated[int, typer.Option(min=1, max=1000, help="Number of classes to print for each photo.")] = 5,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to FILE.csv or FILE.jsonl; an interrupted run resumes there.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array with one object per file.")] = False,
) -> None:
    """Predict classes for photos. Exit code 1 if a photo could not be read."""
    if output and as_json:
        raise ExplorerError("--output and --json cannot be combined. Use one of them.")
    if output and not output.lower().endswith((".csv", ".jsonl")):
        raise ExplorerError(f"{output}: expected a name that ends in .csv or .jsonl")
    classifier = load_network(model, weights, changes, device, head)
    wanted, others = photo_files(files)
    if others:
        typer.echo(
            f"Skipped {others} {'files whose names do' if others > 1 else 'file whose name does'} not end like a photo",
            err=True,
        )
    if not wanted:
        raise ExplorerError("no photos found")
    with ExitStack() as stack:
        kept = None
        if output:
            width = min(top, len(classifier.variant.classes))
            kept = stack.enter_context(AnswersFile(Path(output), _answers_name(classifier), width).writing())
        left = [file for file in wanted if not (kept and kept.has_answer(file))]
        results = _classify_files(classifier, left, top, kept, quiet=as_json)
    failed = sum("error" in result for result in results)
    if as_json:
        print_json(results)
    elif kept:
        there = len(wanted) - len(left)
        already = f", {there} were already there" if there else ""
        unreadable = "1 file" if failed == 1 else f"{failed} files"
        typer.echo(f"{output}: {len(results) - failed} predictions written{already}, {unreadable} could not be read")
    elif failed < len(results):
        variant = classifier.variant
        words = f"{variant.title}. {variant.transform.sentence} {variant.note}".rstrip()
        console().print(words, style=QUIET, soft_wrap=True)
    if failed:
        raise typer.Exit(1)


def load_network(
    model: str | None, weights: Path | None, changes: list[str] | None, device: str, head: Path | None = None
) -> Classifier:
    """Load the network that the options name.

    Raises:
        ExplorerError: the options contradict each other, or the network cannot be loaded.
    """
    if weights and model:
        raise ExplorerError("--weights and --model cannot be combined. Use one of them.")
    if changes and not weights:
        raise ExplorerError("--set needs --weights, for example --weights FILE --set zero_pad=split")
    if head is None:
        return _load_own(weights, changes, device) if weights else _load(model, device)
    from ..inference.head import MAX_HEAD_BYTES, from_bytes, with_head

    with head.open("rb") as opened:
        known = from_bytes(opened.read(MAX_HEAD_BYTES + 1))
    base = _load_own(weights, changes, device) if weights else _load(model or known.backbone, device)
    return with_head(base, known)


@contextmanager
def photo_progress(total: int, wanted: bool = True) -> Iterator[tuple[Callable[[], None], Callable[[str], None]]]:
    """Show a progress bar with the remaining time on standard error.

    Yields two functions: one advances the bar by a photo, the other prints a line above the bar.

    Args:
        wanted: whether to show the bar.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    shown = console(err=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with progress(shown, *columns) as bar:
        task = bar.add_task("Photos", total=total, visible=wanted)
        yield lambda: bar.advance(task), lambda line: shown.print(line, soft_wrap=True)


def _classify_files(
    classifier: Classifier, files: list[Path], top: int, kept: AnswersFile | None, quiet: bool
) -> list[dict[str, Any]]:
    """Classify the files; print or write each result immediately, in the order of the files."""

    def ask(file: Path) -> Prediction | str:
        try:
            return try_on(lambda path: classifier.classify_bytes(read_photo(path), top), file)
        except WeightsError as error:
            return str(error)

    printed = not kept and not quiet
    results = []
    with photo_progress(len(files), wanted=not (printed and console().is_terminal)) as (step, complain):
        for file, answer in map_in_order(files, ask):
            if isinstance(answer, str):
                result: dict[str, Any] = {"file": str(file), "error": answer}
                if not quiet:
                    complain(f"{file}: {answer}")
            else:
                result = {"file": str(file), **_to_dict(answer)}
                if printed:
                    _print(file, answer)
            if kept:
                kept.add(result)
            results.append(result)
            step()
    return results


def _load(model: str | None, device: str) -> Classifier:
    from ..inference import load_classifier
    from ..inference.classifier import DEFAULT

    with count_progress("Downloading weights") as report:
        return load_classifier(
            model or DEFAULT, device, on_progress=lambda progress: report(progress.received, progress.total)
        )


def _load_own(weights: Path, changes: list[str] | None, device: str) -> Classifier:
    """Load the user's weight file and print to standard error how its network was recognised."""
    from ..inference.checkpoint import checkpoint_classifier, open_checkpoint

    checkpoint = open_checkpoint(weights)
    spec = apply_changes(checkpoint.spec, changes)
    classifier = checkpoint_classifier(checkpoint, spec, device)
    for sentence in checkpoint.sentences(spec):
        typer.echo(sentence, err=True)
    return classifier


def _answers_name(classifier: Classifier) -> str:
    """A name for the network in an answers file; a hash is added if the network is not in the catalogue."""
    from ..inference import variants

    variant = classifier.variant
    if variant in variants():
        return variant.name
    facts = "\n".join([variant.file.sha256, variant.recipe, *variant.classes])
    return f"{variant.name} {sha256(facts.encode()).hexdigest()[:8]}"


def _to_dict(prediction: Prediction) -> dict[str, Any]:
    """Convert a prediction to JSON values."""
    return {
        "model": prediction.variant.name,
        "top": [{"class": name, "probability": probability} for name, probability in prediction.top],
        "device": prediction.device,
        "milliseconds": prediction.timings.total,
        "transform": prediction.transform,
        "notes": list(prediction.notes),
    }


def _print(file: Path, prediction: Prediction) -> None:
    from ..views.kit.numbers import percent

    out = console()
    answers = ", ".join(f"{name} {percent(probability)}" for name, probability in prediction.top)
    out.print(f"{file}: {answers}", soft_wrap=True)
    for note in prediction.notes:
        if note != prediction.variant.note:  # printed once for all photos
            out.print(f"  {note}", style=QUIET, soft_wrap=True)
