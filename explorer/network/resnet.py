"""``build(spec)``: the network itself, with torchvision's module names, so that its weights load unchanged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..spec import BlockPlan, ResNetSpec
from ..spec.anatomy import stem_convs
from .blocks import BLOCKS
from .initialise import initialise
from .layers import activation, conv, norm


class ResNet(nn.Module):
    """Stem, stages ``layer1`` … ``layerN``, global average pooling and a linear classifier.

    (N, in_channels, H, W) -> logits (N, num_classes). For the presets that torchvision has too, ``state_dict`` keys,
    shapes and outputs equal ``torchvision.models``'.

    Args:
        blocks: those to build; default: all of the spec's.
    """

    def __init__(self, spec: ResNetSpec, blocks: Sequence[BlockPlan] | None = None) -> None:
        super().__init__()
        self.spec = spec
        width = spec.widths[0]
        self.conv1 = _stem(spec)
        # A pre-activation network normalises inside its blocks, and again after the last.
        self.bn1 = nn.Identity() if spec.block.is_preact else norm(width, spec)
        self.relu = nn.Identity() if spec.block.is_preact else activation(spec)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if spec.stem.form.pools else nn.Identity()
        self.stages = tuple(f"layer{i}" for i in range(1, len(spec.depths) + 1))
        block = BLOCKS[spec.block]
        for number, stage in enumerate(self.stages, start=1):
            plans = [plan for plan in blocks or spec.blocks if plan.stage == number]
            named: OrderedDict[str, nn.Module] = OrderedDict((str(plan.index), block(plan, spec)) for plan in plans)
            setattr(self, stage, nn.Sequential(named))
        self.post = _post_activation(spec)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(spec.out_channels, spec.num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, h, w): the map that reaches the pooling."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in self.stages:
            x = getattr(self, stage)(x)
        return self.post(x)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(self.features(x)), 1))


def build(spec: ResNetSpec, *, device: torch.device | str = "cpu", seed: int = 0) -> ResNet:
    """Build the network in training mode.

    Args:
        device: where the weights live; ``"meta"`` allocates and initialises nothing.
        seed: of the initial weights (see ``initialise``); 0 … 2³¹−1.
    """
    device = torch.device(device)
    with torch.device("meta"):
        model = ResNet(spec)
    if device.type == "meta":
        return model
    model = model.to_empty(device="cpu")
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
            module.reset_parameters()
    initialise(model, spec, seed)
    return model.to(device)


def build_skeleton(spec: ResNetSpec) -> ResNet:
    """The network on the meta device with the first block of each of ``spec.runs`` only, under its own name."""
    with torch.device("meta"):
        return ResNet(spec, [run[0] for run in spec.runs])


def _stem(spec: ResNetSpec) -> nn.Module:
    """One convolution, or several with norm and activation between them."""
    layers: list[nn.Module] = []
    for form in stem_convs(spec):
        if layers:
            layers += [norm(form.inputs, spec), activation(spec)]
        layers.append(conv(form.inputs, form.outputs, form.kernel, spec, stride=form.stride))
    return nn.Sequential(*layers) if len(layers) > 1 else layers[0]


def _post_activation(spec: ResNetSpec) -> nn.Module:
    """Norm and activation behind the last pre-activation block; nothing otherwise."""
    if not spec.block.is_preact:
        return nn.Identity()
    return nn.Sequential(norm(spec.out_channels, spec), activation(spec))
