"""An experiment in words before it runs, and as a table afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ...inspection import inspect
from ...spec import ResNetSpec, title
from ..kit.markup import tag, text

if TYPE_CHECKING:
    from ...training import Epoch, Plan, Record

_COMPARED = (
    "Networks are trained side by side on the same images in the same order: a residual network and its plain "
    "counterpart, which has the same layers without shortcuts."
)
_DEGRADATION = (
    "Degradation means that a deeper plain network is worse even on the images it trains on: it does not overfit, it "
    "is harder to optimise."
)


def introduction() -> str:
    """What is compared, and what degradation is, as HTML."""
    return tag("p", f"{text(_COMPARED)} {tag('strong', text(_DEGRADATION))}", css="rx-note")


def preview(plans: Sequence[Plan], builder: ResNetSpec, *, from_builder: bool) -> str:
    """What Start would train, and how that relates to the network in the builder: plain text.

    Args:
        from_builder: whether the plans are of the builder's network, fitted to the images, and its plain counterpart.
    """
    names, spec, own = _listed([title(plan.spec) for plan in plans]), plans[0].spec, title(builder)
    fitted = f"for images of {spec.image_size}×{spec.image_size} pixels in {spec.num_classes} classes"
    source = "the builder's network, fitted to the data" if from_builder else f"not {own}, which the builder shows"
    return " ".join(filter(None, (f"Start trains {names} {fitted}: {source}.", mismatch(plans))))


def mismatch(plans: Iterable[Plan]) -> str:
    """Why a network cannot run on the images, with the reason for its small shapes; empty if all can."""
    for plan in plans:
        if broken := inspect(plan.spec).broken:
            side = plan.spec.image_size
            return (
                f"{title(plan.spec)} cannot run. {broken[0].explanation} These are shapes for training images of "
                f"{side}×{side} pixels; the diagram shows those for the builder's input side."
            )
    return ""


def _listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


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
