"""Combine requests of many threads into batches, which take less time than single images."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Condition
from time import monotonic

import torch
from torch import Tensor

PATIENCE = 0.15  # seconds: enough to prepare the photos of several batches, too short for a person to notice


@dataclass(frozen=True)
class Output:
    """Result of one forward pass.

    Attributes:
        logits: float32 (N, classes), on the CPU.
        device: where it ran.
        ms: milliseconds of the whole batch, transfers to and from the device included, waiting for its turn not.
        notes: sentences for the reader of the prediction.
        batch: images that ran together, those of other callers included; at least N.
    """

    logits: Tensor
    device: str
    ms: float
    notes: tuple[str, ...] = ()
    batch: int = 1


@dataclass(frozen=True, eq=False)
class _Request:
    images: Tensor
    answer: Future[Output] = field(default_factory=Future)
    came: float = field(default_factory=monotonic)


class Batches:
    """The queue before one network, and the thread that works it off.

    No request waits for others: a batch is what came in while the one before was computed. Only if all ``cores`` are
    busy preparing photos, the network lets them finish, until its oldest request has waited for ``PATIENCE`` seconds:
    both at the same time would take longer than one after the other.

    Args:
        most: images in a batch made of several requests; a single request may have more.
        cores: on which both the network computes and photos are prepared; 0 where the network has a device to itself.
    """

    def __init__(self, most: int, cores: int = 0) -> None:
        self._most, self._cores = most, cores
        self._waiting: deque[_Request] = deque()
        self._prepared = 0  # now, in other threads
        self._lock = Condition()
        # Its thread starts with the first request and ends when the queue is dropped.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="batches")

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """While a photo becomes what ``run`` is given."""
        self._prepare(1)
        try:
            yield
        finally:
            self._prepare(-1)

    def _prepare(self, more: int) -> None:
        with self._lock:
            self._prepared += more
            self._lock.notify_all()

    def run(self, forward: Callable[[Tensor], Output], images: Tensor) -> Output:
        """Wait for the answer to ``images`` (N, channels, H, W); what ``forward`` raises, all in the batch get."""
        request = _Request(images)
        with self._lock:
            self._waiting.append(request)
        # One job for each request: those that find nothing left to do cost next to nothing.
        self._worker.submit(self._serve, forward)
        return request.answer.result()

    def _serve(self, forward: Callable[[Tensor], Output]) -> None:
        requests = self._take()
        if not requests:
            return
        try:
            images = [request.images for request in requests]
            output = forward(images[0] if len(images) == 1 else torch.cat(images))
            shares = output.logits.split([len(request.images) for request in requests])
        except BaseException as error:
            for request in requests:
                request.answer.set_exception(error)
            return
        for request, logits in zip(requests, shares, strict=True):
            request.answer.set_result(replace(output, logits=logits, batch=len(output.logits)))

    def _take(self) -> list[_Request]:
        """The requests that have waited longest, of one image size, and no more than a batch may have."""
        taken: list[_Request] = []
        with self._lock:
            if self._cores and self._waiting:
                patience = self._waiting[0].came + PATIENCE - monotonic()
                self._lock.wait_for(lambda: self._prepared < self._cores, max(0.0, patience))
            room = self._most
            while self._waiting and (not taken or self._joins(taken[0], room)):
                taken.append(self._waiting.popleft())
                room -= len(taken[-1].images)
        return taken

    def _joins(self, first: _Request, room: int) -> bool:
        images = self._waiting[0].images
        return len(images) <= room and images.shape[1:] == first.images.shape[1:]
