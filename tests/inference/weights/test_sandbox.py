"""Untrusted files: limits really hold, refusals come across word for word, nothing is run or left behind."""

from __future__ import annotations

import argparse
import os
import pickle
import struct
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from explorer.errors import WeightsError
from explorer.inference.weights import sandbox
from explorer.inference.weights.sandbox import SandboxLimits, read_weights, run_in_child

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such limits or signals")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that temporary files go to, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small"
    path.write_bytes(b"some bytes")
    return path


def test_a_jobs_result_is_there_until_the_end_of_the_with(small: Path, temporary: Path) -> None:
    with run_in_child("tests.support.sandbox_jobs:copy", small) as result:
        assert result.read_bytes() == b"some bytes"
    assert list(temporary.iterdir()) == []


def test_a_job_gets_its_arguments(small: Path) -> None:
    with run_in_child("tests.support.sandbox_jobs:note", small, arguments=("one", "two ✗")) as result:
        assert result.read_text(encoding="utf-8") == "one two ✗"


@pytest.mark.parametrize(
    ("job", "match"),
    [
        pytest.param("hoard", r"takes more than 256 MiB of memory", marks=linux),
        pytest.param("hoard_tensors", r"takes more than 256 MiB of memory", marks=linux),
        pytest.param("flood", r"was stopped; the file is damaged, or the disk is full", marks=posix),
        pytest.param("die", r"was stopped", marks=posix),
        ("crash", r"the file was refused: the process that opened it was stopped"),
        ("refuse", r"^it is not to my taste ✗$"),
    ],
)
def test_what_asks_for_too_much_or_fails_is_said(small: Path, temporary: Path, job: str, match: str) -> None:
    with pytest.raises(WeightsError, match=match) as error, run_in_child(f"tests.support.sandbox_jobs:{job}", small):
        pass
    assert "secret" not in str(error.value)
    assert str(temporary) not in str(error.value)
    assert list(temporary.iterdir()) == []


def test_the_time_limit_stops_the_child(small: Path, temporary: Path) -> None:
    started = time.monotonic()
    with (
        pytest.raises(WeightsError, match="opening it took longer than 3 seconds"),
        run_in_child("tests.support.sandbox_jobs:spin", small, SandboxLimits(seconds=3)),
    ):
        pass
    assert time.monotonic() - started < 20
    assert list(temporary.iterdir()) == []


def test_only_ordinary_files_of_a_bounded_size_are_opened(small: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.pth"
    link.symlink_to(small)
    for path in (link, tmp_path, tmp_path / "absent"):
        with pytest.raises(WeightsError, match="not there, or no ordinary file; links are not followed"):
            read_weights(path)
    large = tmp_path / "large.safetensors"
    with large.open("wb") as file:
        file.truncate(sandbox.MAX_FILE + 1)
    with pytest.raises(WeightsError, match=r"it has 1,024 MiB; at most 1,024 MiB are allowed"):
        read_weights(large)


def test_tensors_come_back_equal(tmp_path: Path) -> None:
    state = {
        "weight": torch.arange(24.0).view(2, 3, 2, 2).contiguous(memory_format=torch.channels_last),
        "half": torch.ones(3).half(),
        "bfloat": torch.ones(2, dtype=torch.bfloat16),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "a.pth")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        got = read_weights(tmp_path / name).state
        assert got.keys() == state.keys()
        assert all(got[key].dtype == tensor.dtype and torch.equal(got[key], tensor) for key, tensor in state.items())
        assert all(tensor.is_contiguous() for tensor in got.values())


def test_the_old_format_and_what_is_beside_the_weights_are_read(tmp_path: Path) -> None:
    path = tmp_path / "old.th"
    content = {"state_dict": {"w": torch.ones(2)}, "args": argparse.Namespace(lr=0.1)}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    found = read_weights(path)
    assert found.state["w"].tolist() == [1, 1]
    assert found.notes == (
        "Beside the weights the file has objects of classes that were not loaded: 'argparse.Namespace'.",
    )
    torch.save(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), path)
    found = read_weights(path)
    assert found.state.keys() == {"0.weight", "0.bias"}
    assert found.kinds == {"": "Sequential", "0": "Linear", "1": "ReLU"}


class Exploit:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"echo ran > '{self.marker}'",))


def _saved(value: Any, **options: Any) -> Callable[[Path], None]:
    return lambda path: torch.save(value, path, **options)


def _script(path: Path) -> None:
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), str(path))


def _zipped(entries: list[tuple[str, bytes]], **options: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", **options) as archive:
            for name, data in entries:
                archive.writestr(name, data)

    return make


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "match"),
    [
        (_script, "TorchScript"),
        (_zipped([("program/archive_format", b"pt2"), ("program/models/model.json", b"{}")]), "not one of torch.save"),
        (_saved([torch.ones(2)]), "it has no state_dict, which maps names to tensors"),
        (_saved({"w": torch.eye(3).to_sparse()}), "'w' is sparse"),
        (_zipped([("a/data.pkl", bytes(10**7))], compression=zipfile.ZIP_DEFLATED), "has a compressed entry"),
        (_zipped([(f"a/{i}", b"") for i in range(100_000)]), "has 100,000 entries; at most 10,000 are allowed"),
        (_zipped([("a/data.pkl", b""), ("a/../../b", b"")]), "points outside"),
        (lambda path: path.write_bytes(struct.pack("<Q", 2**64 - 1) + b"{}" + bytes(16)), "header claims 18,446,"),
    ],
)
def test_hostile_files_are_refused_in_the_loaders_words(
    tmp_path: Path, temporary: Path, make: Callable[[Path], object], match: str
) -> None:
    make(tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=match):
        read_weights(tmp_path / "a.pth")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("legacy", [False, True])
def test_an_exploit_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # would make torch's reader lax
    marker = tmp_path / "marker"
    torch.save({"w": Exploit(marker)}, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Exploit(marker)))
    for name in ("a.pth", "b.pth"):
        with pytest.raises(WeightsError, match="refused"):
            read_weights(tmp_path / name)
    assert not marker.exists()
