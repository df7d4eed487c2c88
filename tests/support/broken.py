"""Mistakes to plant in torchvision's ResNets, and what the diagnosis has to call them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from explorer.compat import torchvision

SIDE = 200  # px: the maps have sides of 50, 25, 13 and 7


@dataclass(frozen=True)
class Bug:
    """One mistake: what it does to a network, and the rule and the module path of its finding."""

    plant: Callable[[nn.Module], None]
    rule: str
    path: str


def healthy(name: str) -> nn.Module:
    """``resnet18`` or ``resnet50`` without memory."""
    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None)


def conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False, device="meta")


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, device="meta")


def replaced(**layers: nn.Module | None) -> Callable[[nn.Module], None]:
    """``layer2__0__conv1=…`` puts it in the place of ``layer2.0.conv1``."""

    def plant(net: nn.Module) -> None:
        for path, layer in layers.items():
            holder, _, name = path.replace("__", ".").rpartition(".")
            setattr(net.get_submodule(holder), name, layer)

    return plant


def changed(path: str, **attributes: object) -> Callable[[nn.Module], None]:
    def plant(net: nn.Module) -> None:
        for name, value in attributes.items():
            setattr(net.get_submodule(path), name, value)

    return plant


# Each in a stage or block of its own, so that all of a network's may be planted at once.
BUGS: dict[str, dict[str, Bug]] = {
    "resnet18": {
        "no padding": Bug(changed("layer1.0.conv2", padding=(0, 0)), "padding-forgotten", "layer1.0"),
        "groups": Bug(changed("layer1.1.conv1", groups=3), "groups-do-not-divide", "layer1.1.conv1"),
        "no projection": Bug(replaced(layer2__0__downsample=None), "missing-projection", "layer2.0"),
        "narrow branch": Bug(
            replaced(layer2__1__conv2=conv(128, 96), layer2__1__bn2=norm(96)), "wrong-width", "layer2.1"
        ),
        "stride of the shortcut": Bug(changed("layer3.0.downsample.0", stride=(1, 1)), "stride-differs", "layer3.0"),
        "width of a convolution": Bug(replaced(layer3__1__conv1=conv(256, 200)), "wrong-width", "layer3.1.bn1"),
        "pooling rounds down": Bug(
            replaced(layer4__0__downsample=nn.Sequential(nn.AvgPool2d(2), conv(256, 512, 1), norm(512))),
            "odd-size",
            "layer4.0",
        ),
        "width of a norm": Bug(replaced(layer4__1__bn2=norm(256)), "wrong-width", "layer4.1.bn2"),
        "classifier": Bug(replaced(fc=nn.Linear(2048, 10, device="meta")), "wrong-width", "fc"),
    },
    "resnet50": {
        "expansion of the projection": Bug(
            replaced(layer1__0__downsample=nn.Sequential(conv(64, 128, 1), norm(128))), "wrong-expansion", "layer1.0"
        ),
        "expansion of a branch": Bug(
            replaced(layer1__1__conv3=conv(64, 128, 1), layer1__1__bn3=norm(128)), "wrong-expansion", "layer1.1"
        ),
        "stride of a branch": Bug(changed("layer1.2.conv2", stride=(2, 2)), "stride-differs", "layer1.2"),
        "no padding, with stride": Bug(changed("layer2.0.conv2", padding=(0, 0)), "padding-forgotten", "layer2.0"),
        "padding of a 1×1": Bug(changed("layer2.1.conv1", padding=(1, 1)), "padding-in-excess", "layer2.1"),
        "groups": Bug(changed("layer2.2.conv2", groups=3), "groups-do-not-divide", "layer2.2.conv2"),
        "width between convolutions": Bug(
            replaced(layer2__3__conv1=conv(512, 100, 1), layer2__3__bn1=norm(100)), "wrong-width", "layer2.3.conv2"
        ),
        "no projection": Bug(replaced(layer3__0__downsample=None), "missing-projection", "layer3.0"),
        "width of a norm": Bug(replaced(layer3__1__bn1=norm(250)), "wrong-width", "layer3.1.bn1"),
        "width of the projection": Bug(
            replaced(layer4__0__downsample=nn.Sequential(conv(1024, 1000, 1, 2), norm(1000))), "wrong-width", "layer4.0"
        ),
        "last block": Bug(
            replaced(layer4__2__conv3=conv(512, 1024, 1), layer4__2__bn3=norm(1024)), "wrong-expansion", "layer4.2"
        ),
    },
}
