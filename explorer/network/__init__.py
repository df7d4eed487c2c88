"""From spec to ``torch.nn.Module``."""

from .resnet import ResNet, build, build_skeleton

__all__ = ["ResNet", "build", "build_skeleton"]
