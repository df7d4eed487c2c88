"""Training: runs that go on to the bit, data that is whole or refused, files that are loaded."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.errors import DataError, ExplorerError
from explorer.inference import find, load_classifier
from explorer.inference.weights.catalogue import BUILTIN
from explorer.network import build
from explorer.spec import ResNetSpec, to_dict
from explorer.training.builtin import CIFAR10, NETS, checkpoint_path, find_data, polished, prepare, publish, train
from explorer.training.datasets import CIFAR10_CLASSES, ImageSet, load_cifar10
from explorer.training.export import export
from explorer.training.loop import Epoch, Run, Step, evaluate, normalise
from explorer.training.recipe import Recipe, Schedule
from tests.support.tiny_runs import SHORT, TINY, separable, tiny_run, without_time

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


# Going on


def state_of(run: Run) -> dict[str, Any]:
    momentum = {str(i): state["momentum_buffer"] for i, state in run.optimiser.state_dict()["state"].items()}
    return {**run.model.state_dict(), **momentum}


def test_a_resumed_run_equals_an_uninterrupted_one_to_the_bit(tmp_path: Path) -> None:
    """Stopped in the middle of the second epoch, and again of the third."""
    whole = tiny_run()
    assert sum(isinstance(event, Step) for event in whole.events()) == 9
    path = tmp_path / "runs" / "last.pt"
    for steps in (5, 5):
        broken = tiny_run()
        assert broken.resume(path) is path.exists()
        for event in train(broken, path):
            steps -= isinstance(event, Step)
            if not steps:
                break
    last = tiny_run()
    assert last.resume(path)
    assert [epoch.epoch for epoch in last.history] == [0, 1]
    for _ in train(last, path):
        pass
    assert without_time(last.history) == without_time(whole.history)
    expected, got = state_of(whole), state_of(last)
    assert expected.keys() == got.keys()
    assert all(torch.equal(value, got[name]) for name, value in expected.items())
    assert [file.name for file in path.parent.iterdir()] == ["last.pt"]
    assert tiny_run().resume(path)


def test_seeds_differ() -> None:
    runs = [tiny_run(replace(SHORT, epochs=1, seed=seed)) for seed in (0, 0, 1)]
    losses = [[event.loss for event in run.events()] for run in runs]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_every_epoch_has_an_order_of_its_own() -> None:
    run = tiny_run(replace(SHORT, epochs=2, learning_rate=0.0, pad=0, flip=False))
    losses = [event.loss for event in run.events() if isinstance(event, Step)]
    assert losses[:3] != pytest.approx(losses[3:])


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The checkpoint of a finished tiny run of CIFAR-10's shape, ``data`` beside it."""
    made_folder(tmp_path / "data")
    path = tmp_path / "tiny" / "last.pt"
    run = prepare(CIFAR, ONCE, tmp_path / "data", path, device=CPU)
    for _ in train(run, path):
        pass
    return path


CIFAR = TINY.with_(num_classes=10, image_size=32)
ONCE = replace(SHORT, epochs=1, pad=4)


@pytest.mark.parametrize(
    ("spec", "recipe"),
    [
        (CIFAR, replace(ONCE, epochs=2)),
        (CIFAR, replace(ONCE, seed=1)),
        (CIFAR, replace(ONCE, schedule=Schedule.COSINE)),
        (CIFAR, replace(ONCE, label_smoothing=0.1)),
        (CIFAR.with_(shortcut="zero_pad"), ONCE),
        (CIFAR.with_(activation="gelu"), ONCE),
    ],
)
def test_a_checkpoint_of_another_network_or_recipe_is_refused(kept: Path, spec: ResNetSpec, recipe: Recipe) -> None:
    before, data = kept.read_bytes(), kept.parent.parent / "data"
    with pytest.raises(ExplorerError, match=r"^tiny: a run of this name, of another network, recipe or data, has been"):
        prepare(spec, recipe, data, kept, device=CPU)
    assert kept.read_bytes() == before
    assert prepare(spec, recipe, data, kept, device=CPU, fresh=True).history == []


def test_a_checkpoint_of_other_data_is_refused(kept: Path) -> None:
    data = kept.parent.parent / "data"
    assert len(prepare(CIFAR, ONCE, data, kept, device=CPU).history) == 1
    (data / "train" / "cat" / "more.png").write_bytes(encoded(pixels(9)))
    with pytest.raises(ExplorerError, match="another network, recipe or data"):
        prepare(CIFAR, ONCE, data, kept, device=CPU)


