"""Which line of whose program asked for an operation, or made a layer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

import torch
import torchinfo
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

_INSPECTION = Path(__file__).parents[1]
_SKIPPED = tuple(f"{folder}{os.sep}" for folder in (Path(torch.__file__).parent, _INSPECTION))
_PASS = str(Path(__file__).with_name("trace.py"))
_TORCHINFO = str(Path(torchinfo.__file__).parent) + os.sep


def source_line() -> str:
    """``models/net.py:123``: the innermost line of the program in the forward pass being run; that of an installed
    package if there is none, and nothing in a bare ``nn.Sequential``. Relative to the working folder or the import path
    where it is in one."""
    frame: FrameType | None = sys._getframe(1)
    installed = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_TORCHINFO) or file == _PASS:
            break
        if not file.startswith(_SKIPPED) and (name := _shown(file)):
            line = f"{name}:{frame.f_lineno}"
            if _is_own(file):
                return line
            installed = installed or line
        frame = frame.f_back
    return installed


@contextmanager
def layer_lines() -> Iterator[dict[tuple[int, str], str]]:
    """Within it, the line that gives a module each of its layers is noted, by the module's identity and the name."""
    lines: dict[tuple[int, str], str] = {}

    def note(module: nn.Module, name: str, layer: nn.Module | None) -> None:
        if line := source_line():
            lines[id(module), name] = line

    handle = register_module_module_registration_hook(note)
    try:
        yield lines
    finally:
        handle.remove()


def lines_by_path(net: nn.Module, lines: Mapping[tuple[int, str], str]) -> dict[str, str]:
    """Path of each layer -> the line that made it: its own, or that of the ``nn.Sequential`` around it."""
    found: dict[str, str] = {}
    for path, module in net.named_modules():
        for name, _ in module.named_children():
            line = lines.get((id(module), name), "")
            if line:
                found[f"{path}.{name}" if path else name] = line
    return found


@cache
def _is_own(file: str) -> bool:
    path = Path(file).absolute()
    return path.is_relative_to(Path.cwd()) and "site-packages" not in path.parts


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
