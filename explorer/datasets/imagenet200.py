"""200 everyday classes of ImageNet (Deng et al. 2009) at 32×32 px, laid out as Tiny ImageNet is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import DataError
from .files import decode, read_files
from .image_set import ImageSet, Splits


def load_imagenet200(source: Path) -> Splits:
    """Training and validation split.

    Args:
        source: a folder or ``.tar`` archive with ``train/<wnid>/images/*.JPEG``, ``val/images/*.JPEG`` and
            ``val/val_annotations.txt``, whose second column is the wnid. Beside an archive, or in a folder, is
            ``imagenet200-names.tsv``: wnid and name of every class, in the order of the labels.

    Raises:
        DataError: something of that is absent, an image is damaged or of another size.
    """
    names = _names((source.parent if source.is_file() else source) / "imagenet200-names.tsv")
    place = {wnid: index for index, wnid in enumerate(names)}
    train, labels = list[np.ndarray](), list[int]()
    val, wnids = dict[str, np.ndarray](), dict[str, str]()
    for path, data in read_files(source, "*/**/*"):
        folders = path.parts[-4:]
        if path.name == "val_annotations.txt":
            rows = (line.split("\t") for line in data.decode("utf-8", "replace").splitlines())
            wnids = {row[0]: row[1] for row in rows if len(row) > 1}
        elif folders[:1] == ("train",) and folders[1] in place:
            train.append(decode(data, path.name))
            labels.append(place[folders[1]])
        elif folders[-3:-1] == ("val", "images"):
            val[path.name] = decode(data, path.name)
    known = [name for name in val if wnids.get(name) in place]
    if len(set(labels)) < len(names) or not known:
        raise DataError(
            f"{source.name[:80]!a} has training images of {len(set(labels))} of {len(names)} classes and "
            f"{len(known)} labelled validation images, expected train/<wnid>/images, val/images and "
            "val/val_annotations.txt"
        )
    classes = tuple(names.values())
    return (
        ImageSet.from_pixels(train, labels, classes),
        ImageSet.from_pixels([val[name] for name in known], [place[wnids[name]] for name in known], classes),
    )


def _names(path: Path) -> dict[str, str]:
    """wnid -> name of the class."""
    try:
        rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
        return {row[0]: row[1] for row in rows if len(row) == 2}
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.name}, a line with wnid, tab and name for every class, is needed beside the images"
        ) from error
