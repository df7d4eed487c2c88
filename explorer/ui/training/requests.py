"""What the script of the Training tab sends."""

from __future__ import annotations

from pydantic import Field

from ..kit import bridge


class RunAction(bridge.Request):
    """An action of the table of runs.

    Attributes:
        do: "repeat", "classify", "show", "name", "drop" or "open".
        run: token of the run.
        on: whether the charts are to show it.
        name: its new name.
        text: JSON of a run to open.
    """

    expected = "This action is not valid. Reload the page."
    do: str
    run: str = Field("", max_length=40)
    on: bool = False
    name: str = ""
    text: str = ""
