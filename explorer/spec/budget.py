"""Parameters and multiply-adds of a spec in closed form, so that limits hold before anything is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .anatomy import block_norms, branch_convs, end_norms, output_pixels, shortcut_conv, sizes, stem_convs, stem_norms
from .options import Norm

if TYPE_CHECKING:
    from .model import ResNetSpec


def estimate(spec: ResNetSpec) -> tuple[int, int]:
    """Parameters, and MACs of one image.

    MACs count one per multiply-add of convolutions and the linear layer; normalisation, activation, pooling and
    additions count 0 (the convention of torchvision's ``weights.meta["_ops"]``). Exact for every spec whose
    shortcuts all fit.
    """
    side, normed = spec.image_size, spec.norm is not Norm.NONE
    params = macs = spec.out_channels * spec.num_classes
    params += spec.num_classes
    convs = [(*placed, 1) for placed in output_pixels(stem_convs(spec), (side, side))]
    channels = sum(norm.channels for norm in (*stem_norms(spec), *end_norms(spec)))
    counts = [len(run) for run in spec.runs]
    for (plan, before, after), count in zip(
        sizes(spec, side, side, (run[0] for run in spec.runs)), counts, strict=True
    ):
        convs += [(*placed, count) for placed in output_pixels(branch_convs(spec, plan), before)]
        if shortcut := shortcut_conv(plan):
            convs.append((shortcut, after[0] * after[1], count))
        channels += count * sum(norm.channels for norm in block_norms(spec, plan))
    for conv, pixels, count in convs:
        weights = count * conv.weights
        params += weights
        macs += weights * pixels
    # Without normalisation each convolution has a bias; with it, the norm's scale and shift take its place.
    return params + (2 * channels if normed else sum(conv.outputs * count for conv, _, count in convs)), macs
