"""A run's JSON trains it again with equal digits; other JSON is rejected."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from explorer.errors import ExplorerError
from explorer.training import Training, read_run, run_json, weights_file
from explorer.training.run_file import MAX_TEXT
from tests.support.tiny_runs import BOTH, DIGITS_RECIPE, trained

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def both(one_thread: None) -> Training:
    return trained(*BOTH)


def test_a_run_reproduces_to_the_digit_from_its_json(both: Training) -> None:
    for record in both.records:
        read = read_run(run_json(record))
        assert read.plan == record.plan
        assert read.same_course(record)
        assert (read.epochs, read.parts, read.train, read.test) == (record.epochs, record.parts, 1437, 360)
        assert read.weights is None
        assert trained(read.plan).records[0].same_course(read)


def test_a_run_with_another_seed_differs(both: Training) -> None:
    other = trained(replace(BOTH[0], recipe=replace(DIGITS_RECIPE, seed=1))).records[0]
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
def test_other_files_are_not_runs(both: Training, changes: dict[str, Any], match: str) -> None:
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


def test_curves_alone_have_no_weights(both: Training) -> None:
    with pytest.raises(ExplorerError, match=r"^residual: its weights are no longer available\. Train it again$"):
        weights_file(read_run(run_json(both.records[0])))
