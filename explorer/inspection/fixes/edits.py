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
    "output_padding": "Output padding",
    "normalized_shape": "Shape",
    "kind": "Kind",
}
PARAMETER = "parameter "  # and its name


@dataclass(frozen=True)
class Edit:
    """One attribute of one layer set to another value.

    Attributes:
        path: of the module.
        attribute: "stride", "padding", "output_padding", "ceil_mode", "output_size"; "outputs", "inputs" (channels or
            features), "groups", "normalized_shape" and "kind" (name of a class), which make a new layer; or
            ``PARAMETER`` and a name, for the shape of a parameter.
    """

    path: str
    attribute: str
    value: Any

    def title(self, model: nn.Module) -> str:
        """'Stride of layer2.0.conv1: 1 → 2', for the model before the change."""
        before = _read(self, model)
        if self.attribute.startswith(PARAMETER) or self.attribute == "normalized_shape":
            name = self._name if self.attribute.startswith(PARAMETER) else self.path
            return f"Shape of {name}: {shapes.text(before)} → {shapes.text(self.value)}"
        return f"{_LABELS[self.attribute]} of {self.path}: {_shown(before)} → {_shown(self.value)}"

    def line(self, model: nn.Module) -> str:
        """PyTorch, for the model after the change."""
        module = model.get_submodule(self.path)
        if self.attribute.startswith(PARAMETER):
            return f"model.{self._name} = nn.Parameter(torch.zeros({self.value!r}))"
        if self.attribute in ("inputs", "outputs", "groups", "normalized_shape", "kind"):
            return f'model.set_submodule("{self.path}", nn.{module!r})'
        return f'model.get_submodule("{self.path}").{self.attribute} = {self.value!r}'

    @property
    def _name(self) -> str:
        """Name of a parameter, with its module's path."""
        name = self.attribute.removeprefix(PARAMETER)
        return f"{self.path}.{name}" if self.path else name


def edited(model: nn.Module, edits: Sequence[Edit]) -> nn.Module:
    """A copy of a model on the meta device with the changes made."""
    if not edits:
        return model
    model = copy.deepcopy(model)
    for edit in edits:
        if edit.attribute == "kind":
            model.set_submodule(edit.path, _of_kind(model.get_submodule(edit.path), edit.value))
        else:
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
    if module is not None and edit.attribute.startswith(PARAMETER):
        parameter = module._parameters.get(edit.attribute.removeprefix(PARAMETER))
        return None if parameter is None else tuple(parameter.shape)
    if module is None or not type(module).__module__.startswith("torch.nn."):
        return None
    if edit.attribute == "kind":
        return type(module).__name__
    return getattr(module, _NAMES.get((_kind(module), edit.attribute), edit.attribute), None)


def _kind(module: nn.Module) -> type[nn.Module]:
    kinds = (_ConvNd, nn.Linear, _NormBase, nn.GroupNorm, nn.RNNBase)
    return next((kind for kind in kinds if isinstance(module, kind)), nn.Module)


_NAMES: dict[tuple[type[nn.Module], str], str] = {
    (_ConvNd, "inputs"): "in_channels",
    (_ConvNd, "outputs"): "out_channels",
    (nn.Linear, "inputs"): "in_features",
    (nn.Linear, "outputs"): "out_features",
    (_NormBase, "inputs"): "num_features",
    (nn.GroupNorm, "inputs"): "num_channels",
    (nn.GroupNorm, "groups"): "num_groups",
    (nn.RNNBase, "inputs"): "input_size",
}


def _of_kind(module: nn.Module, kind: str) -> nn.Module:
    """A normalisation for another rank, of the same channels."""
    made: nn.Module = getattr(nn, kind)(module.num_features, affine=module.affine, device="meta")
    return made.train(module.training)


def _write(module: nn.Module, attribute: str, value: Any) -> None:
    if attribute.startswith(PARAMETER):
        _resize(module, (attribute.removeprefix(PARAMETER),), value)
        return
    setattr(module, _NAMES.get((_kind(module), attribute), attribute), value)
    if isinstance(module, (_NormBase, nn.GroupNorm)):
        if attribute == "inputs":
            _resize(module, ("weight", "bias", "running_mean", "running_var"), (value,))
    elif isinstance(module, nn.LayerNorm):
        _resize(module, ("weight", "bias"), value)
    elif isinstance(module, nn.RNNBase):
        for name, weight in list(module.named_parameters()):
            if name.startswith("weight_ih_l0"):
                _resize(module, (name,), (weight.shape[0], value))
        module.flatten_parameters()
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
        old = getattr(module, name, None)
        if old is not None and old.shape != shape:
            new = torch.empty(shape, dtype=old.dtype, device="meta")
            setattr(module, name, nn.Parameter(new, old.requires_grad) if isinstance(old, nn.Parameter) else new)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "on" if value else "off"
    values = value if isinstance(value, tuple) else (value,)
    return shapes.text(values if len(set(values)) > 1 else values[:1], empty="")
