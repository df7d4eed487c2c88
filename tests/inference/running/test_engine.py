"""A network's answers are eager float32's, however it is run, and everybody gets their own."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.inference import available_devices
from explorer.inference.running.engine import OUT_OF_MEMORY, Engine, choose_device, is_exact
from explorer.inference.running.onnx_recorder import NotRecorded, record_onnx
from explorer.inference.running.runtime import CLOSE, OnnxRuntime, close
from explorer.spec import PRESETS
from tests.support.seeded import CPU, SMALL, eager, images, network

TORCHVISION = [name for name in PRESETS if not name.startswith(("cifar", "preact"))]


# ---- onnxruntime -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", TORCHVISION)
def test_every_preset_of_torchvision_answers_in_onnxruntime_as_in_torch(name: str) -> None:
    spec = PRESETS[name].with_(image_size=96)  # the same operations on fewer pixels
    model = network(spec)
    batch = images(spec, 2, seed=1)
    expected = eager(model, batch)
    got = OnnxRuntime(model, batch[:1])(batch)
    assert torch.equal(got.topk(5).indices, expected.topk(5).indices)
    assert float((got - expected).abs().max()) <= CLOSE
    assert 1 < float(expected.abs().max()) < 100


@pytest.mark.parametrize(
    "choice",
    [
        *({"norm": norm} for norm in ("batch", "group", "none")),
        *({"activation": name} for name in ("relu", "leaky_relu", "gelu", "silu")),
        *({"shortcut": kind} for kind in ("projection_all", "zero_pad", "none")),
        {"shortcut": "zero_pad", "zero_pad": "split"},
        *({"block": block} for block in ("bottleneck", "preact_basic", "preact_bottleneck")),
        {"block": "bottleneck", "stride_on": "v1"},
        {"stem": "cifar"},
        {"stem": "deep"},
        {"in_channels": 1, "image_size": 45},
    ],
    ids=lambda choice: " ".join(map(str, choice.values())),
)
def test_every_choice_of_a_spec_runs_in_onnxruntime(choice: dict[str, Any]) -> None:
    spec = SMALL.with_(**choice)
    model = network(spec)
    batch = images(spec, 5, seed=2)
    assert float((OnnxRuntime(model, batch[:1])(batch) - eager(model, batch)).abs().max()) <= CLOSE


def test_a_recording_names_weights_and_copies_none() -> None:
    model = network(SMALL)
    recording = record_onnx(model, images(SMALL, 1))
    state = model.state_dict()
    assert set(recording.weights) == {name for name in state if not name.endswith("num_batches_tracked")}
    assert all(tensor.data_ptr() == state[name].data_ptr() for name, tensor in recording.weights.items())
    assert recording.model.ByteSize() < 20_000


class Tail(nn.Module):
    """A small network with something at its end."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.body = network(SMALL)
        self.end = end

    def forward(self, batch: Tensor) -> Tensor:
        return self.end(self.body(batch))


@pytest.mark.parametrize(
    "end",
    [
        lambda logits: logits.sort(dim=1).values,
        lambda logits: logits + torch.ones(10),  # a tensor that is not a weight
        lambda logits: torch.add(logits, logits, alpha=2),
        lambda logits: logits.view(-1, 5)[: len(logits)],  # mixes images
        lambda logits: torch.zeros(len(logits), 10),
        lambda logits: nn.functional.max_pool2d(logits[None], (1, 3), (1, 2), (0, 1), ceil_mode=True)[0],
    ],
    ids=["unknown operation", "constant", "weighted sum", "reshape", "no answer", "unknown option"],
)
def test_what_has_no_translation_runs_in_torch(end: Callable[[Tensor], Tensor]) -> None:
    model, batch = Tail(end), images(SMALL, 3)
    with pytest.raises(NotRecorded):
        record_onnx(model, batch[:1])
    output = Engine(model, CPU).forward(batch)
    assert close(output.logits, eager(model, batch))


