"""``teach``: a pretrained network learns the classes of a folder of photos."""

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
        typer.Option("--output", "-o", metavar="FILE.safetensors", help="Write the new head, for `classify --head`."),
    ] = None,
    model: Model = None,
    weights: Weights = None,
    changes: Changes = None,
    device: Device = "auto",
    folds: Annotated[int, typer.Option(min=2, max=50, help="Parts for cross-validation.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the split into parts.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Teach a network new classes, from photos, and say how well: exit code 1 if any photo could not be read."""
    from ..inference.head import to_bytes
    from ..inference.transfer import fit_linear_probe

    path = None if output is None else output_path(output, ".safetensors")
    labelled = _find_labelled_photos(folder)
    classifier = load_network(model, weights, changes, device)
    seen, labels, failed = _extract_features(classifier, labelled)
    with count_progress("Teaching") as report:
        probe = fit_linear_probe(seen, labels, classifier.variant, folds=folds, seed=seed, on_progress=report)
    if path:
        path.write_bytes(to_bytes(probe.head))
    if as_json:
        print_json(_to_dict(probe, failed))
    else:
        _print(probe)
        if path:
            typer.echo(f"{output}: the new head, on {classifier.variant.title}")
    if failed:
        raise typer.Exit(1)


def _find_labelled_photos(folder: Path) -> dict[Path, str]:
    """Every photo below ``folder``, with the name of the subfolder it is in, however deep.

    Raises:
        DataError: there is none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: a folder is expected, with a subfolder of photos for each class")
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    labelled = {photo: path.name for path in subfolders for photo in photo_files([path])[0]}
    if len(set(labelled.values())) < 2:
        raise DataError(f"{folder}: photos in at least two subfolders are expected, one for each class")
    return labelled


def _extract_features(classifier: Classifier, labelled: dict[Path, str]) -> tuple[Features, list[str], dict[str, str]]:
    """Features and labels of the photos that can be read, and of the others why not."""
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
