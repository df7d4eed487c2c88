"""The modules of a weight file whose network is not recognised: their classes, where the file has them, and shapes."""

from __future__ import annotations

from typing import NamedTuple

from ...inference.checkpoint import Checkpoint
from ...spec import shapes


class ModuleRow(NamedTuple):
    """A module of a file.

    Attributes:
        path: its name; empty for the network itself.
        kind: name of its class, of a model that was saved whole; else empty.
        tensors: names and shapes of what it has itself.
        elements: how many these have.
    """

    path: str
    kind: str
    tensors: str
    elements: int


def module_rows(checkpoint: Checkpoint) -> list[ModuleRow]:
    """Every module that has tensors, or whose class is known, in the order of the file."""
    inside: dict[str, list[tuple[str, tuple[int, ...]]]] = {path: [] for path in checkpoint.kinds}
    sizes: dict[str, int] = {}
    for name, tensor in checkpoint.state.items():
        path, _, own = name.rpartition(".")
        inside.setdefault(path, []).append((own, tuple(tensor.shape)))
        sizes[path] = sizes.get(path, 0) + tensor.numel()
    return [
        ModuleRow(
            path,
            checkpoint.kinds.get(path, ""),
            ", ".join(f"{own} {shapes.text(shape, empty='one number')}" for own, shape in tensors),
            sizes.get(path, 0),
        )
        for path, tensors in inside.items()
    ]
