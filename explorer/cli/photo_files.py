"""Find and read the photos named on the command line: files and folders."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ..errors import ImageError

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif", ".heic", ".heif")
# Decoding and the network share the cores; more threads would only use more memory.
_WORKERS = min(8, (os.cpu_count() or 1) + 1)
_T = TypeVar("_T")


def photo_files(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """List every photo once: named files, and all files in folders and subfolders whose names end like a photo's.

    Links to folders and names that start with a dot are skipped. Also returns the number of other files in the
    folders.
    """
    found: dict[Path, None] = {}
    others = 0
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            shown = sorted(name for name in names if not name.startswith("."))
            photos = [name for name in shown if name.lower().endswith(ENDINGS)]
            others += len(shown) - len(photos)
            found |= {Path(folder, name): None for name in photos}
    return list(found), others


def read_photo(file: Path) -> bytes:
    """Read a photo, at most one byte more than the limit, so that the decoder can reject it."""
    from ..inference.images.decode import MAX_BYTES

    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def error_reason(error: Exception) -> str:
    """The reason of an error, without the file's name."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def try_on(work: Callable[[Path], _T], file: Path) -> _T | str:
    """Return ``work(file)``, or the reason if the file cannot be read."""
    try:
        return work(file)
    except (OSError, ImageError) as error:
        return error_reason(error)


def map_in_order(files: Sequence[Path], work: Callable[[Path], _T]) -> Iterator[tuple[Path, _T]]:
    """Apply ``work`` to the files in parallel and yield the results in order, with a limited number in advance."""
    pool = ThreadPoolExecutor(_WORKERS)
    ahead: deque[tuple[Path, Future[_T]]] = deque()
    try:
        for file in files:
            ahead.append((file, pool.submit(work, file)))
            if len(ahead) > 2 * _WORKERS:
                first, result = ahead.popleft()
                yield first, result.result()
        for first, result in ahead:
            yield first, result.result()
    finally:
        pool.shutdown(cancel_futures=True)
