"""The networks that come with this program, and how each was trained."""

from __future__ import annotations

from dataclasses import dataclass

from ..datasets import CIFAR10, IMAGENET200, DataSet
from ..spec import PRESETS, ResNetSpec, Stem
from .recipe import Recipe


@dataclass(frozen=True)
class BuiltIn:
    """A network that comes with this program, and how it is trained.

    Attributes:
        title: for people.
        polish: a second, shorter run, which begins with the weights of the first.
    """

    title: str
    spec: ResNetSpec
    recipe: Recipe
    data: DataSet
    polish: Recipe | None = None


NETS = {
    "cifar10_resnet20": BuiltIn("CIFAR-10 ResNet-20", PRESETS["cifar_resnet20"], Recipe(bfloat16=True), CIFAR10),
    # Four stages learn most per CPU hour within 8 MB: deep maps are small, and wide layers convolve fastest.
    "everyday200_resnet14": BuiltIn(
        "200 everyday classes, ResNet-14",
        IMAGENET200.fit(
            ResNetSpec(depths=(1, 2, 2, 1), widths=(32, 64, 128, 256), stem=Stem.CIFAR, zero_init_residual=True)
        ),
        Recipe(epochs=12, weight_decay=3e-4, small_epochs=7, bfloat16=True),
        IMAGENET200,
        # The validation images are sharper than those to train on: 32 % were right before, 41 % of held-out ones.
        polish=Recipe(epochs=2, learning_rate=0.05, weight_decay=3e-4, bfloat16=True, sharpness=1.2),
    ),
}
