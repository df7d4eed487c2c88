"""Read names and tensors of a weight file, and load them into a network.

``containers`` checks a file's structure before it is read here; ``sandbox`` does both in a child process.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ...errors import WeightsError
from .containers import Container, container_of, refusal
from .recognise import OPTIONAL, compare, first, nearest_preset, shape_text

__all__ = [
    "load_into",
    "load_state_dict",
    "not_finite",
    "ran_out_of_memory",
    "shapes_of",
]

State = Mapping[str, Tensor]
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")  # keys under which checkpoints keep a state_dict
_NUMBERS = {
    *(torch.float32, torch.float64, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.uint8, torch.bool),
}


def load_state_dict(path: Path, *, verified: bool = False) -> dict[str, Tensor]:
    """Names and tensors of a weight file, on the CPU, in its own number formats. Runs no code from it.

    Args:
        path: safetensors, or a zip written by ``torch.save``: a state_dict, or a checkpoint that contains one.
        verified: the file has a published digest; only such a file may have torch's format of before 2020.

    Raises:
        WeightsError: the file is something else, or contains more than plain tensors.
    """
    container = container_of(path, legacy=verified)
    state = _state_of(_read_safetensors(path) if container is Container.SAFETENSORS else _read_torch(path))
    for name, tensor in state.items():
        _check_tensor(name, tensor)
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    if claimed > path.stat().st_size:
        raise refusal("its tensors share memory: together they are larger than the file. Save each one whole")
    return state


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
        return load_file(path, backend="pread")
    except SafetensorError as error:
        raise refusal(f"it is damaged: {str(error).rpartition('header: ')[2][:120]}") from error


def _read_torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"it would call {found[1][:80]!a} when opened" if found else "it contains more than tensors"
        raise refusal(f"{what}; nothing was run. Save model.state_dict(), not the model") from error
    except Exception as error:  # torch reports a damaged file by whatever its readers stumble over
        if ran_out_of_memory(error):
            raise
        raise refusal("it is damaged. Copy or download it again") from error


def ran_out_of_memory(error: Exception) -> bool:
    """Whether an allocation failed: Python's, or that of torch, which has no class for it on the CPU."""
    return isinstance(error, MemoryError) or "allocate memory" in str(error)


def _state_of(data: Any) -> dict[str, Tensor]:
    """The state_dict in what a file held."""
    wrapped = [data.get(key) for key in _WRAPPERS] if isinstance(data, Mapping) else []
    inner = next((value for value in wrapped if isinstance(value, Mapping)), data)
    if not isinstance(inner, Mapping) or not inner:
        raise refusal("it has no state_dict, which maps names to tensors")
    for name, value in inner.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            kind = type(value).__name__
            raise refusal(f"its entry {str(name)[:80]!a} is not a tensor but {kind}; save the state_dict alone")
    # Old files hold Parameters, which would want gradients.
    return {name: value.detach() for name, value in inner.items()}


def _check_tensor(name: str, tensor: Tensor) -> None:
    """Refuse all but plain dense tensors of real numbers."""
    if tensor.layout is not torch.strided:
        kind = "is sparse"
    elif tensor.is_quantized:
        kind = "is quantised"
    elif tensor.device.type != "cpu":
        kind = "has no values"
    elif tensor.dtype not in _NUMBERS:
        kind = f"has the number format {str(tensor.dtype).removeprefix('torch.')}"
    elif not _is_dense(tensor):
        kind = "is a view that repeats or skips values"
    else:
        return
    raise refusal(f"its tensor {name[:80]!a} {kind}; save plain tensors, such as tensor.float().contiguous()")


def _is_dense(tensor: Tensor) -> bool:
    """Whether the elements fill a stretch of memory, each once, in any order of the axes."""
    step = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1 and stride != step:
            return tensor.numel() == 0
        step *= size
    return True


def _kinds(state: State) -> dict[str, str]:
    """Shape of each tensor, and whether the numbers are whole."""
    return {
        name: shape_text(tuple(tensor.shape)) + ("" if tensor.is_floating_point() else " (integers)")
        for name, tensor in state.items()
    }