def test_a_network_that_answers_otherwise_in_onnxruntime_is_not_run_there() -> None:
    """A view of what is changed in place afterwards: a recording does not tell that it changes too."""

    def late(logits: Tensor) -> Tensor:
        view = logits.view(len(logits), 10)
        logits.relu_()
        return view

    model, batch = Tail(late), images(SMALL, 3)
    with pytest.raises(NotRecorded, match="onnxruntime answered otherwise"):
        OnnxRuntime(model, batch[:1])
    assert float(Engine(model, CPU).forward(batch).logits.min()) == 0


def test_close_is_relative_to_large_logits_only() -> None:
    small, large = torch.tensor([[0.5, 0.1]]), torch.tensor([[5e4, 1.0]])
    assert close(small + 0.9e-4, small)
    assert not close(small + 1.1e-4, small)
    assert close(large + 4, large)
    assert not close(large + 6, large)
    assert close(torch.tensor([[float("nan")]]), torch.tensor([[float("nan")]]))


# ---- the network itself --------------------------------------------------------------------------------------


def test_a_borrowed_network_is_eager_float32_and_differentiable() -> None:
    model = network(SMALL)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    engine = Engine(model, CPU)
    engine.forward(images(SMALL, 2))
    with engine.borrow() as lent:
        assert lent is model
        assert not lent.training
        assert all(torch.equal(tensor, state[name]) for name, tensor in lent.state_dict().items())
        batch = images(SMALL, 1).requires_grad_()
        lent(batch)[0, 0].backward()
        assert batch.grad is not None
        assert float(batch.grad.abs().sum()) > 0


def test_photos_are_answered_while_the_network_is_lent() -> None:
    engine = Engine(network(SMALL), CPU)
    engine.forward(images(SMALL, 1))
    with engine.borrow(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(engine.forward, images(SMALL, 1)).result(timeout=30).batch == 1


def test_a_dropped_engine_leaves_neither_its_weights_nor_its_thread() -> None:
    engine = Engine(network(SMALL), CPU)
    engine.forward(images(SMALL, 1))
    model = weakref.ref(engine._model)
    (thread,) = engine._batches._worker._threads
    del engine
    thread.join(timeout=30)
    assert model() is None  # without the garbage collector's help
    assert not thread.is_alive()


def test_the_bytes_of_an_engine_are_its_weights_and_the_runtimes_copy() -> None:
    model = network(SMALL)
    weights = sum(tensor.nbytes for tensor in model.state_dict().values())
    assert Engine(model, CPU).size_bytes == 4 * weights
    assert Engine(model, torch.device("meta")).size_bytes == weights


# ---- devices -------------------------------------------------------------------------------------------------


def test_the_cpu_is_always_there_and_last() -> None:
    devices = available_devices()
    assert devices[-1].name == "cpu"
    assert devices[-1].label.startswith("CPU, ")
    assert str(choose_device()) == devices[0].name
    assert choose_device("cpu") == CPU


def test_a_gpu_computes_in_float32_where_its_name_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda index: f"GPU {index}")
    labels = {device.name: device.label for device in available_devices()[:4]}
    exact = {"cuda:0-float32": "GPU 0, float32", "cuda:1-float32": "GPU 1, float32"}
    assert labels == {"cuda:0": "GPU 0", "cuda:1": "GPU 1", **exact}
    assert (choose_device(), choose_device("cuda-float32")) == (torch.device("cuda:0"),) * 2
    assert choose_device("cuda:1-float32") == torch.device("cuda:1")
    assert [is_exact(name) for name in ("auto", "cpu", *labels)] == [False] * 4 + [True] * 2


def test_an_absent_device_is_refused() -> None:
    with pytest.raises(ExplorerError, match=r"device: got 'cuda:99'; this machine has .*cpu; auto takes the first"):
        choose_device("cuda:99")


