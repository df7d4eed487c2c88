"""A published weight file, where it is kept on this machine, and whether it is intact there."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import torch

from ...folders import cache_folder

MIRROR_VARIABLE = "RESNET_EXPLORER_MIRROR"


@dataclass(frozen=True)
class WeightFile:
    """A weight file as it was published.

    Attributes:
        source: URL; for a built-in net the file itself.
        sha256: hexadecimal, whole or its first digits (torchvision publishes eight).
        size_bytes: torchvision's is known to within 1 KiB.
    """

    source: str | Path
    sha256: str
    size_bytes: int

    def __post_init__(self) -> None:
        if len(self.sha256) < 8 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"sha256: got {self.sha256!a}; at least eight lower-case hexadecimal digits are expected")

    @property
    def builtin(self) -> bool:
        """Whether the file comes with this program."""
        return isinstance(self.source, Path)

    @property
    def file_name(self) -> str:
        """Name of the file, without a folder."""
        return self.source.name if isinstance(self.source, Path) else PurePosixPath(urlsplit(self.source).path).name


def mirror() -> str | Path | None:
    """What ``RESNET_EXPLORER_MIRROR`` names: the URL or folder under which the files lie."""
    named = os.environ.get(MIRROR_VARIABLE)
    if not named:
        return None
    return named.rstrip("/") if named.startswith(("http://", "https://")) else Path(named).expanduser()


def cached_path(file: WeightFile) -> Path | None:
    """Where the file already is on this machine, not yet verified; None if it is not."""
    return next((path for path in _places(file) if _is_there(path)), None)


def intact_path(file: WeightFile) -> Path | None:
    """Where the file already is on this machine with the right SHA-256; None if it is not."""
    return next((path for path in _places(file) if is_intact(path, file.sha256)), None)


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


def _places(file: WeightFile) -> tuple[Path, ...]:
    """Where the file may be, the first choice first."""
    if isinstance(file.source, Path):
        return (file.source,)
    shared = mirror()
    folders = (cache_folder(), Path(torch.hub.get_dir()) / "checkpoints")
    return tuple(folder / file.file_name for folder in (*folders, *([shared] if isinstance(shared, Path) else [])))


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # in a folder that may not be entered
        return False
