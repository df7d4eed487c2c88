"""Run a network on a device, for many threads, and continue on the CPU if a GPU runs out of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from threading import RLock
from time import perf_counter
from typing import TypeVar

import torch
from torch import Tensor, nn

from ...errors import ExplorerError
from .batching import Batches, Output
from .runtime import CAPTURING, Eager, Forward, OnnxRuntime, cpu_runtime

Result = TypeVar("Result")
_CPU = torch.device("cpu")
MOST = 32  # images in a batch of several requests
_MOST = {"cpu": 16}  # where more bring no more images per second, only later answers
FLOAT32 = "-float32"  # behind a GPU's name: computed in float32, where half precision is faster
OUT_OF_MEMORY = "The GPU's memory was full. It was freed, and this ran on the CPU."


@dataclass(frozen=True)
class Device:
    """A place to compute: torch's name for it, and words for a form."""

    name: str
    label: str


def available_devices() -> tuple[Device, ...]:
    """Every device this machine can compute on, the fastest kind first; the CPU is always last."""
    found = []
    if torch.cuda.is_available():
        gpus = [Device(f"cuda:{i}", torch.cuda.get_device_name(i)) for i in range(torch.cuda.device_count())]
        found += [*gpus, *(Device(f"{gpu.name}{FLOAT32}", f"{gpu.label}, float32") for gpu in gpus)]
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU"))
    threads = torch.get_num_threads()
    return (*found, Device("cpu", f"CPU, {threads} thread{'s' if threads > 1 else ''}"))


def choose_device(name: str = "auto") -> torch.device:
    """``auto`` is the first of ``available_devices``; ``cuda`` and ``cuda-float32`` the first GPU (see ``is_exact``).

    Raises:
        ExplorerError: this machine has no such device.
    """
    names = [device.name for device in available_devices()]
    wanted = {"auto": names[0], "cuda": "cuda:0", f"cuda{FLOAT32}": f"cuda:0{FLOAT32}"}.get(name, name)
    if wanted not in names:
        raise ExplorerError(f"device: got {name[:40]!a}; this machine has {', '.join(names)}; auto takes the first")
    return torch.device(wanted.removesuffix(FLOAT32))


def is_exact(name: str) -> bool:
    """Whether a device's name asks for float32 where half precision is faster."""
    return name.endswith(FLOAT32)


class Engine:
    """Runs one network; safe to share between threads, whose requests it batches (``batching.Batches``).

    On a CPU, logits are computed by onnxruntime, within ``runtime.CLOSE`` of eager float32; on CUDA in half precision,
    on other devices by torch in float32. The network itself stays what it was, for ``borrow``.

    Args:
        model: its weights must not change any more.
        exact: float32 on CUDA too, without the shorter numbers of its tensor cores (TF32), which then no network of
            this program uses any more; elsewhere it changes nothing.
    """

    def __init__(self, model: nn.Module, device: torch.device, *, exact: bool = False) -> None:
        self.device = device
        self.exact = exact
        if exact and device.type == "cuda":
            torch.backends.cudnn.allow_tf32 = False
        self._model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._lock = RLock()
        self._batches = Batches(_MOST.get(device.type, MOST), torch.get_num_threads() if device == _CPU else 0)
        self._runtime: Forward | None = None  # made by the first batch, which knows how large images are

    @property
    def size_bytes(self) -> int:
        """In memory once photos were answered. On a CPU four times the weights: the network's own,
        onnxruntime's copy, that copy as its kernels read it, and room for activations."""
        weights = sum(tensor.nbytes for tensor in self._model.state_dict().values())
        return 4 * weights if self.device == _CPU else weights

    @contextmanager
    def borrow(self) -> Iterator[nn.Module]:
        """The network itself, eager and float32, in evaluation mode, for this thread alone (hooks, gradients).

        It is on ``device``, unless that was out of memory the last time. ``forward`` is not to be called meanwhile.
        """
        with self._lock:
            yield self._model

    def spare(self, work: Callable[[], Result]) -> Result:
        """Run ``work``, which borrows the network; if a GPU runs out of memory, run it again on the CPU."""
        try:
            return work()
        except RuntimeError as error:
            if self.device == _CPU or not _is_out_of_memory(error):
                raise
        with self._lock:
            self._leave_device()
        return work()

    def preparing(self) -> AbstractContextManager[None]:
        """To be held while a photo is decoded and resized for ``forward`` (see ``batching.Batches``)."""
        return self._batches.preparing()

    def forward(self, batch: Tensor) -> Output:
        """(N, channels, H, W) float32 on the CPU -> logits.

        When a GPU is out of memory, it is freed and the batch runs once on the CPU, which the notes say.
        The next batch tries the GPU again.
        """
        return self._batches.run(self._answer, batch)

    def _answer(self, batch: Tensor) -> Output:
        """In the thread of the queue, one batch at a time."""
        try:
            return self._on_cpu(batch) if self.device == _CPU else self._on_device(batch)
        except RuntimeError as error:
            if self.device == _CPU or not _is_out_of_memory(error):
                raise
        # Outside the handler: the exception's frames hold the activations that are to be freed.
        with self._lock:
            self._leave_device()
            return replace(_measure_forward(Eager(self._model, _CPU), batch, _CPU), notes=(OUT_OF_MEMORY,))

    def _leave_device(self) -> None:
        self._runtime = None
        self._model.to(_CPU)
        _free(self.device)

    def _on_cpu(self, batch: Tensor) -> Output:
        if isinstance(self._runtime, OnnxRuntime):  # while another thread may borrow the network
            return _measure_forward(self._runtime, batch, _CPU)
        with self._lock:
            self._runtime = self._runtime or cpu_runtime(self._model, batch[:1]) or Eager(self._model, _CPU)
            return _measure_forward(self._runtime, batch, _CPU)

    def _on_device(self, batch: Tensor) -> Output:
        with self._lock:
            # Outside inference mode: weights moved inside it could never again be differentiated.
            self._model.to(self.device)
            if self._runtime is None:
                self._runtime = Eager(self._model, self.device, half=self.device.type == "cuda" and not self.exact)
            return _measure_forward(self._runtime, batch, self.device)


def _measure_forward(forward: Forward, batch: Tensor, device: torch.device) -> Output:
    started = perf_counter()
    logits = forward(batch)
    return Output(logits, str(device), (perf_counter() - started) * 1000)


def _free(device: torch.device) -> None:
    if device.type == "cuda":
        with CAPTURING:
            torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _is_out_of_memory(error: RuntimeError) -> bool:
    # Only CUDA's allocator raises the class made for it; drivers and MPS put it in words.
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()
