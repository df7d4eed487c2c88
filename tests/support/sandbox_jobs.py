"""What a child process is asked to do in ``test_sandbox.py``: jobs that ask for too much, and one that doesn't."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from explorer.errors import ExplorerError


def copy(path: Path, result: Path) -> None:
    result.write_bytes(path.read_bytes())


def note(path: Path, result: Path, *words: str) -> None:
    result.write_text(" ".join(words), encoding="utf-8")


def hoard(path: Path, result: Path) -> None:
    """Ask for a gigabyte at once."""
    result.write_bytes(bytes(bytearray(2**30))[:1])


def hoard_tensors(path: Path, result: Path) -> None:
    """The same, as torch asks for memory."""
    import torch

    result.write_bytes(bytes(torch.zeros(2**28).shape[0] % 2))


def spin(path: Path, result: Path) -> None:
    while True:
        pass


def flood(path: Path, result: Path) -> None:
    result.write_bytes(bytes(200 * 2**20))


def die(path: Path, result: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(path: Path, result: Path) -> None:
    raise ExplorerError("it is not to my taste ✗")


def crash(path: Path, result: Path) -> None:
    raise ValueError("a secret: /etc/passwd")
