"""Requests from the page's scripts to the server: pydantic models in, JSON out.

A script calls ``ask(server, "name", request)`` (``lib.js``); ``answers`` decorates the function of that name.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import ExplorerError

_LOG = logging.getLogger("explorer")


class Request(BaseModel):
    """What a script sends. Keys that a model does not name are ignored; types are never converted.

    Attributes:
        expected: the sentence that a request of another shape gets.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)
    expected: ClassVar[str] = "The page sent an invalid request. Reload it."


R = TypeVar("R", bound=Request)


def parse(model: type[R], value: Any) -> R:
    """A browser's value, which may be anything -> ``model``.

    Raises:
        ExplorerError: it has another shape; the message is the model's ``expected``.
    """
    try:
        return model.model_validate(value)
    except (ValidationError, RecursionError):
        raise ExplorerError(model.expected) from None


def parse_json(model: type[R], text: Any, most: int) -> R:
    """As ``parse``, for a component's value: JSON of at most ``most`` characters."""
    try:
        value = json.loads(text) if isinstance(text, str) and len(text) <= most else None
    except (ValueError, RecursionError):
        value = None
    return parse(model, value)


def answers(model: type[R]) -> Callable[[Callable[[R], Mapping[str, Any]]], Callable[[Any], str]]:
    """Decorate a function of a request; the result takes what a browser sent and returns JSON.

    The JSON is what the function returns, or ``{"error": SENTENCE}`` if it raises.
    """

    def decorate(function: Callable[[R], Mapping[str, Any]]) -> Callable[[Any], str]:
        @wraps(function)
        def answer(request: Any) -> str:
            try:
                return json.dumps(function(parse(model, request)))
            except Exception as error:
                return json.dumps({"error": error_message(error)})

        return answer

    return decorate


def error_message(error: Exception) -> str:
    """One sentence for the page. Unexpected errors go whole to the log; their text may name paths and is not shown."""
    if isinstance(error, ExplorerError):
        return str(error)
    _LOG.error("unexpected", exc_info=error)
    return "Unexpected error. Details are in the server log; your input was kept."
