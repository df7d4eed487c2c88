"""``transfer``: train a linear probe, a new head on a pretrained network, for the classes of a folder of photos."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError
from .classify import Device, Model, Weights, load_network, photo_progress
from .photo_files import map_in_order, photo_files, read_photo, try_on
from .targets import Changes
from .terminal import Column, console, count_progress, output_path, print_json, print_table

if TYPE_CHECKING:
    from ..inference import Classifier
    from ..inference.transfer import Features, LinearProbe


def transfer(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A subfolder of photos for each class.")],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE.safetensors", help="Write the new head for `classify --head`."),
    ] = None,
    model: Model = None,
    weights: Weights = None,
    changes: Changes = None,
    device: Device = "auto",
    folds: Annotated[int, typer.Option(min=2, max=50, help="Folds of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the split into folds.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Transfer learning: train a new head on photos and cross-validate it. Exit code 1 if a photo could not be read."""
    from ..inference.head import to_bytes
    from ..inference.transfer import fit_linear_probe

    path = None if output is None else output_path(output, ".safetensors")
    labelled = _find_labelled_photos(folder)
    classifier = load_network(model, weights, changes, device)
    features, labels, failed = _extract_features(classifier, labelled)
    with count_progress("Training") as report:
        probe = fit_linear_probe(features, labels, classifier.variant, folds=folds, seed=seed, on_progress=report)
    if path:
        path.write_bytes(to_bytes(probe.head))
    if as_json:
        print_json(_to_dict(probe, failed))
    else:
        _print(probe)
        if path:
            typer.echo(f"Wrote {output}: a head for {classifier.variant.title}")
    if failed:
        raise typer.Exit(1)


def _find_labelled_photos(folder: Path) -> dict[Path, str]:
    """Find every photo below ``folder``; the label is the name of the subfolder.

    Raises:
        DataError: ``folder`` has no photos in two or more subfolders.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder with one subfolder of photos per class")
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    labelled = {photo: path.name for path in subfolders for photo in photo_files([path])[0]}
    if len(set(labelled.values())) < 2:
        raise DataError(f"{folder}: expected photos in at least two subfolders, one per class")
    return labelled


def _extract_features(classifier: Classifier, labelled: dict[Path, str]) -> tuple[Features, list[str], dict[str, str]]:
    """Compute features of the readable photos; also returns their labels, and the errors of the other photos."""
    import numpy as np

    from ..inference import decode
    from ..inference.transfer import compute_features

    enough = classifier.variant.transform.at_least

    def extract(file: Path) -> Features:
        return compute_features(classifier, [decode(read_photo(file), enough)])

    rows, labels, failed = [], [], {}
    with photo_progress(len(labelled)) as (step, complain):
        for file, found in map_in_order(list(labelled), lambda file: try_on(extract, file)):
            if isinstance(found, str):
                failed[str(file)] = found
                complain(f"{file}: {found}")
            else:
                rows.append(found)
                labels.append(labelled[file])
            step()
    empty = np.empty((0, classifier.variant.spec.out_channels), np.float32)
    return np.concatenate([empty, *rows]), labels, failed


def _to_dict(probe: LinearProbe, failed: dict[str, str]) -> dict[str, Any]:
    counts = Counter(probe.truth)
    return {
        "classes": {name: counts[place] for place, name in enumerate(probe.head.classes)},
        "backbone": probe.head.backbone,
        "photos": len(probe.truth),
        "folds": probe.folds,
        "accuracy": probe.head.accuracy,
        "interval": list(probe.interval),
        "majority": probe.majority,
        "repeated": probe.repeated,
        "confusion": [list(row) for row in probe.confusion],
        "failed": failed,
    }


def _print(probe: LinearProbe) -> None:
    from ..views.classify.transfer import headline, sentences

    out, names = console(), probe.head.classes
    out.print(headline(probe), soft_wrap=True)
    for sentence in sentences(probe):
        out.print(sentence, soft_wrap=True)
    out.print()
    columns = [Column("label"), *(Column(name, number=True) for name in names)]
    print_table(out, columns, [(name, *map(str, row)) for name, row in zip(names, probe.confusion, strict=True)])
