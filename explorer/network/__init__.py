"""From spec to ``torch.nn.Module``."""

from .resnet import ResNet, build

__all__ = ["ResNet", "build"]
