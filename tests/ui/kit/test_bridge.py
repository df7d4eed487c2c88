"""Requests of scripts are parsed strictly, answers are JSON, and errors are one sentence without secrets."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pydantic import Field

from explorer.errors import ExplorerError
from explorer.ui.kit.bridge import Request, answers, parse_json
from tests.support.answers import ask


class Sum(Request):
    expected = "Two numbers are expected."
    a: int
    b: int = Field(0, le=10)


@answers(Sum)
def add(request: Sum) -> dict[str, Any]:
    """Adds."""
    if request.b == 7:
        raise ExplorerError("Seven is not added here.")
    if request.b == 9:
        raise RuntimeError("/home/somebody/secret")
    return {"sum": request.a + request.b}


def test_a_request_is_answered_and_unknown_keys_are_ignored() -> None:
    assert ask(add, {"a": 1, "b": 2}) == {"sum": 3}
    assert ask(add, {"a": 1, "colour": "red"}) == {"sum": 1}


@pytest.mark.parametrize("request_", [None, [], "a", 7, {}, {"a": "1"}, {"a": 1.0}, {"a": True}, {"a": 1, "b": 11}])
def test_a_request_of_another_shape_gets_the_model_s_sentence(request_: Any) -> None:
    assert ask(add, request_) == {"error": "Two numbers are expected."}


def test_our_own_error_is_said_and_any_other_is_logged_without_being_shown(caplog: pytest.LogCaptureFixture) -> None:
    assert ask(add, {"a": 1, "b": 7}) == {"error": "Seven is not added here."}
    with caplog.at_level(logging.ERROR, "explorer"):
        sentence = ask(add, {"a": 1, "b": 9})["error"]
    assert "secret" not in sentence
    assert "secret" in caplog.text


def test_gradio_finds_the_function_by_its_own_name() -> None:
    assert (add.__name__, add.__doc__) == ("add", "Adds.")


@pytest.mark.parametrize("text", [None, 7, "", "{", "[" * 100_000, '{"a": 1, "b": ' + "0" * 50 + "}"])
def test_a_component_s_value_is_json_within_a_bound(text: Any) -> None:
    assert parse_json(Sum, '{"a": 1, "b": 2}', 50) == Sum(a=1, b=2)
    with pytest.raises(ExplorerError, match="Two numbers are expected"):
        parse_json(Sum, text, 50)
