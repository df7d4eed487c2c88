"""Weight files: fetch, verify, read, load. No other module of the project opens one."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import WeightsError
from ..network import build
from ..spec import PRESETS
from .containers import Container, recognise, refusal
from .download import Progress, fetch

__all__ = [
    "Progress",
    "fetch",
    "load_into",
    "load_state_dict",
    "nearest_preset",
    "not_finite",
    "strip_prefixes",
]

State = Mapping[str, Tensor]
_SHOWN = 10  # differences in a message
_WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which checkpoints keep a state_dict
_PREFIXES = ("module.", "model.")
# How many batches BatchNorm has seen matters to no prediction; weights of before PyTorch 0.4.1 don't have it.
_OPTIONAL = ".num_batches_tracked"
_NUMBERS = {
    *(torch.float32, torch.float64, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.uint8, torch.bool),
}


def load_state_dict(path: Path, *, verified: bool = False) -> dict[str, Tensor]:
    """Names and tensors of a weight file, on the CPU, in its own number formats. Runs no code from it.

    Args:
        path: safetensors, or a zip written by ``torch.save``: a state_dict, or a checkpoint that holds one.
        verified: the file has a published digest; only such a file may have torch's format of before 2020.

    Raises:
        WeightsError: the file is something else, or holds more than plain tensors.
    """
    container = recognise(path, legacy=verified)
    state = _state_of(_read_safetensors(path) if container is Container.SAFETENSORS else _read_torch(path))
    for name, tensor in state.items():
        _check_tensor(name, tensor)
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    if claimed > path.stat().st_size:
        raise refusal("its tensors share memory: together they are larger than the file. Save each one whole")
    return state


def strip_prefixes(state: State) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """``state`` without ``module.`` and ``model.`` where all names start so, and sentences that say it."""
    plain, notes = dict(state), []
    while plain and (prefix := next((p for p in _PREFIXES if all(k.startswith(p) for k in plain)), None)):
        plain = {name.removeprefix(prefix): tensor for name, tensor in plain.items()}
        notes.append(f"The prefix “{prefix}” was taken off every name in the weight file.")
    return plain, tuple(notes)


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
    counts = {name: torch.zeros_like(tensor) for name, tensor in own.items() if name.endswith(_OPTIONAL)}
    given = counts | dict(state)
    wrong = list(_differences(own, given))
    if wrong:
        more = [f"… and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        near = nearest_preset(state)
        hint = [f"The nearest known network is {near}."] if near else []
        raise WeightsError("\n".join(["the weights don't fit this network:", *wrong[:_SHOWN], *more, *hint]))
    model.load_state_dict(given)


def nearest_preset(state: State) -> str | None:
    """The preset that shares most names and shapes with ``state``; None where none shares half of them."""
    wanted = {(name, tuple(tensor.shape)) for name, tensor in state.items()}
    scores = {}
    for preset, spec in PRESETS.items():
        # A block has twelve entries at least. Building the thousand-layer nets would take seconds.
        if len(spec.blocks) * 12 < 2 * len(wanted):
            shapes = _preset_shapes(preset)
            scores[preset] = len(wanted & shapes) / max(len(wanted), len(shapes))
    best = max(scores, key=scores.__getitem__, default="")
    return best if scores.get(best, 0) > 0.5 else None


@cache
def _preset_shapes(preset: str) -> frozenset[tuple[str, tuple[int, ...]]]:
    model = build(PRESETS[preset], device="meta")
    return frozenset((name, tuple(tensor.shape)) for name, tensor in model.state_dict().items())


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise refusal(f"it is damaged: {str(error).rpartition('header: ')[2][:120]}") from error


def _read_torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"it would call {found[1][:80]!a} when opened" if found else "it holds more than tensors"
        raise refusal(f"{what}; nothing was run. Save model.state_dict(), not the model") from error
    except Exception as error:  # torch reports a damaged file by whatever its readers stumble over
        raise refusal("it is damaged; copy or download it anew") from error


def _state_of(data: Any) -> dict[str, Tensor]:
    """The state_dict in what a file held."""
    wrapped = [data.get(key) for key in _WRAPPERS] if isinstance(data, Mapping) else []
    inner = next((value for value in wrapped if isinstance(value, Mapping)), data)
    if not isinstance(inner, Mapping) or not inner:
        raise refusal("it holds no state_dict, which maps names to tensors")
    for name, value in inner.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            kind = type(value).__name__
            raise refusal(f"its entry {str(name)[:80]!a} is no tensor but {kind}; save the state_dict alone")
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


def _differences(own: State, given: State) -> Iterable[str]:
    """Each name that doesn't fit, as expected and got; those of the network first."""
    for name in [*own, *(name for name in given if name not in own)]:
        expected, got = _kind(own.get(name)), _kind(given.get(name))
        if expected != got:
            yield f"{name[:80]!a}: expected {expected}, got {got}"


def _kind(tensor: Tensor | None) -> str:
    """Shape, and whether the numbers are whole."""
    if tensor is None:
        return "nothing"
    shape = "×".join(map(str, tensor.shape)) or "one number"
    return shape if tensor.is_floating_point() else f"{shape} (integers)"
