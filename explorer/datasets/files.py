"""Labelled images as files in a folder or a ``.tar`` archive; sizes and contents are checked."""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
from PIL import Image

from ..errors import DataError

SIDE = 32
_DAMAGED = (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error)


def read_files(source: Path, pattern: str) -> Iterator[tuple[PurePath, bytes]]:
    """Read path and bytes of every file in an archive, or of the files in a folder that match ``pattern``, sorted.

    Raises:
        DataError: the archive is damaged.
    """
    if source.is_file():
        return _read_archive(source)
    return ((path, path.read_bytes()) for path in sorted(source.glob(pattern)) if path.is_file())


def _read_archive(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield PurePosixPath(member.name), file.read()
            # tarfile takes an entry it cannot read for the end, which really is two blocks of zeros or more.
            rest = tar.fileobj.read(-1) if tar.fileobj else b""
            if not rest or any(rest):
                raise tarfile.ReadError("the archive's end is missing")
    except _DAMAGED as error:
        raise DataError(f"{archive.name[:80]!a} is damaged or is not an archive. Copy or download it again") from error


def decode(data: bytes, name: str) -> np.ndarray:
    """A local training image -> (32, 32, 3) uint8. Photos from outside: ``explorer.inference.images.decode``."""
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
        if image.size != (SIDE, SIDE):
            raise DataError(f"{name[:80]!a} is {image.width}×{image.height}, expected {SIDE}×{SIDE}")
        return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{name[:80]!a} is not a readable JPEG or PNG") from error
