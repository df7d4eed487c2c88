"""Predictions of one network for many photos, as rows of a table and lines of a CSV."""

from __future__ import annotations

from ...csv_text import lines
from ...inference import Prediction
from ..kit import numbers
from ..kit.markup import tag, text
from ..kit.words import printable

TOP = 3  # classes in the table of many photos; the CSV has them with all digits
CSV_HEAD = lines(
    [("file", "network", *(word for n in range(1, TOP + 1) for word in (f"class_{n}", f"score_{n}")), "ms", "error")]
)


def row(name: str, prediction: Prediction) -> str:
    """A row of the table of many photos; the page puts the thumbnail into its first cell."""
    (best, score), *others = prediction.top[:TOP]
    rest = ", ".join(f"{other} {numbers.percent(share)}" for other, share in others)
    if prediction.in_distribution is False:
        rest += " · looks like none of the classes"
    cells = (
        _name(name)
        + tag("td", tag("strong", text(best)), data_key=best)
        + tag("td", text(numbers.percent(score)), css="num", title=f"{score:.6f}", data_key=f"{score:.9f}")
        + tag("td", text(rest), css="rest")
        + tag("td", text(numbers.duration(prediction.timings.total / 1000)), css="num")
    )
    return tag("tr", tag("td", "", css="rx-thumb") + cells, data_class=best)


def failed_row(name: str, reason: str) -> str:
    """The row of a file that has no answer."""
    return tag(
        "tr",
        tag("td", "", css="rx-thumb") + _name(name) + tag("td", text(reason), colspan="4", css="reason"),
        css="failed",
    )


def csv_line(name: str, answer: Prediction | str) -> str:
    """The line of a photo under ``CSV_HEAD``; a string is why there is no answer."""
    if isinstance(answer, str):
        return lines([(name, "", *("",) * 2 * TOP, "", answer)])
    pairs = [(best, f"{score:.6f}") for best, score in answer.top[:TOP]]
    pairs += [("", "")] * (TOP - len(pairs))
    values = [value for pair in pairs for value in pair]
    return lines([(name, answer.variant.name, *values, f"{answer.timings.total:.1f}", "")])


def _name(name: str) -> str:
    shown = printable(name, 60)
    return tag(
        "td",
        tag("button", text(shown), type="button", css="rx-link", title="Show this photo above"),
        data_key=shown,
    )
