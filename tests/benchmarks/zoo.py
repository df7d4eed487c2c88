"""What ``check`` makes of every network of the zoo, against a real forward pass."""

from __future__ import annotations

from rich.console import Console

from tests.zoo.check import table
from tests.zoo.specimens import specimens


def run(console: Console, repeat: int) -> None:
    """Nothing is timed: one round is enough."""
    console.print(table(specimens()), highlight=False)
