"""Runs that are continued to the bit; checkpoints of other runs are refused."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.errors import DataError, ExplorerError
from explorer.network import build
from explorer.spec import ResNetSpec
from explorer.training import Epoch, Recipe, Run, Schedule, TrainingStep, checkpoint_path, polish, prepare, train
from tests.support.cifar10_files import encoded, made_folder, pixels
from tests.support.tiny_runs import SHORT, TINY, tiny_run, without_time

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


def state_of(run: Run) -> dict[str, Any]:
    momentum = {str(i): state["momentum_buffer"] for i, state in run.optimiser.state_dict()["state"].items()}
    return {**run.model.state_dict(), **momentum}


def test_a_resumed_run_equals_an_uninterrupted_one_to_the_bit(tmp_path: Path) -> None:
    """Stopped in the middle of the second epoch, and again of the third."""
    whole = tiny_run()
    assert sum(isinstance(event, TrainingStep) for event in whole.events()) == 9
    path = tmp_path / "runs" / "last.pt"
    for steps in (5, 5):
        broken = tiny_run()
        assert broken.resume(path) is path.exists()
        for event in train(broken, path):
            steps -= isinstance(event, TrainingStep)
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
    losses = [event.loss for event in run.events() if isinstance(event, TrainingStep)]
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


def test_a_second_run_begins_with_the_weights_of_the_first(tmp_path: Path) -> None:
    first = tiny_run(replace(SHORT, epochs=1))
    for _ in first.events():
        pass
    recipe = replace(SHORT, epochs=2, sharpness=1.0)
    second = polish(first, recipe, tmp_path / "last.pt")
    for key, weight in second.model.state_dict().items():
        assert torch.equal(weight, first.model.state_dict()[key])
    for _ in train(second, tmp_path / "last.pt"):
        pass
    again = polish(first, recipe, tmp_path / "last.pt")
    assert again.history == second.history
    (said,) = again.before
    assert Recipe.from_dict(said["recipe"]) == first.recipe
    assert [Epoch(**epoch) for epoch in said["curves"]] == first.history
