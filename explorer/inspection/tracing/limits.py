"""How long a pass with real tensors may take, and how much memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from torch import nn

from .inputs import tensors

SECONDS = 60
BYTES = 2 * 2**30
SMALL = 16 * 2**20  # of parameters and inputs: a pass takes some milliseconds


class LimitReached(Exception):
    """Says which limit."""


@dataclass
class Limits:
    """Counts what one pass has used."""

    started: float = field(default_factory=monotonic)
    bytes: int = 0

    def check(self) -> None:
        if monotonic() - self.started > SECONDS:
            raise LimitReached(f"a pass with real tensors takes longer than {SECONDS} seconds")

    def add(self, size: int) -> None:
        self.bytes += size
        if self.bytes > BYTES:
            raise LimitReached(f"a pass with real tensors needs more than {BYTES // 2**30} GiB")


def fits_memory(module: nn.Module, inputs: Any, limit: int = BYTES // 4) -> bool:
    """Whether parameters and inputs have so many bytes at most, which leaves room for activations."""
    held = [*module.parameters(), *module.buffers(), *tensors([inputs])]
    return sum(tensor.numel() * tensor.element_size() for tensor in held) <= limit
