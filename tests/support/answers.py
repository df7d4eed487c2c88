"""Server functions as the page's scripts call them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def ask(function: Callable[[Any], str], request: Any) -> dict[str, Any]:
    """The answer of a server function, which is JSON."""
    answer = json.loads(function(request))
    assert isinstance(answer, dict)
    return answer
