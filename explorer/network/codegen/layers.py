"""A layer as the expression or the assignment that makes it."""

from __future__ import annotations

from collections.abc import Mapping

from ...spec import Activation, Norm, ResNetSpec
from ..layers import activation as activation_module
from .statements import Code

GROUP_NORM = '''\
def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation: 32 groups, or as many as divide 32 and have two channels or more."""
    groups = next((g for g in (32, 16, 8, 4, 2) if channels % g == 0 and channels >= 2 * g), 1)
    return nn.GroupNorm(groups, channels)'''


def conv(spec: ResNetSpec, inputs: object, outputs: object, kernel: int, *, stride: object = 1, groups: int = 1) -> str:
    """A same-padded convolution; it has a bias only where no norm follows."""
    options = {
        f"stride={stride}": stride != 1,
        f"padding={kernel // 2}": kernel > 1,
        f"groups={groups}": groups > 1,
        "bias=False": spec.norm is not Norm.NONE,
    }
    words = [str(inputs), str(outputs), str(kernel), *(word for word, used in options.items() if used)]
    return f"nn.Conv2d({', '.join(words)})"


def norm(spec: ResNetSpec, channels: object) -> str:
    return f"norm({channels})" if spec.norm is Norm.GROUP else f"nn.BatchNorm2d({channels})"


def apply_norm(spec: ResNetSpec, name: str, value: Code) -> Code:
    return value if spec.norm is Norm.NONE else value.through(name)


def optional_norm(spec: ResNetSpec, name: str, channels: object) -> dict[str, str]:
    """What makes a normalisation, by its name; nothing if the spec has none."""
    return {} if spec.norm is Norm.NONE else {name: norm(spec, channels)}


def activation(spec: ResNetSpec) -> str:
    return f"nn.{type(activation_module(spec)).__name__}()"


def assign_layers(spec: ResNetSpec, layers: Mapping[str, str]) -> list[str]:
    """Statements that make layers, by their names."""
    unusual = spec.activation is not Activation.RELU
    notes = {"relu": "  # called relu whatever it is, as in torchvision"} if unusual else {}
    return [f"self.{name} = {made}{notes.get(name, '')}" for name, made in layers.items()]
