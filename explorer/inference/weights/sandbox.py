"""Read untrusted files in a child process with limits on memory and time.

The child reads the file with the readers of this program, and writes what it found in a format that contains data only.
If it is stopped, or dies, the program it works for lives on and says so. Limits on memory hold where the
system has them (Linux); the limit on time exists everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import torch
from safetensors.torch import save_file

from ...errors import ExplorerError, WeightsError
from .read import Weights, load_state_dict, ran_out_of_memory, read_file

MIB = 2**20
MAX_FILE = 1024 * MIB
_ROOT = Path(__file__).resolve().parents[3]
_SLOTS = BoundedSemaphore(2)  # children at once
_NO_MEMORY, _REFUSED = 3, 4  # exit codes
_MAX_REASON = 4000  # characters


@dataclass(frozen=True)
class SandboxLimits:
    """What opening a file may take.

    Attributes:
        memory: MiB, beyond what the libraries take and ``times`` the file's size.
        times: the file itself, its tensors, a plain copy of them, and the copy in the output.
        seconds: wall-clock, starting the child included.
    """

    memory: int = 256
    times: int = 4
    seconds: float = 120


LIMITS = SandboxLimits()


def read_weights(path: Path, limits: SandboxLimits = LIMITS) -> Weights:
    """``read.read_file`` of an untrusted file, in a child process.

    Tensors come back whole and contiguous, in the file's own number formats.

    Raises:
        WeightsError: the file is refused, or asked for more memory or time than ``limits`` allow.
    """
    with run_in_child("explorer.inference.weights.sandbox:rewrite", path, limits) as result:
        kinds, notes = json.loads(_facts_file(result).read_text(encoding="utf-8"))
        return Weights(load_state_dict(result), kinds, tuple(notes))


@contextmanager
def run_in_child(job: str, path: Path, limits: SandboxLimits = LIMITS, arguments: Sequence[str] = ()) -> Iterator[Path]:
    """The file that ``job`` made of ``path``; it is gone after the ``with``.

    Args:
        job: ``package.module:function``; called in the child as ``function(path, result, *arguments)``, it writes
            ``result``.
        path: an ordinary file of at most 1 GiB.

    Raises:
        ExplorerError: the job's own, with its words.
        WeightsError: no such file, or the job took too much.
    """
    size = _size(path)
    with tempfile.TemporaryDirectory(prefix="resnet-explorer-", ignore_cleanup_errors=True) as folder, _SLOTS:
        result = Path(folder) / "result"
        _run(job, path, result, size, limits, arguments)
        yield result


def rewrite(path: Path, result: Path) -> None:
    """The job of ``read_weights``: any accepted weight file as safetensors, and beside it what else is known of it."""
    state, kinds, notes = read_file(path)
    _facts_file(result).write_text(json.dumps([kinds, notes]), encoding="utf-8")
    save_file({name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in state.items()}, result)


def _facts_file(result: Path) -> Path:
    return result.with_name("facts")


def _size(path: Path) -> int:
    """Bytes of an ordinary file."""
    try:
        if path.is_symlink() or not path.is_file():
            raise _refusal("it is not there, or no ordinary file; links are not followed")
        size = path.stat().st_size
    except OSError as error:
        raise _refusal(f"it cannot be read ({error.strerror})") from error
    if size > MAX_FILE:
        raise _refusal(f"it has {size / MIB:,.0f} MiB; at most {MAX_FILE // MIB:,} MiB are allowed")
    return size


def _refusal(reason: str) -> WeightsError:
    return WeightsError(f"the file was refused: {reason}.")


def _run(job: str, path: Path, result: Path, size: int, limits: SandboxLimits, arguments: Sequence[str]) -> None:
    """Start the child, and turn its end into words."""
    budget = limits.memory * MIB + limits.times * size
    task = json.dumps([job, str(path.absolute()), str(result), budget, size * 2 + 16 * MIB, limits.seconds, *arguments])
    command = [sys.executable, "-m", "explorer.inference.weights.sandbox", task]
    quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    try:
        code = subprocess.run(
            command, cwd=_ROOT, env=_environment(), timeout=limits.seconds, check=False, **quiet
        ).returncode
    except subprocess.TimeoutExpired:
        raise _refusal(f"opening it took longer than {limits.seconds:g} seconds") from None
    if code == 0 and result.is_file():
        return
    if code == _REFUSED:
        with _reason_file(result).open(encoding="utf-8") as file:
            raise WeightsError(file.read(_MAX_REASON))
    if code == _NO_MEMORY:
        raise _refusal(f"opening it takes more than {budget // MIB:,} MiB of memory")
    raise _refusal("the process that opened it was stopped; the file is damaged, or the disk is full")


def _environment() -> dict[str, str]:
    """This process's, without what would make torch's reader laxer or a search for modules go astray."""
    left_out = ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT")
    return {**{k: v for k, v in os.environ.items() if k not in left_out}, "OMP_NUM_THREADS": "1"}


def _reason_file(result: Path) -> Path:
    return result.with_name("reason")


def _child(task: str) -> int:
    """What the child process does; returns its exit code."""
    job, path, result, memory, file_size, seconds, *arguments = json.loads(task)
    module, _, function = job.partition(":")
    work = getattr(import_module(module), function)
    # What is imported so far doesn't count.
    _limit(memory, file_size, seconds)
    try:
        work(Path(path), Path(result), *arguments)
    except ExplorerError as error:
        _reason_file(Path(result)).write_text(str(error)[:_MAX_REASON], encoding="utf-8")
        return _REFUSED
    except (MemoryError, RuntimeError) as error:
        if ran_out_of_memory(error):
            return _NO_MEMORY
        raise
    return 0


def _limit(memory: int, file_size: int, seconds: float) -> None:
    """Bound this process from now on: bytes of memory beyond those it has, of each file it writes, and CPU seconds."""
    try:
        import resource
    except ImportError:  # Windows
        return
    pages = Path("/proc/self/statm")
    if pages.exists():
        total = int(pages.read_text().split()[0]) * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (total, total))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(_child(sys.argv[1]))
