"""A head fitted to photos, and how far it can be trusted, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...inference.head import Head
from ...inference.transfer import LinearProbe
from ..kit import numbers
from ..kit.markup import Cell, Row, table, tag, text
from ..kit.words import printable

_MOST_MISSED = 24


def evaluation(found: LinearProbe, keys: Sequence[str] = ()) -> str:
    """Accuracy with what it is worth, the table of labels and predictions, and the photos that were predicted wrongly.

    Args:
        keys: of each photo, in the order of ``found``: the page puts its picture where ``data-key`` says so.
    """
    words = "".join(tag("p", text(sentence), css="rx-note") for sentence in sentences(found))
    return tag("h3", text(headline(found))) + words + _confusion(found) + _missed(found, keys) + _download(found.head)


def opened_head(head: Head) -> str:
    """A head that came from a file."""
    names = printable(", ".join(head.classes), 200)
    words = (
        f"It was taught on {head.backbone}, from {head.photos} photos, of which {numbers.percent(head.accuracy)} were "
        "named rightly by heads that had not seen them. The network above is now this one."
    )
    return tag("h3", text(f"This head knows {names}.")) + tag("p", text(words), css="rx-note")


def headline(found: LinearProbe) -> str:
    """ "27 of 30 photos named rightly (90.0 %) by heads that had not seen them."."""
    share = numbers.percent(found.head.accuracy)
    return f"{found.correct} of {len(found.truth)} photos named rightly ({share}) by heads that had not seen them."


def sentences(found: LinearProbe) -> list[str]:
    """How that was measured, what it is worth, and what flatters it."""
    low, high = found.interval
    several = f"The photos were split into {found.folds} parts, and each part was named by a head taught on the others."
    worth = (
        f"With {len(found.truth)} photos, new ones of the same kind would be named rightly in about "
        f"{low * 100:.0f} to {high * 100:.0f} of 100 cases; always naming the most frequent class would be right in "
        f"{found.majority * 100:.0f}."
    )
    copies = (
        f"{found.repeated} of them {'is a copy' if found.repeated == 1 else 'are copies'} of another, which makes this "
        "look better than it is."
    )
    return [several, worth, *([copies] if found.repeated else [])]


def _confusion(found: LinearProbe) -> str:
    names = [printable(name, 24) for name in found.head.classes]
    head = [Cell("Label ↓  answer →"), *(Cell(name, css="num") for name in names)]
    rows: list[Row] = [
        ({}, [Cell(name, names=True), *_counts(row, place)])
        for place, (name, row) in enumerate(zip(names, found.confusion, strict=True))
    ]
    return table("Photos by label and answer", head, rows)


def _counts(row: Sequence[int], place: int) -> Iterator[Cell]:
    """Of the photos of one label: how many got each answer; ``place``: of the right answer."""
    whole = max(sum(row), 1)
    for column, count in enumerate(row):
        css = "share" if column == place else "share wrong"
        yield Cell(str(count) if count else "·", css=css, style=f"--share:{count / whole:.3f}")


def _missed(found: LinearProbe, keys: Sequence[str]) -> str:
    names, triples = found.head.classes, zip(keys, found.truth, found.predicted, strict=False)
    wrong = [(key, names[truth], names[predicted]) for key, truth, predicted in triples if truth != predicted]
    if not wrong:
        return ""
    items = "".join(
        tag("li", text(f"{printable(truth, 24)}, named {printable(predicted, 24)}"), data_key=key)
        for key, truth, predicted in wrong[:_MOST_MISSED]
    )
    more = f"Named wrongly: {len(wrong)}" + (f", the first {_MOST_MISSED}" if len(wrong) > _MOST_MISSED else "")
    return tag("p", text(more), css="rx-note") + tag("ul", items, css="rx-missed")


def _download(head: Head) -> str:
    words = (
        "The network above is now this one: drop a photo. The file holds the new layer and, in its header, what it was "
        f"taught on ({head.backbone}); it can be opened here again, and by python -m explorer classify --head."
    )
    button = tag("button", "Download this head", type="button", css="rx-button", data_do="head")
    return tag("div", button, css="rx-row") + tag("p", text(words), css="rx-note")