def test_the_network_gets_cifars_shape(kept: Path) -> None:
    spec = CIFAR.with_(num_classes=1000, image_size=224)
    assert len(prepare(spec, ONCE, kept.parent.parent / "data", kept, device=CPU).history) == 1


def test_a_refused_checkpoint_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    run = tiny_run(replace(SHORT, epochs=1))
    for _ in train(run, path):
        pass
    other = tiny_run(replace(SHORT, epochs=1, momentum=0.8))
    assert not other.resume(path)
    assert other.history == []
    fresh = build(TINY, seed=0).state_dict()
    assert all(torch.equal(value, fresh[name]) for name, value in other.model.state_dict().items())


def test_a_damaged_checkpoint_is_said(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    run = tiny_run(replace(SHORT, epochs=1))
    for _ in train(run, path):
        pass
    good = path.read_bytes()
    state = torch.load(path, weights_only=True)

    def saved(value: Any) -> bytes:
        file = io.BytesIO()
        torch.save(value, file)
        return file.getvalue()

    for data in (
        b"",
        b"no checkpoint",
        *(good[: len(good) * i // 16] for i in range(1, 16)),
        good[:-1],
        saved([1, 2]),
        saved({**state, "model": {}}),
        saved({name: value for name, value in state.items() if name != "optimiser"}),
        saved({**state, "history": [{"epoch": 0}]}),
        saved({"model": print}),
    ):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"^last\.pt is damaged; delete it to train from the start$"):
            tiny_run(replace(SHORT, epochs=1)).resume(path)
    path.write_bytes(good)
    assert tiny_run(replace(SHORT, epochs=1)).resume(path)


def test_names_of_runs() -> None:
    assert checkpoint_path("a.b-c_1", Path("runs")) == Path("runs/a.b-c_1/last.pt")
    for name in ("", ".", "..", ".hidden", "a/b", "a\\b", "a b", "ä", "a\n", "x" * 65):
        with pytest.raises(ExplorerError, match=r"^name: got .*; 1 to 64 letters"):
            checkpoint_path(name)


# Data


def pixels(seed: int, side: tuple[int, int] = (32, 32)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side[1], side[0], 3), dtype=np.uint8)


def encoded(array: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind)
    return file.getvalue()


def made_files() -> dict[str, bytes]:
    """Two training images and a test image of every class; their pixels are those of their number's seed."""
    files = {}
    for label, name in enumerate(CIFAR10_CLASSES):
        for i in range(2):
            files[f"train/{name}/{i}.png"] = encoded(pixels(100 * i + label))
        files[f"test/{name}/0.png"] = encoded(pixels(1000 + label))
    return files


def made_folder(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    for name, data in (files or made_files()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def made_tar(path: Path, files: dict[str, bytes] | None = None) -> Path:
    kinds: dict[str, Any] = {".tar": "w", ".xz": "w:xz", ".gz": "w:gz", ".bz2": "w:bz2"}
    with tarfile.open(path, kinds[path.suffix]) as tar:
        for name, data in (files or made_files()).items():
            member = tarfile.TarInfo(f"cifar10/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def assert_is_made(splits: tuple[ImageSet, ImageSet]) -> None:
    """Whatever the order of the files."""
    for split, seeds in zip(splits, ([*range(10), *range(100, 110)], range(1000, 1010)), strict=True):
        assert split.classes == CIFAR10_CLASSES
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
        assert split.images.shape == (len(split), 3, 32, 32)
        expected = {(seed % 100, pixels(seed).transpose(2, 0, 1).tobytes()) for seed in seeds}
        found = [
            (label, image.numpy().tobytes()) for label, image in zip(split.labels.tolist(), split.images, strict=True)
        ]
        assert len(found) == len(seeds)
        assert set(found) == expected


def test_cifar10_from_a_folder(tmp_path: Path) -> None:
    folder = made_folder(tmp_path)
    (folder / "train" / "README").write_text("no image")
    (folder / "train" / "zebra").mkdir()
    (folder / "train" / "zebra" / "0.png").write_text("of no class")
    (folder / "train" / "cat" / "folder.png").mkdir()
    assert_is_made(load_cifar10(folder))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.xz", "a.tar.gz", "a.tar.bz2"])
def test_cifar10_from_an_archive(tmp_path: Path, name: str) -> None:
    assert_is_made(load_cifar10(made_tar(tmp_path / name)))


def test_folder_and_archive_need_no_order(tmp_path: Path) -> None:
    files = list(made_files().items())
    random.Random(0).shuffle(files)
    assert_is_made(load_cifar10(made_tar(tmp_path / "a.tar", dict(files))))


def test_jpegs_and_grey_images_are_read_as_rgb(tmp_path: Path) -> None:
    grey = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    changes = {"train/cat/0.png": encoded(grey, "JPEG"), "test/cat/0.png": encoded(grey)}
    train_set, test_set = load_cifar10(made_folder(tmp_path, {**made_files(), **changes}))
    (image,) = test_set.images[test_set.labels == CIFAR10_CLASSES.index("cat")]
    assert torch.equal(image, torch.from_numpy(grey).expand(3, -1, -1))
    first, _ = train_set.images[train_set.labels == CIFAR10_CLASSES.index("cat")]
    assert (first.int() - torch.from_numpy(grey).int()).abs().max() < 8


@pytest.mark.parametrize("make", [made_folder, lambda folder, files: made_tar(folder / "a.tar", files)])
@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"test/cat/0.png": encoded(pixels(0, (33, 32)))}, r"^'0\.png' is 33×32; 32×32 is expected$"),
        ({"train/cat/1.png": encoded(pixels(0, (32, 31)))}, r"^'1\.png' is 32×31; 32×32 is expected$"),
        ({"train/cat/1.png": b"text"}, r"^'1\.png' is not a readable JPEG or PNG$"),
        ({"train/cat/1.png": encoded(pixels(0))[:-900]}, r"^'1\.png' is not a readable JPEG or PNG$"),
        ({"train/cat/1.png": encoded(pixels(0), "BMP")}, r"^'1\.png' is not a readable JPEG or PNG$"),
        ({"test/cat/0.png": None, "test/ship/0.png": None}, r"^test: no image of cat, ship$"),
        ({f"test/{name}/0.png": None for name in CIFAR10_CLASSES}, "^no CIFAR-10 here: folders train/<class>/ and"),
    ],
)
def test_unusable_data_is_refused(
    tmp_path: Path, make: Callable[[Path, Any], Path], changes: dict[str, bytes | None], match: str
) -> None:
    files = {name: data for name, data in {**made_files(), **changes}.items() if data is not None}
    with pytest.raises(DataError, match=match):
        load_cifar10(make(tmp_path, files))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.xz", "a.tar.gz", "a.tar.bz2"])
