"""A basic block and a bottleneck from and to the same channels, and what the convolutions of each cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...spec import BlockPlan, ResNetSpec
from ...spec.anatomy import Conv, branch_convs
from . import numbers


def same_width(spec: ResNetSpec, plan: BlockPlan) -> str:
    """What two 3×3 convolutions would cost in place of the branch of ``plan``, at its output's channels.

    Weights of convolutions are counted, at stride 1; the shortcut and normalisation are not. MACs are these weights
    times the pixels of the map, so that the factor is the same.

    Args:
        plan: a block with a bottleneck.
    """
    channels = plan.out_channels
    narrow = branch_convs(spec, replace(plan, in_channels=channels, stride=1))
    wide = [Conv(path, channels, channels, 3) for path in ("conv1", "conv2")]
    basic, bottleneck = (sum(conv.weights for conv in convs) for convs in (wide, narrow))
    less, more = sorted((basic, bottleneck))
    factor = f"{numbers.three_digits(more / less)} times {'fewer' if bottleneck < basic else 'as many'}"
    return (
        f"From {channels} to {channels} channels, a basic block (two 3×3 convolutions) has {numbers.count(basic)} "
        f"parameters, and a bottleneck ({_words(narrow)}) has {numbers.count(bottleneck)}: {factor}, and MACs likewise."
    )


def _words(convs: Sequence[Conv]) -> str:
    """ "1×1, 3×3, 1×1, with 64 channels inside"."""
    groups = max(conv.groups for conv in convs)
    grouped = f" in {groups} groups" if groups > 1 else ""
    kernels = ", ".join(f"{conv.kernel}×{conv.kernel}" for conv in convs)
    return f"{kernels}, with {convs[0].outputs} channels inside{grouped}"
