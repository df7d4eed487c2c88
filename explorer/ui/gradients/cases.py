"""The buttons of the textbook cases: each changes the reader's network, and the measurement follows."""

from __future__ import annotations

from typing import Any

from ...spec import from_query
from ...views.gradients.cases import case_buttons
from ..kit import bridge, scripts
from ..kit.panel import create_panel
from ..kit.requests import NetworkRequest


def build() -> None:
    """Lay the buttons out; they are listed for the page's network."""
    create_panel(
        "gradient-cases",
        '<div class="rx-cases" role="group" aria-label="Textbook cases"></div>',
        scripts.mount("gradients/gradients.js", list="list_cases"),
        [list_cases],
    )


@bridge.answers(NetworkRequest)
def list_cases(request: NetworkRequest) -> dict[str, Any]:
    """-> ``{"html"}`` of the buttons."""
    return {"html": case_buttons(from_query(request.query))}
