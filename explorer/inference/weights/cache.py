"""Where weight files are kept on this machine, and whether they are intact."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ...folders import cache_folder

if TYPE_CHECKING:
    from .catalogue import Variant

MIRROR_VARIABLE = "RESNET_EXPLORER_MIRROR"


def mirror() -> str | Path | None:
    """What ``RESNET_EXPLORER_MIRROR`` names: the URL or folder under which the files lie."""
    named = os.environ.get(MIRROR_VARIABLE)
    if not named:
        return None
    return named.rstrip("/") if named.startswith(("http://", "https://")) else Path(named).expanduser()


def cached_path(variant: Variant) -> Path | None:
    """The variant's file where it already is on this machine, not yet verified."""
    return next((path for path in _places(variant) if _is_there(path)), None)


def intact_path(variant: Variant) -> Path | None:
    """The variant's file where it already is on this machine with the right SHA-256."""
    return next((path for path in _places(variant) if is_intact(path, variant.sha256)), None)


def is_intact(path: Path, sha256: str) -> bool:
    """Whether the file can be read and its digest starts with ``sha256``."""
    try:
        return path.is_file() and digest(path).startswith(sha256)
    except OSError:
        return False


def digest(path: Path) -> str:
    """SHA-256 of the file, 64 hexadecimal digits."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            sha256.update(chunk)
    return sha256.hexdigest()


def _places(variant: Variant) -> tuple[Path, ...]:
    """Where the file may be, the first choice first."""
    if isinstance(variant.source, Path):
        return (variant.source,)
    shared = mirror()
    folders = (cache_folder(), Path(torch.hub.get_dir()) / "checkpoints")
    return tuple(folder / variant.file_name for folder in (*folders, *([shared] if isinstance(shared, Path) else [])))


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that may not be entered
        return False
