"""Requests that come together are answered together, and everybody gets their own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer.inference.running.batching import Batches, Output, _Request
from explorer.inference.running.engine import Engine
from explorer.inference.running.runtime import CLOSE
from tests.support.seeded import CPU, SMALL, eager, images, network

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
    monkeypatch.setattr("explorer.inference.running.batching.PATIENCE", 30)
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
    monkeypatch.setattr("explorer.inference.running.batching.PATIENCE", patience)
    batches, gate = Batches(8, cores), Gate()
    gate.open.set()
    with ThreadPoolExecutor(1) as pool, batches.preparing():
        assert pool.submit(batches.run, gate, ones(1, 1)).result(timeout=10).logits.item() == 10


def test_patience_is_counted_from_when_a_request_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.inference.running.batching.PATIENCE", 30)
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
