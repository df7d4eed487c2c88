"""A network's answers are eager float32's, however it is run, and everybody gets their own."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.inference import available_devices
from explorer.inference.batching import Batches, Output, _Request
from explorer.inference.engine import OUT_OF_MEMORY, Engine, choose_device, is_exact
from explorer.inference.memory import Recent
from explorer.inference.onnx_record import NotRecorded, record
from explorer.inference.runtime import CLOSE, OnnxRuntime, close
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec

CPU = torch.device("cpu")
SMALL = ResNetSpec(depths=(1, 1), widths=(8, 16), image_size=32, num_classes=10)
TORCHVISION = [name for name in PRESETS if not name.startswith(("cifar", "preact"))]


def network(spec: ResNetSpec, seed: int = 3) -> nn.Module:
    """Seeded, with statistics and scales of its own, and logits of the size that trained networks give."""
    model = build(spec, seed=seed).eval()
    dice = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
            # Blocks add little to their shortcuts, as in trained networks: or numbers would double with each.
            module.weight.data.uniform_(0.2, 0.6, generator=dice)
            module.bias.data.normal_(std=0.1, generator=dice)
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.1, generator=dice)
            module.running_var.uniform_(0.5, 1.5, generator=dice)
    with torch.no_grad():
        largest = float(model(images(spec, 2)).abs().max())
        model.fc.weight.mul_(20 / largest)
        model.fc.bias.mul_(20 / largest)
    return model


def images(spec: ResNetSpec, count: int, seed: int = 0) -> Tensor:
    size = (count, spec.in_channels, spec.image_size, spec.image_size)
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def eager(model: nn.Module, batch: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(batch)
    return logits


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
    recording = record(model, images(SMALL, 1))
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
        lambda logits: logits + torch.ones(10),  # a tensor that is no weight
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
        record(model, batch[:1])
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


# ---- batches -------------------------------------------------------------------------------------------------


def test_every_caller_gets_the_answer_to_their_own_images() -> None:
    model = network(SMALL)
    engine = Engine(model, CPU)
    requests = [images(SMALL, 1 + seed % 3, seed) for seed in range(60)]
    with ThreadPoolExecutor(30) as pool:
        outputs = list(pool.map(engine.forward, requests))
    for output, request in zip(outputs, requests, strict=True):
        assert float((output.logits - eager(model, request)).abs().max()) <= CLOSE
        assert len(request) <= output.batch <= 16
    assert max(output.batch for output in outputs) > 3  # more than any of them brought


class Gate:
    """A forward pass that tells sizes of batches apart, and waits to be let through."""

    def __init__(self) -> None:
        self.started, self.open = threading.Event(), threading.Event()
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, batch: Tensor) -> Output:
        self.sizes.append(tuple(batch.shape))
        self.started.set()
        assert self.open.wait(30)
        if bool((batch == 13).any()):
            raise ValueError("unlucky")
        if bool((batch == 14).any()):
            return Output(batch.flatten(), "here", 1.0)
        return Output(batch.flatten(1)[:, :1] * 10, "here", 1.0)


def queued(gate: Gate, batches: Batches, *waiting: Tensor) -> list[Any]:
    """Futures of the first request, being computed, and of those that came in meanwhile, in order."""
    pool = ThreadPoolExecutor(len(waiting) + 1)
    futures = [pool.submit(batches.run, gate, torch.zeros(1, 3, 4, 4))]
    assert gate.started.wait(30)
    for number, batch in enumerate(waiting, start=1):
        futures.append(pool.submit(batches.run, gate, batch))
        while len(batches._waiting) < number:
            threading.Event().wait(0.001)
    gate.open.set()
    pool.shutdown()
    return futures


def ones(count: int, value: float, side: int = 4) -> Tensor:
    return torch.full((count, 3, side, side), value)


def test_what_waits_runs_together_up_to_the_most() -> None:
    gate = Gate()
    futures = queued(gate, Batches(4), ones(1, 1), ones(2, 2), ones(1, 3), ones(1, 4))
    assert gate.sizes == [(1, 3, 4, 4), (4, 3, 4, 4), (1, 3, 4, 4)]
    answers = [future.result() for future in futures]
    assert [output.logits.flatten().tolist() for output in answers] == [[0], [10], [20, 20], [30], [40]]
    assert [output.batch for output in answers] == [1, 4, 4, 4, 1]


def test_while_all_cores_prepare_photos_the_network_waits_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.inference.batching.PATIENCE", 30)
    batches, gate = Batches(8, cores=2), Gate()
    gate.open.set()
    with ThreadPoolExecutor(2) as pool:
        with batches.preparing(), batches.preparing():
            first = pool.submit(batches.run, gate, ones(1, 1))
            assert not gate.started.wait(0.2)
            second = pool.submit(batches.run, gate, ones(2, 2))
            while len(batches._waiting) < 2:
                threading.Event().wait(0.001)
        assert (first.result(30).batch, second.result(30).batch) == (3, 3)


@pytest.mark.parametrize(("cores", "patience"), [(1, 0.0), (2, 30.0), (0, 30.0)])
def test_it_waits_neither_long_nor_while_a_core_is_free_nor_for_cores_it_does_not_use(
    monkeypatch: pytest.MonkeyPatch, cores: int, patience: float
) -> None:
    monkeypatch.setattr("explorer.inference.batching.PATIENCE", patience)
    batches, gate = Batches(8, cores), Gate()
    gate.open.set()
    with ThreadPoolExecutor(1) as pool, batches.preparing():
        assert pool.submit(batches.run, gate, ones(1, 1)).result(timeout=10).logits.item() == 10


def test_patience_is_counted_from_when_a_request_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.inference.batching.PATIENCE", 30)
    batches, gate = Batches(1, cores=1), Gate()
    gate.open.set()
    old = _Request(ones(1, 1), came=monotonic() - 31)
    batches._waiting.append(old)
    with ThreadPoolExecutor(1) as pool, batches.preparing():
        batches._worker.submit(batches._serve, gate)
        assert old.answer.result(timeout=10).logits.item() == 10
        assert pool.submit(batches._take).result(timeout=10) == [], "nothing waits, so nobody does"


def test_images_of_different_sizes_do_not_share_a_batch() -> None:
    gate = Gate()
    queued(gate, Batches(8), ones(1, 1), ones(1, 2, side=6), ones(1, 3, side=6))
    assert gate.sizes[1:] == [(1, 3, 4, 4), (2, 3, 6, 6)]


def test_a_request_above_the_most_runs_alone_and_whole() -> None:
    gate = Gate()
    queued(gate, Batches(2), ones(5, 1), ones(1, 2))
    assert gate.sizes[1:] == [(5, 3, 4, 4), (1, 3, 4, 4)]


def test_an_error_reaches_all_of_its_batch_and_nobody_else() -> None:
    futures = queued(Gate(), Batches(2), ones(1, 13), ones(1, 2), ones(1, 3))
    for future in futures[1:3]:
        with pytest.raises(ValueError, match="unlucky"):
            future.result()
    assert [futures[i].result().logits.item() for i in (0, 3)] == [0, 30]


def test_an_answer_that_is_not_one_row_for_each_image_is_an_error() -> None:
    futures = queued(Gate(), Batches(2), ones(1, 14), ones(1, 2))
    for future in futures[1:]:
        with pytest.raises(RuntimeError, match="split_with_sizes"):
            future.result(timeout=30)


# ---- memory --------------------------------------------------------------------------------------------------


def test_what_was_used_last_stays_within_a_number_of_bytes() -> None:
    kept: Recent[str, bytes] = Recent(100, len)
    for name, size in (("a", 40), ("b", 30), ("c", 30)):
        kept.put(name, bytes(size))
    assert kept.bytes == 100
    assert kept.get("a") == bytes(40)  # b is now the one used longest ago
    kept.put("d", bytes(1))
    assert [name for name in "abcd" if kept.get(name) is not None] == ["a", "c", "d"]
    kept.put("c", bytes(70))  # in its place, and at the cost of a
    assert [name for name in "abcd" if kept.get(name) is not None] == ["c", "d"]


def test_one_value_larger_than_the_limit_stays_alone() -> None:
    kept: Recent[str, bytes] = Recent(100, len)
    kept.put("a", bytes(10))
    kept.put("b", bytes(1000))
    assert (kept.get("a"), kept.bytes) == (None, 1000)


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
def test_work_with_a_borrowed_network_is_tried_once_more_where_a_gpu_was_full(device: str, tries: int) -> None:
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
def test_a_number_beyond_half_precision_is_computed_once_more() -> None:
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
