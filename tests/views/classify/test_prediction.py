"""What is said of a prediction."""

from __future__ import annotations

from explorer.views.classify.prediction import answer
from tests.support.predictions import prediction


def test_a_photo_of_none_of_the_classes_is_said_only_where_that_was_measured() -> None:
    words = "looks like none of the classes"
    assert words in answer(prediction(("cat", 0.9), in_distribution=False), 1.0, "")
    assert words not in answer(prediction(("cat", 0.9), in_distribution=True), 1.0, "")
    assert words not in answer(prediction(("cat", 0.9)), 1.0, "")
