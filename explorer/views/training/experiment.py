"""What an experiment showed, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...training import Epoch, Record


def accuracy_table(runs: Sequence[Sequence[Record]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The share of images that each network has right after its last epoch, %, in training and in the test.

    Args:
        runs: the experiment's records, once for each seed.

    Returns:
        The head, which names the networks, and two rows; a cell has a number for each seed.
    """
    head = ("", *(record.plan.name for record in runs[0]))
    networks = list(zip(*runs, strict=True))
    return head, [
        ("training, %", *(_cell(records, lambda epoch: epoch.train_accuracy) for records in networks)),
        ("test, %", *(_cell(records, lambda epoch: epoch.test_accuracy) for records in networks)),
    ]


def _cell(records: Iterable[Record], share: Callable[[Epoch], float]) -> str:
    return ", ".join(f"{100 * share(record.epochs[-1]):.1f}" if record.epochs else "–" for record in records)
