"""Training the networks that come with this program: what they are, where their data is, how it ends."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

import torch

from ..errors import DataError, ExplorerError
from ..spec import PRESETS, ResNetSpec, Stem, title
from .datasets import ImageSet, load_cifar10, load_imagenet200
from .export import export
from .loop import Epoch, Run, Step
from .recipe import Recipe

_ROOT = Path(__file__).resolve().parents[2]
RUNS = _ROOT / "runs"
PHOTOS_VARIABLE = "RESNET_EXPLORER_PHOTOS"
_BESIDE = _ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Data:
    """A labelled set of images.

    Attributes:
        name: for people.
        archive: name of its file, where a copy lies beside the project.
        variable: of the environment; names a folder or archive.
        split: what accuracy is measured on.
        licence: of weights that were trained on it, in words.
        load: a folder or archive -> what to train on and what to measure on.
        side: of the images, px.
        held_out: whether some training images are left out, for ``calibration``.
    """

    name: str
    archive: str
    variable: str
    classes: int
    split: str
    licence: str
    load: Callable[[Path], tuple[ImageSet, ImageSet]]
    side: int = 32
    held_out: bool = True

    def fit(self, spec: ResNetSpec) -> ResNetSpec:
        """The network with this set's input, three channels of ``side`` px, and classes."""
        return spec.with_(in_channels=3, image_size=self.side, num_classes=self.classes)


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
    data: Data
    polish: Recipe | None = None


CIFAR10 = Data(
    name="CIFAR-10",
    archive="cifar10-jpeg.tar.xz",
    variable="RESNET_EXPLORER_DATA",
    classes=10,
    split="test split",
    licence="Trained by this project on CIFAR-10 (Krizhevsky 2009); for research and teaching.",
    load=load_cifar10,
)
IMAGENET200 = Data(
    name="200 ImageNet classes at 32 px",
    archive="imagenet200-32px.tar.xz",
    variable="RESNET_EXPLORER_IMAGENET200",
    classes=200,
    split="validation split",
    licence="Trained by this project on 200 classes of ImageNet (Deng et al. 2009), whose terms allow non-commercial "
    "research and education.",
    load=load_imagenet200,
)
NETS = {
    "cifar10_resnet20": BuiltIn("CIFAR-10 ResNet-20", PRESETS["cifar_resnet20"], Recipe(bfloat16=True), CIFAR10),
    # Of what fits 8 MB, four stages learn most an hour of a CPU: deep maps are small, and wide layers convolve fastest.
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


def find_data(given: Path | None, cache: Path, data: Data = CIFAR10) -> Path:
    """Where ``data`` is: ``given``, what its variable names, a copy beside the project, or ``cache``.

    In ``cache`` torchvision looks for CIFAR-10, and downloads it if it isn't there.

    Raises:
        DataError: what was named does not exist.
    """
    named = given or (Path(os.environ[data.variable]) if os.environ.get(data.variable) else None)
    if named is None:
        beside = _BESIDE / data.archive
        return beside if beside.is_file() else cache
    if not named.expanduser().exists():
        raise DataError(f"data: nothing is at '{named}'; a folder or archive of {data.name} is expected")
    return named.expanduser()


def find_photos() -> Path | None:
    """A folder of full-size photos, named ``<wnid>_<class name>``: as ``$RESNET_EXPLORER_PHOTOS`` says, or beside."""
    folder = Path(os.environ.get(PHOTOS_VARIABLE) or _BESIDE / "photos")
    return folder if folder.is_dir() else None


def checkpoint_path(name: str, runs: Path = RUNS) -> Path:
    """``runs/<name>/last.pt``.

    Raises:
        ExplorerError: ``name`` is not fit for a file.
    """
    if not re.fullmatch(r"\w[\w.-]{0,63}", name, re.ASCII):
        raise ExplorerError(
            f"name: got {name[:40]!a}; 1 to 64 letters, digits, dots, hyphens and underscores are allowed"
        )
    return runs / name / "last.pt"


def prepare(
    spec: ResNetSpec,
    recipe: Recipe,
    source: Path,
    checkpoint: Path,
    *,
    device: torch.device,
    fresh: bool = False,
    data: Data = CIFAR10,
) -> Run:
    """A run of ``data.fit(spec)``, continued from ``checkpoint`` if that is there.

    Every fiftieth training image is held out, for calibration, where ``data`` says so.

    Args:
        source: as ``data.load`` takes it.
        fresh: start anew; ``checkpoint`` is then overwritten after the first epoch.

    Raises:
        DataError: the data or the checkpoint is unusable.
        ExplorerError: the checkpoint is of another network, recipe or data.
    """
    images, test = data.load(source)
    train, held_out = images.without_held_out() if data.held_out else (images, None)
    run = Run(data.fit(spec), recipe, train, test, device=device, held_out=held_out)
    if not fresh and not run.resume(checkpoint) and checkpoint.exists():
        raise ExplorerError(
            f"{checkpoint.parent.name}: a run of this name, of another network, recipe or data, has been "
            "trained; give this one another name, or start it anew (fresh)"
        )
    return run


def polished(run: Run, recipe: Recipe, checkpoint: Path) -> Run:
    """A run by ``recipe`` that begins where ``run`` ended, continued from ``checkpoint`` if that is there."""
    said = {"recipe": run.recipe.to_dict(), "curves": [asdict(epoch) for epoch in run.history]}
    after = Run(run.spec, recipe, run.train, run.test, run.device, run.held_out, before=(*run.before, said))
    if not after.resume(checkpoint):
        after.model.load_state_dict(run.model.state_dict())
    return after


def train(run: Run, checkpoint: Path) -> Iterator[Step | Epoch]:
    """``run.events()``, saved to ``checkpoint`` after every epoch.

    Raises:
        ExplorerError: the loss is no longer finite, or the memory doesn't suffice.
    """
    try:
        for event in run.events():
            if not isfinite(event.loss):
                raise ExplorerError(f"epoch {event.epoch + 1}: the loss is no longer finite; lower the learning rate")
            if isinstance(event, Epoch):
                run.save(checkpoint)
            yield event
    except torch.OutOfMemoryError as error:
        raise ExplorerError(f"{run.device}: the memory is full; lower the batch size") from error


def publish(run: Run, folder: Path, name: str, source: Path, data: Data = CIFAR10) -> Path:
    """Write a finished run's weights and side file into ``folder``; returns the path of the weights."""
    known = NETS.get(name)
    network = title(run.spec).removeprefix("CIFAR ")
    words = known.title if known and known.spec == run.spec else f"{data.name} {network}"
    return export(run, folder, name, words, f"{_data_title(source, data)}, {data.split}", data.licence)


def _data_title(source: Path, data: Data) -> str:
    """What the accuracy was measured on. Images from elsewhere may be altered, so their source is named."""
    images = source.is_file() or (source / "train").is_dir()
    return f"{data.name} from {source.name}" if images else data.name
