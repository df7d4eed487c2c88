"""Seeded initial weights: each tensor's numbers depend only on the seed, its own name and its shape.

So a network and its twin (plain, another shortcut option, another norm) start from the same weights in every
layer they share, and a comparison shows the choice, not the dice.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from zlib import crc32

import torch
from torch import Tensor, nn

from ..spec import Init, ResNetSpec
from ..spec.anatomy import last_of_branch
from .blocks import ResidualBlock

_CONV: dict[Init, Callable[[Tensor, torch.Generator], Tensor]] = {
    Init.HE: lambda w, g: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu", generator=g),
    Init.XAVIER: lambda w, g: nn.init.xavier_normal_(w, generator=g),
    Init.ORTHOGONAL: lambda w, g: nn.init.orthogonal_(w, generator=g),
    Init.DEFAULT: lambda w, g: nn.init.kaiming_uniform_(w, a=sqrt(5), generator=g),
}


@torch.no_grad()
def initialise(model: nn.Module, spec: ResNetSpec, seed: int) -> None:
    """Fill the weights of ``model``'s convolutions and classifier (in place, CPU).

    Biases of convolutions start at 0, the classifier as ``nn.Linear`` does. ``spec.zero_init_residual`` then zeroes the
    last layer of every branch (Goyal et al. 2017 §5.1). Norms are left as they are.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            _CONV[spec.init](module.weight, _generator(seed, name))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            generator = _generator(seed, name)
            bound = 1 / sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)
    if spec.zero_init_residual:
        for module in model.modules():
            if isinstance(module, ResidualBlock):
                # The last scale or weight that F applies.
                nn.init.zeros_(module.get_parameter(f"{last_of_branch(spec)}.weight"))


def _generator(seed: int, name: str) -> torch.Generator:
    # One 32-bit number: the processor's generator looks at no higher bits of its seed.
    return torch.Generator().manual_seed(crc32(name.encode(), seed))