def test_an_archive_that_was_cut_is_refused_wherever(tmp_path: Path, name: str) -> None:
    """Never taken for a smaller data set."""
    path = made_tar(tmp_path / name)
    good = path.read_bytes()
    dice = random.Random(0)
    # The end of an uncompressed archive is zeros, which nobody needs.
    end = len(good.rstrip(b"\0")) if name == "a.tar" else len(good)
    for size in (0, 1, 512, end // 2, *(dice.randrange(end) for _ in range(12))):
        path.write_bytes(good[:size])
        with pytest.raises(DataError, match=f"^'{name}' is damaged or no archive; copy or download it anew$"):
            load_cifar10(path)


def test_an_archive_that_ends_between_two_images_is_refused(tmp_path: Path) -> None:
    files = made_files()
    path = made_tar(tmp_path / "a.tar", files)
    with tarfile.open(path) as tar:
        places = [member.offset for member in tar]
    good = path.read_bytes()
    for place in places[-3:]:
        path.write_bytes(good[:place])
        with pytest.raises(DataError, match="damaged"):
            load_cifar10(path)


def test_an_archive_with_an_entry_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """``tarfile`` takes such an entry for the end."""
    twice = {f"{part}/{name}": data for part in ("a", "b") for name, data in made_files().items()}
    path = made_tar(tmp_path / "a.tar", twice)
    with tarfile.open(path) as tar:
        place = tar.getmembers()[-5].offset
    data = bytearray(path.read_bytes())
    data[place + 150] ^= 1  # in the header's checksum
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        load_cifar10(path)


def test_where_the_data_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, given, named = tmp_path / "cache", tmp_path / "given", tmp_path / "named"
    monkeypatch.setenv(CIFAR10.variable, str(named))
    with pytest.raises(DataError, match=r"^data: nothing is at '.*named'; a folder or archive of CIFAR-10"):
        find_data(None, cache)
    with pytest.raises(DataError, match=r"^data: nothing is at '.*given'"):
        find_data(given, cache)
    named.mkdir()
    given.write_text("")
    assert find_data(None, cache) == named
    assert find_data(given, cache) == given


# Files that come out


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> tuple[Run, Path]:
    run = tiny_run(replace(SHORT, epochs=2), train=separable(60, 0), test=separable(30, 1))
    for _ in run.events():
        pass
    return run, export(run, tmp_path_factory.mktemp("files") / "weights", "tiny.v1", "Tiny Net", "Noise, test split")


def test_an_exported_network_classifies_with_its_own_logits(exported: tuple[Run, Path]) -> None:
    run, path = exported
    classifier = load_classifier("tiny.v1", "cpu", folder=path.parent)
    run.model.eval()
    for pixels_of_image in run.test.images[:5]:
        with torch.no_grad():
            expected = run.model(normalise(pixels_of_image[None], run.mean, run.std, CPU))[0]
        image = Image.fromarray(pixels_of_image.permute(1, 2, 0).numpy())
        seen = classifier.variant.transform(image)
        got = classifier.engine.forward(seen.tensor[None]).logits[0]
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
        file = io.BytesIO()
        image.save(file, "PNG")
        prediction = classifier.classify_bytes(file.getvalue(), top=3)
        order = expected.argsort(descending=True).tolist()
        assert [name for name, _ in prediction.top] == [run.train.classes[i] for i in order]
        shares = torch.softmax(expected, 0)[order].tolist()
        assert [share for _, share in prediction.top] == pytest.approx(shares, abs=1e-5)


def test_the_side_file_says_what_was_trained(exported: tuple[Run, Path]) -> None:
    run, path = exported
    assert sorted(file.name for file in path.parent.iterdir()) == ["tiny.v1.json", "tiny.v1.safetensors"]
    card = json.loads((path.parent / "tiny.v1.json").read_text(encoding="utf-8"))
    assert card["spec"] == to_dict(TINY)
    assert card["recipe"] == run.recipe.to_dict()
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [Epoch(**epoch) for epoch in card["curves"]] == run.history
    assert card["accuracy"] == {
        "top1": round(100 * evaluate(run.model, run.test, run.mean, run.std), 2),
        "top5": 100.0,
        "split": "Noise, test split",
        "images": 30,
    }
    variant = find("tiny.v1", path.parent)
    assert (variant.title, variant.spec, variant.classes) == ("Tiny Net", TINY, run.train.classes)
    assert (variant.transform.mean, variant.transform.std) == (run.mean, run.std)
    assert variant.params == sum(weight.numel() for weight in run.model.parameters())


def test_published_weights_name_their_network_and_data(kept: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run = prepare(CIFAR, ONCE, data, kept, device=CPU)
    publish(run, tmp_path / "weights", "tiny", data)
    variant = find("tiny", tmp_path / "weights")
    assert variant.title.startswith("CIFAR-10 ")
    assert variant.dataset == "CIFAR-10 from data, test split"
    publish(run, tmp_path / "others", "tiny", tmp_path / "torchvision")
    assert find("tiny", tmp_path / "others").dataset == "CIFAR-10, test split"


@pytest.mark.parametrize("name", NETS)
def test_the_built_in_networks_are_of_their_recipes(name: str) -> None:
    """The files in the repository were written by this code, from these recipes."""
    net, variant = NETS[name], find(name)
    card = json.loads((BUILTIN / f"{name}.json").read_text(encoding="utf-8"))
    assert (variant.spec, variant.title) == (net.spec, net.title)
    assert len(variant.classes) == net.data.classes
    recipes = [recipe for recipe in (net.recipe, net.polish) if recipe]
    said = [*(run["recipe"] for run in card.get("before", [])), card["recipe"]]
    assert [Recipe.from_dict(recipe) for recipe in said] == recipes
    assert len(card["curves"]) == recipes[-1].epochs
    assert variant.size_bytes < 8_000_000
    assert card["sha256"] == hashlib.sha256(Path(variant.source).read_bytes()).hexdigest()
    assert variant.temperature != 1
    assert card["calibration"]["error_after"] < card["calibration"]["error_before"]
    least = {"cifar10_resnet20": (86, 99), "everyday200_resnet14": (34, 61)}[name]
    assert variant.top1 is not None
    assert variant.top5 is not None
    assert (variant.top1, variant.top5) >= least
    assert variant.top5 >= least[1]


def test_a_second_run_begins_with_the_weights_of_the_first(tmp_path: Path) -> None:
    first = tiny_run(replace(SHORT, epochs=1))
    for _ in first.events():
        pass
    recipe = replace(SHORT, epochs=2, sharpness=1.0)
    second = polished(first, recipe, tmp_path / "last.pt")
    for key, weight in second.model.state_dict().items():
        assert torch.equal(weight, first.model.state_dict()[key])
    for _ in train(second, tmp_path / "last.pt"):
        pass
    again = polished(first, recipe, tmp_path / "last.pt")
    assert again.history == second.history
    (said,) = again.before
    assert Recipe.from_dict(said["recipe"]) == first.recipe
    assert [Epoch(**epoch) for epoch in said["curves"]] == first.history
