"""Runs: fixed digits, networks side by side that train as they would alone, and files that train a run again."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from sklearn import datasets

from explorer.errors import DataError, ExplorerError
from explorer.inference.weights.card import KEY, read_card
from explorer.inference.weights.checkpoint import checkpoint_classifier, open_checkpoint
from explorer.network import build
from explorer.spec import PRESETS, Norm
from explorer.training.digits import load_digits
from explorer.training.loop import Run, Step, normalise
from explorer.training.recipe import Recipe, Schedule
from explorer.training.run_file import CARD, MAX_TEXT, card, read_run, run_json, weights_file
from explorer.training.runs import DATA, MAX_POINTS, Plan, Record, Training, _tenth
from tests.support.tiny_runs import noise, without_time

CPU = torch.device("cpu")
TINY = DATA["digits"].data.fit(PRESETS["cifar_resnet20"].with_(depths=(1, 1), widths=(4, 8)))
RECIPE = Recipe(epochs=2, batch_size=128, learning_rate=0.05, pad=1, flip=False, schedule=Schedule.COSINE)
BOTH = (Plan("residual", TINY, RECIPE, "digits"), Plan("plain", TINY.plain(), RECIPE, "digits"))
STEPS = 12  # of 1,437 images

pytestmark = pytest.mark.usefixtures("one_thread")


def trained(*plans: Plan, until: int | None = None) -> Training:
    training = Training(plans, Path())
    for count, _ in enumerate(training.steps(), start=1):
        if count == until:
            break
    return training


@pytest.fixture(scope="module")
def both(one_thread: None) -> Training:
    return trained(*BOTH)


# Digits


def test_the_digits_are_split_the_same_way_always() -> None:
    train, test = load_digits()
    assert (train.images.shape, test.images.shape) == ((1437, 3, 8, 8), (360, 3, 8, 8))
    assert train.classes == test.classes == tuple("0123456789")
    source = datasets.load_digits()
    labels = [*train.labels.tolist(), *test.labels.tolist()]
    assert labels == source.target.tolist()
    pixels = torch.cat([train.images, test.images])
    assert np.array_equal(np.rint(pixels[:, 0].numpy().astype(float) * 16 / 255), source.images)
    assert torch.equal(pixels[:, 0], pixels[:, 1])
    assert torch.equal(pixels[:, 0], pixels[:, 2])
    digest = hashlib.sha256(test.images.numpy().tobytes() + test.labels.numpy().tobytes()).hexdigest()
    assert digest[:16] == "70ac36424957807d"


def test_a_tenth_holds_the_first_of_every_class() -> None:
    images = noise(90)
    images.labels[:] = torch.tensor([0] * 50 + [1] * 30 + [2] * 10)
    tenth = _tenth(images)
    assert tenth.labels.tolist() == [0] * 5 + [1] * 3 + [2]
    assert torch.equal(tenth.images, images.images[[*range(5), 50, 51, 52, 80]])


# Side by side


def test_a_network_beside_another_trains_as_it_would_alone(both: Training) -> None:
    for plan, record in zip(BOTH, both.records, strict=True):
        (alone,) = trained(plan).records
        assert alone.same_course(record)
        assert without_time(alone.epochs) == without_time(record.epochs)
        assert alone.weights is not None
        assert record.weights is not None
        assert all(torch.equal(tensor, record.weights[name]) for name, tensor in alone.weights.items())
    assert not both.records[0].same_course(both.records[1])


def test_what_is_recorded_is_what_the_loop_did(both: Training) -> None:
    train, test = load_digits()
    run = Run(TINY, RECIPE, train, test)
    run.record_every = 1
    steps = [event for event in run.events() if isinstance(event, Step)]
    record = both.records[0]
    assert [point.loss for point in record.points] == [step.loss for step in steps]
    assert [point.norms for point in record.points] == [step.norms for step in steps]
    assert [point.learning_rate for point in record.points] == pytest.approx([RECIPE.rate(i / 24) for i in range(24)])
    assert [point.epoch for point in record.points] == pytest.approx([(i + 1) / STEPS for i in range(24)])
    assert without_time(record.epochs) == without_time(run.history)
    assert (record.train, record.test, record.parts) == (1437, 360, ("stem", "layer1.0", "layer2.0", "head"))


def test_a_long_run_is_recorded_in_few_points_that_are_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.training.runs.MAX_POINTS", 6)
    (record,) = trained(BOTH[0]).records
    fine = trained(BOTH[0]).records[0]
    assert len(record.points) == 6
    monkeypatch.setattr("explorer.training.runs.MAX_POINTS", MAX_POINTS)
    losses = [point.loss for point in trained(BOTH[0]).records[0].points]
    assert [point.loss for point in fine.points] == pytest.approx([sum(losses[i : i + 4]) / 4 for i in range(0, 24, 4)])


@pytest.mark.parametrize("until", [1, 7, 24, 25])
def test_a_run_that_was_paused_goes_on_as_if_it_never_had_been(both: Training, until: int) -> None:
    """In the middle of an epoch, between two, and in another thread."""
    training = trained(*BOTH, until=until)
    assert not training.over
    training.keep()
    thread = threading.Thread(target=lambda: [None for _ in training.steps()])
    thread.start()
    thread.join()
    assert training.over
    assert all(map(Record.same_course, training.records, both.records))


def test_time_left_and_share(both: Training) -> None:
    training = Training(BOTH, Path())
    assert (training.share, training.seconds_left, training.over) == (0, None, False)
    shares = [(training.share, training.seconds_left) for _ in training.steps()]
    assert [share for share, _ in shares] == pytest.approx([(i + 1) / 48 for i in range(48)])
    assert shares[0][1] is None  # one of the two networks has not been timed
    assert all(left is not None and left > 0 for _, left in shares[1:-2])
    assert (both.share, both.seconds_left) == (1, 0)


def test_what_is_stopped_keeps_what_was_trained() -> None:
    training = trained(*BOTH, until=2 * STEPS + 3)
    training.stop("Enough.")
    assert list(training.steps()) == []
    for record, points in zip(training.records, (STEPS + 2, STEPS + 1), strict=True):
        assert (len(record.points), len(record.epochs), record.ended) == (points, 1, "Enough.")
        assert record.weights is not None
        assert set(record.weights) == set(build(TINY).state_dict())
    before = Training(BOTH, Path())
    before.stop("Enough.")
    assert [record.weights for record in before.records] == [None, None]


def test_a_network_whose_loss_is_no_number_ends_alone() -> None:
    wild = Plan("wild", TINY.with_(norm=Norm.NONE), replace(RECIPE, learning_rate=1e9), "digits")
    training = trained(wild, BOTH[1])
    first, second = training.records
    assert first.ended == "Epoch 1: the loss is no longer finite; lower the learning rate."
    assert not first.finished
    assert (second.ended, second.finished) == ("", True)
    assert training.over
    json.loads(run_json(first))


def test_small_steps_take_one_thread_and_leave_the_others_theirs() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        training = Training(BOTH, Path())
        seen = [torch.get_num_threads() for _ in training.steps()]
        with training._threads():
            assert torch.get_num_threads() == 1
        large = replace(BOTH[0], spec=TINY.with_(widths=(256, 512)))
        assert (training.threads, Training([large], Path()).threads) == (1, 2)
        assert set(seen) == {2}
    finally:
        torch.set_num_threads(before)


def test_networks_side_by_side_see_the_same_images() -> None:
    with pytest.raises(DataError, match=r"^data: networks side by side are trained on the same images$"):
        trained(BOTH[0], replace(BOTH[1], data="cifar10"))


# Files


def test_a_run_reproduces_to_the_digit_from_its_json(both: Training) -> None:
    for record in both.records:
        read = read_run(run_json(record))
        assert read.plan == record.plan
        assert read.same_course(record)
        assert (read.epochs, read.parts, read.train, read.test) == (record.epochs, record.parts, 1437, 360)
        assert read.weights is None
        assert trained(read.plan).records[0].same_course(read)


def test_a_run_with_another_seed_differs(both: Training) -> None:
    other = trained(replace(BOTH[0], recipe=replace(RECIPE, seed=1))).records[0]
    assert not other.same_course(both.records[0])


def test_a_plan_is_enough_of_a_file(both: Training) -> None:
    data = json.loads(run_json(both.records[0]))
    few = {name: data[name] for name in ("schema", "name", "spec", "recipe", "data")}
    assert read_run(json.dumps(few)).plan == BOTH[0]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"schema": 2}, r"^run: this is not the JSON of a run; schema: "),
        ({"spec": None}, r"^run: this is not the JSON of a run; spec: "),
        ({"spec": {"depths": [0]}}, r"^depths"),
        ({"recipe": {"epochs": 0}}, r"^epochs: got '0'"),
        ({"data": "mnist"}, r"^data: got 'mnist'; allowed: digits, cifar10_tenth, cifar10$"),
        ({"parts": ["stem"]}, r"^run: the columns of points are not of one length$"),
        ({"parts": ["<b>"]}, r"^run: this is not the JSON of a run; parts\.0: "),
        ({"epochs": [{"epoch": 0}]}, r"^run: this is not the JSON of a run; epochs\.0\.loss: "),
        ({"name": "x" * 201}, r"^run: this is not the JSON of a run; name: "),
    ],
)
def test_a_file_that_is_no_run_is_refused(both: Training, changes: dict[str, Any], match: str) -> None:
    data = json.loads(run_json(both.records[0]))
    with pytest.raises(ExplorerError, match=match):
        read_run(json.dumps({**data, **changes}))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"schema": 1e999}', "null", "x" * (MAX_TEXT + 1)])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ExplorerError, match=r"^run: "):
        read_run(text)


def test_numbers_that_are_none_are_refused(both: Training) -> None:
    text = run_json(both.records[0]).replace(f'"loss": [\n   {both.records[0].points[0].loss}', '"loss": [\n   NaN')
    assert "NaN" in text
    with pytest.raises(ExplorerError, match=r"^run: this is not the JSON of a run; points\.loss\.0"):
        read_run(text)


def test_trained_weights_say_what_they_are_and_classify(both: Training, tmp_path: Path) -> None:
    record = both.records[0]
    path = tmp_path / "run.safetensors"
    path.write_bytes(weights_file(record))
    opened = open_checkpoint(path)
    assert opened.spec == TINY
    assert opened.recognition.unknown == {}
    classifier = checkpoint_classifier(opened, device="cpu")
    assert classifier.variant.classes == tuple("0123456789")
    assert classifier.variant.transform.mean == record.mean
    assert classifier.variant.top1 == pytest.approx(100 * record.epochs[-1].test_accuracy, abs=0.005)
    assert classifier.variant.dataset == "Digits, the last 360 images"
    _, test = load_digits()
    model = build(TINY).eval()
    model.load_state_dict(dict(record.weights or {}))
    for pixels in test.images[:3]:
        file = io.BytesIO()
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(file, "PNG")
        with torch.no_grad():
            shares = torch.softmax(model(normalise(pixels[None], record.mean, record.std, CPU))[0], 0)
        got = dict(classifier.classify_bytes(file.getvalue(), top=10).top)
        assert [got[name] for name in classifier.variant.classes] == pytest.approx(shares.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": {"depths": [1, 1, 1], "widths": [4, 8, 16]}},  # of another network
        {"spec": {"depths": "many"}},
        {"classes": ["one"]},
        {"mean": [0.5]},
        {"std": [0, 1, 1]},
        {"accuracy": 7},
    ],
)
def test_a_card_that_does_not_fit_is_not_believed(both: Training, tmp_path: Path, changes: dict[str, Any]) -> None:
    record = both.records[0]
    path = tmp_path / "run.safetensors"
    path.write_bytes(save(dict(record.weights or {}), {CARD: json.dumps({**card(record), **changes})}))
    opened = open_checkpoint(path)
    assert opened.card is None
    assert opened.spec.image_size == 32  # assumed, and said
    assert "image_size" in opened.recognition.unknown


def test_cards_are_read_from_nothing_else(tmp_path: Path) -> None:
    assert CARD == KEY
    path = tmp_path / "file"
    for data in (
        b"",
        b"PK\x03\x04" + bytes(60),
        (2).to_bytes(8, "little") + b"[]",
        (9).to_bytes(8, "little") + b"[" * 9,
    ):
        path.write_bytes(data)
        assert read_card(path) is None
    for metadata in ({}, {KEY: "{"}, {KEY: "[" * 10_000}):
        path.write_bytes(save({"x": torch.zeros(1)}, metadata))
        assert read_card(path) is None


def test_curves_alone_have_no_weights(both: Training) -> None:
    with pytest.raises(ExplorerError, match=r"^residual: its weights are not kept here; train it again for them$"):
        weights_file(read_run(run_json(both.records[0])))
