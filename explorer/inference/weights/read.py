"""Read names and tensors of a weight file, and load them into a network.

``containers`` checks a file's structure before it is read here; ``sandbox`` does both in a child process.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ...errors import WeightsError
from .containers import Container, container_of, refusal
from .recognise import OPTIONAL, compare, first, nearest_preset, shape_text
from .stored import read_legacy, read_zip

__all__ = [
    "Weights",
    "load_into",
    "load_state_dict",
    "not_finite",
    "ran_out_of_memory",
    "read_file",
    "shapes_of",
]

State = Mapping[str, Tensor]
_NUMBERS = {
    *(torch.float32, torch.float64, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.uint8, torch.bool),
}


class Weights(NamedTuple):
    """What a weight file contains.

    Attributes:
        state: names and tensors, on the CPU, in the file's own number formats.
        kinds: path of a module -> name of its class, of a model that was saved whole; else empty.
        notes: where the weights were, and what is beside them, in sentences.
    """

    state: dict[str, Tensor]
    kinds: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


def load_state_dict(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a weight file; as ``read_file``."""
    return read_file(path).state


def read_file(path: Path) -> Weights:
    """Read a weight file. Runs no code from it.

    Args:
        path: safetensors, or what ``torch.save`` wrote: a state_dict, a checkpoint that contains one, or a whole model.

    Raises:
        WeightsError: the file is something else, or has no plain tensors.
    """
    container = container_of(path)
    if container is Container.SAFETENSORS:
        return Weights(_read_safetensors(path))
    try:
        state, contents = read_zip(path) if container is Container.ZIP else read_legacy(path)
    except (OSError, ValueError, OverflowError) as error:  # a damaged file may claim any number
        raise refusal("it is damaged. Copy or download it again") from error
    return Weights(state, contents.kinds, contents.notes)


def shapes_of(state: State) -> dict[str, tuple[int, ...]]:
    """Names and shapes, which is all that recognising a network takes."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def not_finite(state: State) -> tuple[str, ...]:
    """Names of the tensors that hold NaN or infinity."""
    return tuple(name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all()))


def load_into(model: nn.Module, state: State) -> None:
    """Copy ``state`` into ``model``, name by name, converting between floating-point formats.

    Strict: on any missing, extra or wrongly shaped name nothing is copied. Only BatchNorm's
    ``num_batches_tracked`` may be missing; it is then 0.

    Raises:
        WeightsError: up to ten differences, as expected and got, and the nearest preset.
    """
    own = model.state_dict()
    counts = {name: torch.zeros_like(tensor) for name, tensor in own.items() if name.endswith(OPTIONAL)}
    given = counts | dict(state)
    wrong = compare(_kinds(own), _kinds(given))
    if wrong:
        near = nearest_preset(shapes_of(state))
        hint = [f"The nearest known network is {near}."] if near else []
        raise WeightsError("\n".join(["the weights do not match this network:", *first(wrong), *hint]))
    model.load_state_dict(given)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        # Read, not mapped: a file that changes or vanishes meanwhile changes no weights.
        state = load_file(path, backend="pread")
    except SafetensorError as error:
        raise refusal(f"it is damaged: {str(error).rpartition('header: ')[2][:120]}") from error
    if not state:
        raise refusal("it has no state_dict, which maps names to tensors")
    for name, tensor in state.items():
        if tensor.dtype not in _NUMBERS:
            kind = f"has the number format {str(tensor.dtype).removeprefix('torch.')}"
            raise refusal(f"its tensor {name[:80]!a} {kind}; save plain tensors, such as tensor.float().contiguous()")
    return state


def ran_out_of_memory(error: Exception) -> bool:
    """Whether an allocation failed: Python's, or that of torch, which has no class for it on the CPU."""
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


def _kinds(state: State) -> dict[str, str]:
    """Shape of each tensor, and whether the numbers are whole."""
    return {
        name: shape_text(tuple(tensor.shape)) + ("" if tensor.is_floating_point() else " (integers)")
        for name, tensor in state.items()
    }
