"""What computes a forward pass: onnxruntime on a CPU, the network itself elsewhere, as CUDA graphs where that helps.

On a CPU onnxruntime is faster than eager float32, with channels-last weights and folded normalisation too, and takes
less time to prepare than ``torch.jit.optimize_for_inference``. ``make bench`` compares it with eager float32.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from .onnx_recorder import INPUT, NotRecorded, OnnxRecording, record_onnx

CLOSE = 1e-4  # by how much logits may differ from eager float32; of their largest, where that is above 1
GRAPHED = 8  # images; in larger batches a GPU computes long enough to hide the launches
_GRAPHS = 8  # shapes for which one is kept
CAPTURING = Lock()  # a process captures one graph at a time, and may not free a GPU's memory meanwhile
_LOG = logging.getLogger(__name__)

Forward = Callable[[Tensor], Tensor]  # (N, channels, H, W) float32 on the CPU -> logits (N, classes), the same


class OnnxRuntime:
    """The network in onnxruntime: normalisation folded into convolutions, sums and activations joined to them.

    It has its own copy of the weights.

    Args:
        model: in evaluation mode, on the CPU.
        example: (1, channels, H, W), by which it is checked against ``model``.

    Raises:
        NotRecorded: the network does what has no translation, or the answers differ by more than ``CLOSE``.
    """

    def __init__(self, model: nn.Module, example: Tensor) -> None:
        recording = record_onnx(model, example)
        try:
            self._session = _session(recording)
            logits = self(example)
        except Exception as error:  # onnxruntime has a dozen kinds, of no common class
            raise NotRecorded(f"onnxruntime refused: {error}") from error
        if not close(logits, recording.logits):
            raise NotRecorded("onnxruntime answered otherwise")

    def __call__(self, batch: Tensor) -> Tensor:
        (logits,) = self._session.run(None, {INPUT: batch.contiguous().numpy()})
        return torch.from_numpy(logits)


def cpu_runtime(model: nn.Module, example: Tensor) -> Forward | None:
    """The fastest way to run ``model`` on the CPU; None where that is the network itself."""
    try:
        return OnnxRuntime(model, example)
    except NotRecorded as reason:
        _LOG.info("%s runs in torch: %s", type(model).__name__, reason)
        return None


def close(logits: Tensor, reference: Tensor) -> bool:
    """Whether two answers are the same but for rounding."""
    scale = max(1.0, float(reference.abs().nan_to_num().max()))
    return torch.allclose(logits, reference, rtol=0, atol=CLOSE * scale, equal_nan=True)


def _session(recording: OnnxRecording) -> Any:
    import onnxruntime  # here, because commands that only look at networks need not wait for it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors; they come back as exceptions too
    weights = [onnxruntime.OrtValue.ortvalue_from_numpy(tensor.numpy()) for tensor in recording.weights.values()]
    options.add_external_initializers(list(recording.weights), weights)
    data = recording.model.SerializeToString()
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


class Eager:
    """The network itself on any device.

    Args:
        half: compute in float16 where that is safe (autocast), small batches as CUDA graphs. float16 has three bits
            more than bfloat16, and activations of a trained ResNet stay far below its limit; an answer beyond it is
            computed again in float32.
    """

    def __init__(self, model: nn.Module, device: torch.device, *, half: bool = False) -> None:
        self._model, self._device, self._half = model, device, half
        self._compute: Forward = Graphs(self._autocast) if device.type == "cuda" else model

    def __call__(self, batch: Tensor) -> Tensor:
        with torch.inference_mode():
            images = batch.to(self._device, memory_format=torch.channels_last)
            logits = self._compute(images).float().cpu()
            if self._half and not bool(torch.isfinite(logits).all()):
                logits = self._model(images).cpu()
        return logits

    def _autocast(self, images: Tensor) -> Tensor:
        # Without the cache, which would free memory that a graph still reads.
        with torch.autocast("cuda", torch.float16, enabled=self._half, cache_enabled=False):
            return self._model(images)


@dataclass(frozen=True)
class _Graph:
    """A captured pass: it reads ``images`` and writes ``logits``, at the addresses they had when it was captured."""

    graph: torch.cuda.CUDAGraph
    images: Tensor
    logits: Tensor


class Graphs:
    """Forward passes on a CUDA device; small batches use CUDA graphs, which need one launch instead of a hundred.

    One graph is captured for each batch shape. The weights must stay at their addresses in memory. Only one thread may
    use it. A pass that cannot be captured runs without a graph.
    """

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._captured: OrderedDict[torch.Size, _Graph] = OrderedDict()
        self._pool: Any = None  # of memory: one graph runs at a time, and its answer is copied at once

    def __call__(self, images: Tensor) -> Tensor:
        if len(images) > GRAPHED:
            return self._forward(images)
        captured = self._captured.pop(images.shape, None)
        if captured is None:
            try:
                with CAPTURING:
                    captured = self._capture(images)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError as reason:
                _LOG.info("no CUDA graph of %s: %s", tuple(images.shape), reason)
                return self._forward(images)
        self._captured[images.shape] = captured
        if len(self._captured) > _GRAPHS:
            self._captured.popitem(last=False)
        captured.images.copy_(images)
        captured.graph.replay()
        return captured.logits.clone()

    def _capture(self, images: Tensor) -> _Graph:
        static = images.clone()
        with torch.cuda.device(images.device):
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):  # cuDNN chooses its algorithms, which must not be captured
                    self._forward(static)
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            self._pool = self._pool or torch.cuda.graph_pool_handle()
            # By default it would be a stream of whichever device came first. Other networks' threads may ask for memory
            # meanwhile.
            with torch.cuda.graph(graph, self._pool, side, capture_error_mode="thread_local"):
                logits = self._forward(static)
        return _Graph(graph, static, logits)
