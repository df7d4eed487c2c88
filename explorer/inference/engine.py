"""Where and how a network runs: device, precision, memory layout, and what a GPU out of memory leads to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from time import perf_counter

import torch
from torch import Tensor, nn

from ..errors import ExplorerError

_CPU = torch.device("cpu")
OUT_OF_MEMORY = "The GPU's memory was full: it was freed, and this ran on the CPU."


@dataclass(frozen=True)
class Device:
    """A place to compute: torch's name for it, and words for a form."""

    name: str
    label: str


@dataclass(frozen=True)
class Output:
    """Result of one forward pass.

    Attributes:
        logits: float32 (N, classes), on the CPU.
        device: where it ran.
        ms: milliseconds, transfers to and from the device included.
    """

    logits: Tensor
    device: str
    ms: float
    notes: tuple[str, ...] = ()


def available_devices() -> tuple[Device, ...]:
    """Every device this machine can compute on, the fastest kind first; the CPU is always last."""
    found = []
    if torch.cuda.is_available():
        found += [Device(f"cuda:{i}", torch.cuda.get_device_name(i)) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU"))
    threads = torch.get_num_threads()
    return (*found, Device("cpu", f"CPU, {threads} thread{'s' if threads > 1 else ''}"))


def choose_device(name: str = "auto") -> torch.device:
    """``auto`` is the first of ``available_devices``; ``cuda`` the first GPU.

    Raises:
        ExplorerError: this machine has no such device.
    """
    names = [device.name for device in available_devices()]
    wanted = {"auto": names[0], "cuda": "cuda:0"}.get(name, name)
    if wanted not in names:
        raise ExplorerError(f"device: got {name[:40]!a}; this machine has {', '.join(names)}; auto takes the first")
    return torch.device(wanted)


class Engine:
    """Runs one network, one batch at a time; safe to share between threads.

    Weights stay float32. Activations have the channels-last layout, in which CPUs convolve fastest.

    Args:
        autocast: compute in half precision where that is safe; on CUDA only, elsewhere it changes nothing.
    """

    def __init__(self, model: nn.Module, device: torch.device, *, autocast: bool = False) -> None:
        self.device = device
        self.autocast = autocast and device.type == "cuda"
        self._model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._lock = RLock()

    @contextmanager
    def borrow(self) -> Iterator[nn.Module]:
        """The network itself, in evaluation mode, for this thread alone (hooks, gradients).

        It is on ``device``, unless that was out of memory the last time.
        """
        with self._lock:
            yield self._model

    def forward(self, batch: Tensor) -> Output:
        """(N, channels, H, W) float32 on any device -> logits.

        When a GPU is out of memory, it is freed and the batch runs once on the CPU, which the notes say.
        The next batch tries the GPU again.
        """
        with self._lock:
            try:
                return self._run(batch, self.device)
            except RuntimeError as error:
                if self.device == _CPU or not _is_out_of_memory(error):
                    raise
            # Outside the handler: the exception's frames hold the activations that are to be freed.
            self._model.to(_CPU)
            _free(self.device)
            output = self._run(batch, _CPU)
            return Output(output.logits, output.device, output.ms, (OUT_OF_MEMORY,))

    def _run(self, batch: Tensor, device: torch.device) -> Output:
        started = perf_counter()
        # Outside inference mode: weights moved inside it could never again be differentiated.
        self._model.to(device)
        half = torch.autocast("cuda", enabled=self.autocast and device.type == "cuda")
        with torch.inference_mode(), half:
            logits = self._model(batch.to(device, memory_format=torch.channels_last)).float().cpu()
        _synchronise(device)
        return Output(logits, str(device), (perf_counter() - started) * 1000)


def _synchronise(device: torch.device) -> None:
    """Wait until ``device`` has finished, so that the clock read next tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _free(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _is_out_of_memory(error: RuntimeError) -> bool:
    # Only CUDA's allocator raises the class made for it; drivers and MPS put it in words.
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()
