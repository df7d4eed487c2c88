"""The data sets of this program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..spec import ResNetSpec
from .cifar10 import load_cifar10, load_cifar10_tenth
from .digits import load_digits
from .image_set import Splits
from .imagenet200 import load_imagenet200


@dataclass(frozen=True)
class DataSet:
    """A labelled set of images.

    Attributes:
        key: in commands, forms and files.
        name: for people, in a sentence.
        title: for people, in a list of choices.
        archive, folder: names of its archive and of a folder with its images; empty if a library contains them.
        classes: how many.
        split: what accuracy is measured on.
        licence: of weights that were trained on it, in words.
        load: a folder or archive -> what to train on and what to measure on.
        side: of the images, px.
        pad, flip: the augmentation that suits it: crops shifted by up to ``pad`` px, mirror images.
        part_of: name of the data set whose files it is read from, if that is another.
        held_out: whether some training images are left out, to fit the network's confidence on.
    """

    key: str
    name: str
    title: str
    archive: str
    folder: str
    classes: int
    split: str
    licence: str
    load: Callable[[Path], Splits]
    side: int = 32
    pad: int = 4
    flip: bool = True
    part_of: str = ""
    held_out: bool = True

    def fit(self, spec: ResNetSpec) -> ResNetSpec:
        """The network with this set's input, three channels of ``side`` px, and classes."""
        return spec.with_(in_channels=3, image_size=self.side, num_classes=self.classes)


DIGITS = DataSet(
    key="digits",
    name="Digits",
    title="Digits, 1,797 of 8×8 px",
    archive="",
    folder="",
    classes=10,
    split="the last 360 images",
    licence="Trained on the digits of Alpaydin & Kaynak (UCI, CC BY 4.0).",
    load=lambda _: load_digits(),
    side=8,
    pad=1,
    flip=False,  # nobody writes mirrored digits
    held_out=False,
)
CIFAR10 = DataSet(
    key="cifar10",
    name="CIFAR-10",
    title="CIFAR-10, 60,000 of 32×32 px",
    archive="cifar10-jpeg.tar.xz",
    folder="cifar10",
    classes=10,
    split="test split",
    licence="Trained by this project on CIFAR-10 (Krizhevsky 2009); for research and education.",
    load=load_cifar10,
)
CIFAR10_TENTH = replace(
    CIFAR10,
    key="cifar10_tenth",
    name="A tenth of CIFAR-10",
    title="CIFAR-10, a tenth of it",
    split="a tenth of the test split",
    part_of=CIFAR10.name,
    load=load_cifar10_tenth,
)
IMAGENET200 = DataSet(
    key="imagenet200",
    name="200 ImageNet classes at 32 px",
    title="200 ImageNet classes, 110,000 of 32×32 px",
    archive="imagenet200-32px.tar.xz",
    folder="imagenet200",
    classes=200,
    split="validation split",
    licence="Trained by this project on 200 classes of ImageNet (Deng et al. 2009), whose terms allow non-commercial "
    "research and education.",
    load=load_imagenet200,
)
DATA_SETS = {data.key: data for data in (DIGITS, CIFAR10_TENTH, CIFAR10, IMAGENET200)}
