"""``classify``: what photos show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ExplorerError, ImageError, WeightsError
from .targets import Changes, changed
from .terminal import QUIET, console, counted, print_json

if TYPE_CHECKING:
    from ..inference import Classifier, Prediction


def classify(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="Photos.")],
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A pretrained network, as resnet50; else the built-in one."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Your own weights (.safetensors, .pth) instead; their network is recognised."
        ),
    ] = None,
    changes: Changes = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps; auto takes the fastest.")] = "auto",
    top: Annotated[int, typer.Option(min=1, help="Classes to name for each photo.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of an object a file.")] = False,
) -> None:
    """Name what photos show: exit code 1 if any could not be read."""
    if weights and model:
        raise ExplorerError("--weights and --model: one of them names the network")
    if changes and not weights:
        raise ExplorerError("--set: only your own weights (--weights) leave a field open, as zero_pad=split")
    classifier = _own(weights, changes, device) if weights else _load(model, device)
    results = []
    for file in files:
        try:
            prediction = classifier.classify_bytes(_read(file), top)
        except (OSError, ImageError, WeightsError) as error:
            result = {"file": str(file), "error": _reason(error)}
            if not as_json:
                typer.echo(f"{file}: {result['error']}", err=True)
        else:
            result = {"file": str(file), **_plain(prediction)}
            if not as_json:
                _print(file, prediction)
        results.append(result)
    if as_json:
        print_json(results)
    elif any("error" not in result for result in results):
        variant = classifier.variant
        words = f"{variant.title}. {variant.transform.sentence} {variant.note}".rstrip()
        console().print(words, style=QUIET, soft_wrap=True)
    if any("error" in result for result in results):
        raise typer.Exit(1)


def _load(model: str | None, device: str) -> Classifier:
    from ..inference import load_classifier
    from ..inference.classifier import DEFAULT

    with counted("Fetching weights") as report:
        return load_classifier(
            model or DEFAULT, device, on_progress=lambda progress: report(progress.received, progress.total)
        )


def _own(weights: Path, changes: list[str] | None, device: str) -> Classifier:
    """The classifier of the user's file; says on standard error how it was recognised."""
    from ..inference.checkpoint import checkpoint_classifier, open_checkpoint

    checkpoint = open_checkpoint(weights)
    spec = changed(checkpoint.spec, changes)
    classifier = checkpoint_classifier(checkpoint, spec, device)
    for sentence in checkpoint.sentences(spec):
        typer.echo(sentence, err=True)
    return classifier


def _read(file: Path) -> bytes:
    """At most a byte more than a photo may have, which the decoder then refuses."""
    from ..inference.images import MAX_BYTES

    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _plain(prediction: Prediction) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "model": prediction.variant.name,
        "top": [{"class": name, "probability": probability} for name, probability in prediction.top],
        "device": prediction.device,
        "milliseconds": prediction.timings.total,
        "transform": prediction.transform,
        "notes": list(prediction.notes),
    }


def _print(file: Path, prediction: Prediction) -> None:
    from ..views.numbers import percent

    out = console()
    answers = ", ".join(f"{name} {percent(probability)}" for name, probability in prediction.top)
    out.print(f"{file}: {answers}", soft_wrap=True)
    for note in prediction.notes:
        if note != prediction.variant.note:  # said once, of all photos
            out.print(f"  {note}", style=QUIET, soft_wrap=True)
