"""Rows of several networks, and where they agree."""

from __future__ import annotations

import re

import pytest

from explorer.views.classify import side_by_side
from tests.support.predictions import EVIL, prediction


def test_rows_and_sentences_are_escaped() -> None:
    assert "<img" not in side_by_side.row(prediction((EVIL, 1.0)))
    assert "<img" not in side_by_side.failed_row(EVIL, EVIL)
    assert "<img" not in side_by_side.agreement([("a", EVIL, EVIL)] * 2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["cat", "cat"], "Both networks that know Pets say cat."),
        (["cat", "cat", "cat"], "All of the 3 networks that know Pets say cat."),
        (["cat", "dog", "cat"], "2 of the 3 networks that know Pets say cat; the others: dog."),
        (["cat", "dog"], "No two of the 2 networks that know Pets agree."),
        (["cat"], ""),
    ],
)
def test_agreement(words: list[str], sentence: str) -> None:
    assert re.sub("<.*?>", "", side_by_side.agreement([("sign", "Pets", word) for word in words])) == sentence


def test_only_networks_that_know_the_same_classes_can_agree() -> None:
    first = side_by_side.vote(prediction(("cat", 1.0)))
    second = side_by_side.vote(prediction(("tabby", 1.0), variant="resnet18"))
    assert first[0] != second[0]
    assert (first[1:], second[1:]) == (("CIFAR-10", "cat"), ("ImageNet-1K", "tabby"))
    assert "different classes" in side_by_side.agreement([first, second])
    assert side_by_side.vote(prediction(("tabby", 1.0), variant="resnet50"))[0] == second[0]
