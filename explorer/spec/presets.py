"""Networks with a name: torchvision's ResNet family, the CIFAR nets of the two papers."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from .model import ResNetSpec
from .options import Block, Shortcut, Stem

# Blocks in each stage, by the depth that names the network (He et al. 2015, Table 1).
DEPTHS: dict[int, tuple[int, ...]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def block_of_depth(depth: int, preact: bool = False) -> Block:
    """The block of the network with so many layers (He et al. 2015, Table 1), or its pre-activation form."""
    block = Block.BASIC if depth < 50 else Block.BOTTLENECK
    return block.with_order(preact) or block


def _imagenet(depth: int, **changes: Any) -> ResNetSpec:
    return ResNetSpec(depths=DEPTHS[depth], block=block_of_depth(depth), **changes)


def _cifar(n: int, block: Block = Block.BASIC, shortcut: Shortcut = Shortcut.ZERO_PAD) -> ResNetSpec:
    """Three stages of n blocks: 6n+2 layers with basic blocks, 9n+2 with bottlenecks (He et al. 2015 §4.2, 2016 §4)."""
    return ResNetSpec(
        depths=(n, n, n),
        block=block,
        shortcut=shortcut,
        stem=Stem.CIFAR,
        widths=(16, 32, 64),
        num_classes=10,
        image_size=32,
    )


PRESETS: MappingProxyType[str, ResNetSpec] = MappingProxyType(
    {
        "resnet18": _imagenet(18),
        "resnet34": _imagenet(34),
        "resnet50": _imagenet(50),
        "resnet101": _imagenet(101),
        "resnet152": _imagenet(152),
        "resnext50_32x4d": _imagenet(50, groups=32, width_per_group=4),
        "resnext101_32x8d": _imagenet(101, groups=32, width_per_group=8),
        "resnext101_64x4d": _imagenet(101, groups=64, width_per_group=4),
        "wide_resnet50_2": _imagenet(50, width_per_group=128),
        "wide_resnet101_2": _imagenet(101, width_per_group=128),
        **{f"cifar_resnet{6 * n + 2}": _cifar(n) for n in (3, 5, 7, 9, 18, 200)},
        **{f"preact_resnet{9 * n + 2}": _cifar(n, Block.PREACT_BOTTLENECK, Shortcut.PROJECTION) for n in (18, 111)},
    }
)

_TITLES: dict[str, str] = {
    "resnext50_32x4d": "ResNeXt-50 32×4d",
    "resnext101_32x8d": "ResNeXt-101 32×8d",
    "resnext101_64x4d": "ResNeXt-101 64×4d",
    "wide_resnet50_2": "Wide ResNet-50 ×2",
    "wide_resnet101_2": "Wide ResNet-101 ×2",
}


def preset_of(spec: ResNetSpec) -> str | None:
    """Name of the preset equal to ``spec``, if there is one."""
    return next((name for name, preset in PRESETS.items() if preset == spec), None)


def title(spec: ResNetSpec) -> str:
    """A short human name: the preset's, else family and weighted layers, as "Plain-18" or "ResNet-26"."""
    name = preset_of(spec) or ""
    if name in _TITLES:
        return _TITLES[name]
    cifar = "CIFAR " if name.startswith("cifar") else ""
    family = "Plain" if spec.is_plain else "Pre-act ResNet" if spec.block.is_preact else "ResNet"
    return f"{cifar}{family}-{spec.weighted_layers}"
