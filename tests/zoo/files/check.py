"""The truth about a file by its own reader, what this program makes of it, and how the two compare."""

from __future__ import annotations

import functools
import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from safetensors.torch import load_file
from torch.utils.flop_counter import FlopCounterMode

from explorer.errors import ExplorerError
from explorer.inspection import Graph
from explorer.model_files import Opened, open_model_file, report_of

from .specimens import FileSpecimen

OUTCOMES = ("as it is", "false alarm", "missed", "refused", "wrong count")


@dataclass(frozen=True)
class FileChecked:
    """What a real reader and this program make of a file.

    Attributes:
        raised: why the real reader refuses the file, or can't run what is in it; empty if it does.
        ran: whether code from the file ran when the real reader opened it, and when this program did.
        opened: what this program shows; None if it refuses the file.
        problem: why it refuses it.
        wrong: findings that fail.
        said: all that it says.
    """

    raised: str
    ran: tuple[bool, bool]
    opened: Opened | None
    problem: str
    wrong: tuple[str, ...]
    said: str


@functools.cache
def checked(specimen: FileSpecimen) -> FileChecked:
    with tempfile.TemporaryDirectory() as name, _in_folder(name):
        path = specimen.write(Path(name))
        opened: Opened | None = None
        wrong: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        problem = ""
        try:
            opened = open_model_file(path, trusted=True)
            if isinstance(opened, Graph):
                wrong, notes = tuple(f.sentence for f in opened.report.findings), opened.notes
            else:
                notes = opened.sentences()
        except ExplorerError as error:
            problem = str(error)
        ran_here = (Path(name) / "ran").exists()
        raised = _onnx(path) if path.suffix == ".onnx" else _torch(path)
        ran = (Path(name) / "ran").exists(), ran_here
        return FileChecked(raised, ran, opened, problem, wrong, "\n".join([problem, *wrong, *notes]))


@contextmanager
def _in_folder(name: str) -> Iterator[None]:
    """Work in a folder: files of the zoo that run code leave a file in the current one."""
    before = Path.cwd()
    os.chdir(name)
    try:
        yield
    finally:
        os.chdir(before)


def _onnx(path: Path) -> str:
    """What onnxruntime says of a file; it runs it once with zeros, an open side at its usual length."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        session.run(None, {value.name: _zeros(value) for value in session.get_inputs()})
    except Exception as error:  # onnxruntime's errors have no common class
        return f"{type(error).__name__}: {error}"
    return ""


def _torch(path: Path) -> str:
    """What the file's own reader says: it runs what is in the file."""
    try:
        if path.suffix == ".safetensors":
            load_file(path)
        elif path.read_bytes().startswith(b"\x80\x04"):
            pickle.loads(path.read_bytes())
        else:
            torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # torch's errors have no common class
        return f"{type(error).__name__}: {error}"
    return ""


def _zeros(value: Any) -> np.ndarray:
    kind = {"tensor(float16)": np.float16, "tensor(int64)": np.int64}.get(value.type, np.float32)
    return np.zeros([side if isinstance(side, int) else 16 for side in value.shape], kind)


@functools.cache
def numbers(specimen: FileSpecimen) -> tuple[int, int]:
    """Parameters and MACs of the specimen's own network, as PyTorch counts them."""
    assert specimen.net is not None
    net = specimen.net().to("meta").eval()
    with FlopCounterMode(display=False) as counter:
        net(*(torch.zeros(shape, device="meta") for shape in specimen.shapes))
    return sum(parameter.numel() for parameter in net.parameters()), counter.get_total_flops() // 2


def judge(specimen: FileSpecimen) -> str:
    """One of ``OUTCOMES``."""
    found = checked(specimen)
    if specimen.truth != "right":
        return "as it is" if (found.problem or found.wrong) and not found.ran[1] else "missed"
    if found.opened is None:
        return "refused"
    if found.wrong:
        return "false alarm"
    report = report_of(found.opened)
    return "as it is" if specimen.net is None or (report.params, report.macs) == numbers(specimen) else "wrong count"


def table(zoo: Iterable[FileSpecimen]) -> str:
    """Counts by truth and by kind."""
    rows: dict[str, Counter[str]] = {}
    for specimen in zoo:
        outcome = judge(specimen)
        for row in (specimen.truth, f"  {specimen.kind}"):
            rows.setdefault(row, Counter())[outcome] += 1
    lines = ["".join([f"{'':20}{'all':>5}", *(f"{name:>14}" for name in OUTCOMES)])]
    for name in sorted(rows):
        lines.append("".join([f"{name:20}{rows[name].total():>5}", *(f"{rows[name][o]:>14}" for o in OUTCOMES)]))
    return "\n".join(lines)
