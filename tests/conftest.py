"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

# Tests side by side share the cores: torch reads this when it is imported, here and in every child.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    share = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, share)))

import pytest
import torch
from hypothesis import settings
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.inspection import Report, inspect
from explorer.spec import PRESETS

# Examples have no deadline, because a busy machine is not a bug.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """A photo of every format, by its name."""
    from tests.support.photo_files import one_of_each

    return one_of_each()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One thread for torch: sums in one order, and no fight for the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns after a microsecond, so that what may come between two lines does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


class Allocations(TorchDispatchMode):
    """Adds up the bytes of every tensor that an operation returns, by kind of device."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: dict[str, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(tensor, Tensor):
                kind = tensor.device.type
                self.bytes[kind] = self.bytes.get(kind, 0) + tensor.numel() * tensor.element_size()
        return out


@pytest.fixture(scope="session")
def resnet_1202() -> tuple[Report, dict[str, int]]:
    """The deepest report, which takes seconds, and the bytes of the tensors made for it, by kind of device."""
    with Allocations() as allocations:
        report = inspect(PRESETS["cifar_resnet1202"])
    return report, allocations.bytes


@pytest.fixture(scope="session")
def report_of(resnet_1202: tuple[Report, dict[str, int]]) -> Callable[[str], Report]:
    """Preset's name -> its report, made once in a session."""
    return cache(lambda name: resnet_1202[0] if name == "cifar_resnet1202" else inspect(PRESETS[name]))
