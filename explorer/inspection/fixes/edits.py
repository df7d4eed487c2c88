"""Changes of single layers: made on a copy without weights, and written down as a line of PyTorch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from ...spec import shapes

_LABELS = {
    "stride": "Stride",
    "padding": "Padding",
    "ceil_mode": "Rounding up",
    "output_size": "Output size",
    "outputs": "Width",
    "inputs": "Input width",
    "groups": "Groups",
}


@dataclass(frozen=True)
class Edit:
    """One attribute of one layer set to another value.

    Attributes:
        path: of the module.
        attribute: "stride", "padding", "ceil_mode", "output_size"; or "outputs", "inputs" (channels or features) and
            "groups", which make the layer anew.
    """

    path: str
    attribute: str
    value: Any

    def title(self, model: nn.Module) -> str:
        """'Stride of layer2.0.conv1: 1 → 2', for the model before the change."""
        before = _read(self, model)
        return f"{_LABELS[self.attribute]} of {self.path}: {_shown(before)} → {_shown(self.value)}"

    def line(self, model: nn.Module) -> str:
        """PyTorch, for the model after the change."""
        module = model.get_submodule(self.path)
        if self.attribute in ("inputs", "outputs", "groups"):
            return f'model.set_submodule("{self.path}", nn.{module!r})'
        return f'model.get_submodule("{self.path}").{self.attribute} = {self.value!r}'


def edited(model: nn.Module, edits: Sequence[Edit]) -> nn.Module:
    """A copy of a model on the meta device with the changes made."""
    if not edits:
        return model
    model = copy.deepcopy(model)
    for edit in edits:
        _write(model.get_submodule(edit.path), edit.attribute, edit.value)
    return model


def changing(model: nn.Module, edits: Sequence[Edit]) -> tuple[Edit, ...] | None:
    """Those of the edits that change something; None where that is none, or one of them can't be made."""
    values = [_read(edit, model) for edit in edits]
    changes = tuple(edit for edit, value in zip(edits, values, strict=True) if value != edit.value)
    return changes if changes and None not in values else None


def _read(edit: Edit, model: nn.Module) -> Any:
    """The value as it is; None where there is no such layer, or one whose class may do anything with it."""
    module = dict(model.named_modules()).get(edit.path)
    if module is None or not type(module).__module__.startswith("torch.nn."):
        return None
    return getattr(module, _NAMES.get((_kind(module), edit.attribute), edit.attribute), None)


def _kind(module: nn.Module) -> type[nn.Module]:
    kinds = (_ConvNd, nn.Linear, _NormBase, nn.GroupNorm)
    return next((kind for kind in kinds if isinstance(module, kind)), nn.Module)


_NAMES: dict[tuple[type[nn.Module], str], str] = {
    (_ConvNd, "inputs"): "in_channels",
    (_ConvNd, "outputs"): "out_channels",
    (nn.Linear, "inputs"): "in_features",
    (nn.Linear, "outputs"): "out_features",
    (_NormBase, "inputs"): "num_features",
    (nn.GroupNorm, "inputs"): "num_channels",
    (nn.GroupNorm, "groups"): "num_groups",
}


def _write(module: nn.Module, attribute: str, value: Any) -> None:
    setattr(module, _NAMES.get((_kind(module), attribute), attribute), value)
    if isinstance(module, (_NormBase, nn.GroupNorm)):
        if attribute == "inputs":
            _resize(module, ("weight", "bias", "running_mean", "running_var"), (value,))
    elif isinstance(module, _ConvNd):
        sides = (module.out_channels, module.in_channels // module.groups)
        if isinstance(module, _ConvTransposeNd):
            sides = (module.in_channels, module.out_channels // module.groups)
        _resize(module, ("weight",), (*sides, *module.kernel_size))
        _resize(module, ("bias",), (module.out_channels,))
    elif isinstance(module, nn.Linear):
        _resize(module, ("weight",), (module.out_features, module.in_features))
        _resize(module, ("bias",), (module.out_features,))


def _resize(module: nn.Module, names: Sequence[str], shape: tuple[int, ...]) -> None:
    for name in names:
        old = getattr(module, name)
        if old is not None and old.shape != shape:
            new = torch.empty(shape, dtype=old.dtype, device="meta")
            setattr(module, name, nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    values = value if isinstance(value, tuple) else (value,)
    return shapes.text(values if len(set(values)) > 1 else values[:1], empty="")
