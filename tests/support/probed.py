"""Small networks whose gradients are measured."""

from __future__ import annotations

from explorer.spec import ResNetSpec

SMALL = ResNetSpec().with_(
    depths=(2, 2), widths=(8, 16), stem="cifar", shortcut="zero_pad", num_classes=5, image_size=16
)
VARIETY = {
    "basic, option A": {},
    "plain": {"shortcut": "none"},
    "bottleneck, option C, groups": {
        "block": "bottleneck",
        "shortcut": "projection_all",
        "norm": "group",
        "groups": 2,
        "width_per_group": 32,
    },
    "pre-activation, no norm": {
        "block": "preact_bottleneck",
        "shortcut": "projection",
        "norm": "none",
        "activation": "gelu",
    },
    "pre-activation basic, deep stem": {"block": "preact_basic", "stem": "deep", "image_size": 32},
    "imagenet stem": {"stem": "imagenet", "shortcut": "projection", "image_size": 40},
}
