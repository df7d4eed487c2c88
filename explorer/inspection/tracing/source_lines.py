"""Which line of whose program asked for an operation."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from types import FrameType

import torch
import torchinfo

_INSPECTION = Path(__file__).parents[1]
_SKIPPED = tuple(f"{folder}{os.sep}" for folder in (Path(torch.__file__).parent, _INSPECTION))
_TORCHINFO = str(Path(torchinfo.__file__).parent) + os.sep


def source_line() -> str:
    """``models/net.py:123``: the innermost line outside of torch in the forward pass being run; empty where there is
    none, as in a bare ``nn.Sequential``. Relative to the working folder or the import path where it lies in one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_TORCHINFO):
            break
        if not file.startswith(_SKIPPED):
            name = _shown(file)
            return f"{name}:{frame.f_lineno}" if name else ""
        frame = frame.f_back
    return ""


@cache
def _shown(file: str) -> str:
    if file.startswith("<"):  # made by exec
        return ""
    path = Path(file).absolute()
    if path.is_relative_to(Path.cwd()) and "site-packages" not in path.parts:
        return path.relative_to(Path.cwd()).as_posix()
    folders = [Path(entry).absolute() for entry in sys.path if entry]
    inside = [path.relative_to(folder).as_posix() for folder in folders if path.is_relative_to(folder)]
    return min(inside, key=len) if inside else path.as_posix()
