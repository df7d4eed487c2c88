"""A linear probe, and how far its accuracy can be trusted, as HTML."""

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
        f"A linear probe on the frozen features of {head.backbone}, trained on {head.photos} photos. Its "
        f"cross-validated accuracy is {numbers.percent(head.accuracy)}. It was chosen above."
    )
    return tag("h3", text(f"This head knows {names}.")) + tag("p", text(words), css="rx-note")


def headline(found: LinearProbe) -> str:
    """ "Cross-validated accuracy: 90.0 %, 27 of 30 photos."."""
    share = numbers.percent(found.head.accuracy)
    return f"Cross-validated accuracy: {share}, {found.correct} of {len(found.truth)} photos."


def sentences(found: LinearProbe) -> list[str]:
    """How that was measured, what to expect of new photos, and what makes it look too good."""
    low, high = found.interval
    several = (
        f"The photos were split into {found.folds} parts; each part was classified by a probe that was trained on the "
        "others."
    )
    worth = (
        f"Expect about {low * 100:.0f} to {high * 100:.0f} of 100 new photos of the same kind to be right; always "
        f"answering the most frequent class would be right for {found.majority * 100:.0f}."
    )
    copies = (
        f"{found.repeated} of them {'is a copy' if found.repeated == 1 else 'are copies'} of another, which makes the "
        "accuracy look better than it is."
    )
    return [several, worth, *([copies] if found.repeated else [])]


def _confusion(found: LinearProbe) -> str:
    names = [printable(name, 24) for name in found.head.classes]
    head = [Cell("Label ↓  prediction →"), *(Cell(name, css="num") for name in names)]
    rows: list[Row] = [
        ({}, [Cell(name, names=True), *_counts(row, place)])
        for place, (name, row) in enumerate(zip(names, found.confusion, strict=True))
    ]
    return table("Photos by label and prediction", head, rows)


def _counts(row: Sequence[int], place: int) -> Iterator[Cell]:
    """How many photos of one label got each prediction; ``place``: of the right one."""
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
        tag("li", text(f"{printable(truth, 24)}, predicted {printable(predicted, 24)}"), data_key=key)
        for key, truth, predicted in wrong[:_MOST_MISSED]
    )
    more = f"Predicted wrongly: {len(wrong)}" + (f", the first {_MOST_MISSED}" if len(wrong) > _MOST_MISSED else "")
    return tag("p", text(more), css="rx-note") + tag("ul", items, css="rx-missed")


def _download(head: Head) -> str:
    words = (
        f"The linear probe was chosen above: add a photo to try it. Its file has the new last layer, and names the "
        f"frozen network ({head.backbone}). Open it here again, or use it on the command line:"
    )
    button = tag("button", "Download this head", type="button", css="rx-button", data_do="head")
    command = tag("pre", tag("code", "python -m explorer classify --head head.safetensors photo.jpg"))
    return tag("div", button, css="rx-row") + tag("p", text(words), css="rx-note") + command
