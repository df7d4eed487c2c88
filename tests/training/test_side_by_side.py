"""Networks side by side train as they would alone, and are recorded as the loop measures them."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from explorer.datasets.digits import load_digits
from explorer.errors import DataError
from explorer.network import build
from explorer.spec import Norm
from explorer.training import Plan, Record, Run, Training, TrainingStep, run_json
from explorer.training.side_by_side import MAX_POINTS
from tests.support.tiny_runs import BOTH, DIGITS_NET, DIGITS_RECIPE, trained, without_time

STEPS = 12  # of 1,437 images

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def both(one_thread: None) -> Training:
    return trained(*BOTH)


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
    run = Run(DIGITS_NET, DIGITS_RECIPE, train, test)
    run.record_every = 1
    steps = [event for event in run.events() if isinstance(event, TrainingStep)]
    record = both.records[0]
    assert [point.loss for point in record.points] == [step.loss for step in steps]
    assert [point.norms for point in record.points] == [step.norms for step in steps]
    assert [point.learning_rate for point in record.points] == pytest.approx(
        [DIGITS_RECIPE.rate(i / 24) for i in range(24)]
    )
    assert [point.epoch for point in record.points] == pytest.approx([(i + 1) / STEPS for i in range(24)])
    assert without_time(record.epochs) == without_time(run.history)
    assert (record.train, record.test, record.parts) == (1437, 360, ("stem", "layer1.0", "layer2.0", "head"))


def test_a_long_run_is_recorded_in_few_points_that_are_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.training.side_by_side.MAX_POINTS", 6)
    (record,) = trained(BOTH[0]).records
    fine = trained(BOTH[0]).records[0]
    assert len(record.points) == 6
    monkeypatch.setattr("explorer.training.side_by_side.MAX_POINTS", MAX_POINTS)
    losses = [point.loss for point in trained(BOTH[0]).records[0].points]
    assert [point.loss for point in fine.points] == pytest.approx([sum(losses[i : i + 4]) / 4 for i in range(0, 24, 4)])


@pytest.mark.parametrize("until", [1, 7, 24, 25])
def test_a_paused_run_resumes_with_equal_numbers(both: Training, until: int) -> None:
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
        assert set(record.weights) == set(build(DIGITS_NET).state_dict())
    before = Training(BOTH, Path())
    before.stop("Enough.")
    assert [record.weights for record in before.records] == [None, None]


def test_a_network_with_a_nan_loss_stops_alone() -> None:
    wild = Plan("wild", DIGITS_NET.with_(norm=Norm.NONE), replace(DIGITS_RECIPE, learning_rate=1e9), "digits")
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
        large = replace(BOTH[0], spec=DIGITS_NET.with_(widths=(256, 512)))
        assert (training.threads, Training([large], Path()).threads) == (1, 2)
        assert set(seen) == {2}
    finally:
        torch.set_num_threads(before)


def test_networks_side_by_side_see_the_same_images() -> None:
    with pytest.raises(DataError, match=r"^data: networks side by side are trained on the same images$"):
        trained(BOTH[0], replace(BOTH[1], data="cifar10"))
