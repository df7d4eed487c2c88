"""Seeded networks whose answers look like trained ones', and what eager PyTorch answers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.network import build
from explorer.spec import ResNetSpec

CPU = torch.device("cpu")
SMALL = ResNetSpec(depths=(1, 1), widths=(8, 16), image_size=32, num_classes=10)


def network(spec: ResNetSpec, seed: int = 3) -> nn.Module:
    """Seeded, with statistics and scales of its own, and logits of the size that trained networks give."""
    model = build(spec, seed=seed).eval()
    dice = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
            # Blocks add little to their shortcuts, as in trained networks: or numbers would double with each.
            module.weight.data.uniform_(0.2, 0.6, generator=dice)
            module.bias.data.normal_(std=0.1, generator=dice)
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.1, generator=dice)
            module.running_var.uniform_(0.5, 1.5, generator=dice)
    with torch.no_grad():
        largest = float(model(images(spec, 2)).abs().max())
        model.fc.weight.mul_(20 / largest)
        model.fc.bias.mul_(20 / largest)
    return model


def images(spec: ResNetSpec, count: int, seed: int = 0) -> Tensor:
    size = (count, spec.in_channels, spec.image_size, spec.image_size)
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def eager(model: nn.Module, batch: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(batch)
    return logits
