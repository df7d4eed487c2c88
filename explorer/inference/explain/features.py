"""The feature maps of a network's layers for one photo."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ...errors import ExplorerError
from ...network.blocks import ResidualBlock
from ...network.shortcuts import ZeroPad
from ..classifier import Classifier
from ..transform import PreprocessedInput
from .hooks import borrow_network, retry_on_cpu

_MAPS = (nn.Conv2d, nn.BatchNorm2d, nn.GroupNorm, nn.MaxPool2d, ResidualBlock, ZeroPad)
_STEM = "stem"


@dataclass(frozen=True)
class FeatureMap:
    """One channel of a layer's output.

    Attributes:
        channel: its number, from 0.
        strength: root mean square over its places; where a place was asked for, the absolute value there.
        values: float32 (h, w).
    """

    channel: int
    strength: float
    values: Tensor = field(repr=False)


@dataclass(frozen=True)
class FeatureMaps:
    """The strongest channels of a layer, the strongest first.

    Attributes:
        channels: how many the layer has.
    """

    layer: str
    channels: int
    maps: tuple[FeatureMap, ...]


@retry_on_cpu
def feature_maps(
    classifier: Classifier,
    model_input: PreprocessedInput,
    layer: str,
    most: int | None = 16,
    at: tuple[float, float] | None = None,
) -> FeatureMaps:
    """The output of ``layer`` for a photo, channel by channel.

    Args:
        layer: one of ``layers``.
        most: how many to return; None for all.
        at: across and down the crop the network saw, each 0 … 1: order by what the channels hold there.

    Raises:
        ExplorerError: there is no such layer.
    """
    check_layer(classifier, layer)
    with borrow_network(classifier, model_input) as network, torch.no_grad():
        outputs: list[Tensor] = []
        network.after(network.model.get_submodule(layer), outputs.append)
        network.model(network.batch)
    values = outputs[-1][0].float().cpu().contiguous()
    strengths = values.square().mean((1, 2)).sqrt() if at is None else _values_at(values, at).abs()
    order = torch.argsort(strengths, descending=True, stable=True)[:most]
    maps = (FeatureMap(int(i), float(strengths[i]), values[i]) for i in order)
    return FeatureMaps(layer, len(values), tuple(maps))


def layers(classifier: Classifier) -> dict[str, tuple[str, ...]]:
    """Every block, and ``stem``, with the paths of its layers that give maps; a block's own path, for y, comes first.

    A block's activation runs several times under one name and is not counted; its last output is the block's.
    """
    with classifier.engine.borrow() as model:
        modules = dict(model.named_modules())
    giving = [
        name for name, module in modules.items() if isinstance(module, _MAPS) or _is_stem_activation(name, module)
    ]
    blocks = [plan.path for plan in classifier.variant.spec.blocks]
    stem = tuple(name for name in giving if not name.startswith(("layer", "post")))
    inside = {block: tuple(n for n in giving if n == block or n.startswith(f"{block}.")) for block in blocks}
    return {_STEM: stem, **inside}


def check_layer(classifier: Classifier, layer: str) -> None:
    """Raises ``ExplorerError`` for what is none of ``layers``."""
    if not any(layer in paths for paths in layers(classifier).values()):
        raise ExplorerError(f"no layer named {layer[:60]!a} gives feature maps in {classifier.variant.title}")


def _is_stem_activation(name: str, module: nn.Module) -> bool:
    return name == "relu" and not isinstance(module, nn.Identity)


def _values_at(values: Tensor, at: tuple[float, float]) -> Tensor:
    """(C, h, w) -> (C): the values at a place."""
    height, width = values.shape[1:]
    column, row = (min(int(share * side), side - 1) for share, side in zip(at, (width, height), strict=True))
    return values[:, row, column]
