"""Copies of a module: without memory, with memory, with sizes for its lazy layers."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .inputs import like, tensors


def meta_copy(module: nn.Module) -> nn.Module:
    """A copy whose tensors have shapes but no memory, without the hooks of its owner: they are not ours to run."""
    memo: dict[int, Any] = {}
    for tensor in chain(module.parameters(), module.buffers(), _loose_tensors(module)):
        empty = torch.empty_like(tensor, device="meta")
        if isinstance(tensor, nn.Parameter):
            empty = nn.Parameter(empty, requires_grad=tensor.requires_grad)
        memo[id(tensor)] = empty
    hooks = [value for m in module.modules() for name, value in vars(m).items() if name.endswith("_hooks")]
    memo.update((id(value), OrderedDict()) for value in hooks if isinstance(value, dict))
    return copy.deepcopy(module, memo)


def _loose_tensors(module: nn.Module) -> Iterator[Tensor]:
    """Tensors kept as plain attributes."""
    own = ({k: v for k, v in vars(m).items() if k not in ("_parameters", "_buffers")} for m in module.modules())
    return tensors(own)


def copied(shadow: nn.Module) -> nn.Module:
    """A copy without memory of one without memory."""
    return copy.deepcopy(shadow)


def materialised(shadow: nn.Module, values: nn.Module | None) -> nn.Module:
    """A copy on the processor, with the values of another module's tensors of the same name and shape; the others get
    small random numbers."""
    if values is not None and has_script(values):
        return copy.deepcopy(values)
    given = {} if values is None else dict(chain(values.named_parameters(), values.named_buffers()))
    named = dict(chain(shadow.named_parameters(), shadow.named_buffers()))
    memo: dict[int, Any] = {}
    generator = torch.Generator().manual_seed(0)
    for name, tensor in named.items():
        memo[id(tensor)] = _filled(tensor, given.get(name), name, generator)
    loose = list(_loose_tensors(values)) if values is not None else []
    for i, tensor in enumerate(_loose_tensors(shadow)):
        memo.setdefault(id(tensor), _filled(tensor, loose[i] if i < len(loose) else None, "", generator))
    return copy.deepcopy(shadow, memo)


def _filled(tensor: Tensor, value: Tensor | None, name: str, generator: torch.Generator) -> Tensor:
    if value is not None and not value.is_meta and value.shape == tensor.shape:
        filled = value.detach().to("cpu", copy=True)
    elif not tensor.is_floating_point():
        filled = torch.zeros(tensor.shape, dtype=tensor.dtype)
    elif name.endswith("running_var"):
        filled = torch.ones(tensor.shape, dtype=tensor.dtype)
    else:
        filled = (torch.randn(tensor.shape, generator=generator) * 0.05).to(tensor.dtype)
    return nn.Parameter(filled, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else filled


def sized(module: nn.Module, inputs: Any) -> nn.Module:
    """A module whose lazy layers have got their sizes: a copy that has run once, if there are any."""
    lazy = [tensor for tensor in chain(module.parameters(), module.buffers()) if is_lazy(tensor)]
    if not lazy:
        return module
    module = copy.deepcopy(module).eval()
    device = "meta" if lazy[0].device.type == "meta" else "cpu"
    data = like(inputs, torch.float32, device)
    with torch.no_grad():
        module(**data) if isinstance(data, dict) else module(*data)
    return module


def has_script(module: nn.Module) -> bool:
    """Whether it is, or has, a compiled script, which can be neither copied without memory nor hooked."""
    return any(isinstance(m, torch.jit.ScriptModule) for m in module.modules())
