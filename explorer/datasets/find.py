"""Where a data set is on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import DataError
from ..folders import cache_folder
from .cifar10 import TORCHVISION_FOLDER, has_image_files
from .registry import DataSet

DATA_VARIABLE = "RESNET_EXPLORER_DATA"
_PHOTOS = "photos"


def find_data(data: DataSet, given: Path | None = None) -> Path:
    """Find the folder or archive for ``data.load``.

    It is ``given``, else the one in the folder ``$RESNET_EXPLORER_DATA``, else the one in the cache folder:
    an archive or a folder with the data set's usual name. If CIFAR-10 is in none of them, torchvision downloads it to
    the cache folder.

    Args:
        given: a folder or archive of this data set, or a folder that contains it.

    Raises:
        DataError: nothing is at ``given``, or where the variable says.
    """
    if not data.archive:
        return Path()
    if given is not None:
        place = _require_existing(given, data)
        return _inside(place, data) or place
    named = os.environ.get(DATA_VARIABLE)
    found = _inside(_require_existing(Path(named), data), data) if named else None
    return found or _inside(cache_folder(), data) or cache_folder() / data.folder


def find_local_data(data: DataSet) -> Path | None:
    """As ``find_data``; None if the images would have to be downloaded first."""
    try:
        source = find_data(data)
    except (DataError, OSError):
        return None
    return source if not data.archive or has_image_files(source) else None


def find_photos(given: Path | None = None) -> Path | None:
    """A folder ``photos`` of full-size photos, named ``<wnid>_<class name>``: in ``given``, or where data is found."""
    folders = (given, os.environ.get(DATA_VARIABLE))
    places = (Path(folder).expanduser() / _PHOTOS for folder in folders if folder)
    return next((place for place in places if place.is_dir()), None)


def _require_existing(place: Path, data: DataSet) -> Path:
    place = place.expanduser()
    if not place.exists():
        name = data.part_of or data.name
        raise DataError(f"data: '{place}' does not exist, expected a folder or archive of {name}")
    return place


def _inside(place: Path, data: DataSet) -> Path | None:
    """The data set in a folder with several, or ``place`` if that is one itself."""
    named = (place / data.archive, place / data.folder)
    itself = place.is_file() or has_image_files(place) or (place / TORCHVISION_FOLDER).is_dir()
    return next((path for path in named if path.exists()), place if itself else None)