class Crowded(nn.Module):
    """Fits the CPU only. The meta device plays the GPU whose memory is full."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self.message = message
        self.places: list[str] = []

    def to(self, *args: Any, **kwargs: Any) -> Crowded:
        self.places += [str(place) for place in args]
        return self

    def forward(self, batch: Tensor) -> Tensor:
        if batch.is_meta:
            raise torch.OutOfMemoryError(self.message)
        return batch.flatten(1)


def test_a_full_gpu_is_freed_and_the_cpu_takes_over_once() -> None:
    model = Crowded("CUDA out of memory. Tried to allocate 20.00 MiB.")
    engine = Engine(model, torch.device("meta"))
    batch = torch.ones(2, 3, 4, 4)
    output = engine.forward(batch)
    assert torch.equal(output.logits, batch.flatten(1))
    assert (output.device, output.notes) == ("cpu", (OUT_OF_MEMORY,))
    assert model.places == ["meta", "cpu"]
    engine.forward(batch)
    assert model.places[2] == "meta"  # tried again


class Failing(nn.Module):
    def __init__(self, error: RuntimeError) -> None:
        super().__init__()
        self.error = error

    def forward(self, batch: Tensor) -> Tensor:
        raise self.error


@pytest.mark.parametrize(
    ("error", "device"), [(RuntimeError("shapes don't fit"), "meta"), (torch.OutOfMemoryError("out of memory"), "cpu")]
)
def test_other_errors_of_a_network_are_not_hidden(error: RuntimeError, device: str) -> None:
    engine = Engine(Failing(error), torch.device(device))
    for _ in range(2):
        with pytest.raises(type(error), match=str(error)):
            engine.forward(torch.ones(1, 3, 4, 4))


@pytest.mark.parametrize(("device", "tries"), [("meta", 2), ("cpu", 1)])
def test_work_with_a_borrowed_network_is_repeated_on_the_cpu_if_a_gpu_is_full(device: str, tries: int) -> None:
    engine, tried = Engine(nn.Identity(), torch.device(device)), list[int]()

    def work() -> None:
        tried.append(len(tried))
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        engine.spare(work)
    assert len(tried) == tries
    assert engine.spare(lambda: "done") == "done"


# ---- with a GPU ----------------------------------------------------------------------------------------------

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("count", [1, 3, 8, 9])
def test_a_gpu_agrees_with_the_cpu(count: int) -> None:
    """Up to eight images run as a CUDA graph, which must read the images it is given each time."""
    spec = PRESETS["resnet18"]
    model = network(spec)
    batches = [images(spec, count, seed) for seed in range(3)]
    expected = [eager(model, batch) for batch in batches]
    for exact, tolerance in ((True, 1e-2), (False, 0.2)):  # float32 in another order, float16
        engine = Engine(network(spec), choose_device("cuda"), exact=exact)
        for batch, logits in zip(batches, expected, strict=True):
            output = engine.forward(batch)
            assert output.device == "cuda:0"
            assert float((output.logits - logits).abs().max()) < tolerance
            assert torch.equal(output.logits.argmax(1), logits.argmax(1))


@pytest.mark.gpu
@needs_cuda
def test_a_number_beyond_half_precision_is_computed_in_float32() -> None:
    class Large(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(12, 2, bias=False)
            nn.init.constant_(self.fc.weight, 1e4)

        def forward(self, batch: Tensor) -> Tensor:
            logits: Tensor = self.fc(batch.flatten(1))
            return logits

    output = Engine(Large(), choose_device("cuda")).forward(torch.ones(1, 3, 2, 2))
    assert output.logits.tolist() == [pytest.approx([1.2e5, 1.2e5], rel=1e-2)]


@pytest.mark.gpu
@needs_cuda
def test_a_gpu_out_of_memory_is_freed_and_tried_again() -> None:
    spec = PRESETS["cifar_resnet20"]
    engine = Engine(network(spec), choose_device("cuda"))
    engine.forward(images(spec, 1))
    gc.collect()
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        torch.cuda.empty_cache()
        full = engine.forward(torch.zeros(2048, 3, 32, 32))  # 128 MiB in the first layer
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert (full.device, full.notes) == ("cpu", (OUT_OF_MEMORY,))
    assert engine.forward(images(spec, 1)).device == "cuda:0"
