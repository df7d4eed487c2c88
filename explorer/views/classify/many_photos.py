"""Answers in rows: of one network to many photos, and of many networks to one; as HTML and CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from ...csv_text import lines
from ...inference import Prediction
from ..kit import numbers
from ..kit.markup import tag, text
from ..kit.words import printable

TOP = 3  # classes in the table of many photos; the CSV has them with all digits
CSV_HEAD = lines(
    [("file", "network", *(word for n in range(1, TOP + 1) for word in (f"class_{n}", f"score_{n}")), "ms", "error")]
)


def answered(name: str, prediction: Prediction) -> str:
    """A row of the table of many photos; the page puts the thumbnail into its first cell."""
    (best, score), *others = prediction.top[:TOP]
    rest = ", ".join(f"{other} {numbers.percent(share)}" for other, share in others)
    if prediction.familiar is False:
        rest += " · looks like none of the classes"
    cells = (
        _name(name)
        + tag("td", tag("strong", text(best)), data_key=best)
        + tag("td", text(numbers.percent(score)), css="num", title=f"{score:.6f}", data_key=f"{score:.9f}")
        + tag("td", text(rest), css="rest")
        + tag("td", text(numbers.duration(prediction.timings.total / 1000)), css="num")
    )
    return tag("tr", tag("td", "", css="rx-thumb") + cells, data_class=best)


def failed(name: str, reason: str) -> str:
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


def beside_answered(prediction: Prediction) -> str:
    """A network's row in the comparison of several."""
    variant, times = prediction.variant, prediction.timings
    (best, score), *others = prediction.top
    rest = ", ".join(f"{other} {numbers.percent(share)}" for other, share in others)
    fill = tag("span", "", css="fill", style=f"width:{score:.2%}")
    timing = f"transform {numbers.duration(times.transform / 1000)}, forward {numbers.duration(times.forward / 1000)}"
    return tag(
        "tr",
        tag("td", tag("strong", text(variant.title)) + tag("small", text(f"{variant.transform.crop} px")))
        + tag("td", tag("span", text(best)) + tag("span", fill, css="track", role="presentation"), css="best")
        + tag("td", text(numbers.percent(score)), css="num", title=f"{score:.6f}")
        + tag("td", text(rest), css="rest")
        + tag("td", text(numbers.duration(times.forward / 1000)), css="num", title=timing),
    )


def beside_failed(name: str, reason: str) -> str:
    """The row of a network that cannot answer."""
    return tag("tr", tag("td", text(name)) + tag("td", text(reason), colspan="4", css="reason"), css="failed")


def vote(prediction: Prediction) -> tuple[str, str, str]:
    """What a network can agree on with others: a sign of the classes it knows, words for them, and its first class."""
    variant = prediction.variant
    sign = sha256("\n".join(variant.classes).encode()).hexdigest()[:12]
    data = variant.dataset.partition(",")[0].partition(" from ")[0]
    return sign, data or f"the same {len(variant.classes):,} classes", prediction.top[0][0]


def agreement(votes: Sequence[tuple[str, str, str]]) -> str:
    """Sentences on who agrees, one for each set of classes that at least two of the networks know."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for sign, classes, word in votes:
        groups.setdefault(sign, []).append((classes, word))
    told = [_agreed(group[0][0], [word for _, word in group]) for group in groups.values() if len(group) > 1]
    if not told and len(groups) > 1:
        told = ["These networks know different classes, so that there is nothing for them to agree on."]
    return "".join(tag("p", text(sentence)) for sentence in told)


def _agreed(classes: str, words: Sequence[str]) -> str:
    counts = Counter(words).most_common()
    whose = f"the {len(words)} networks that know {classes}"
    if len(counts) == 1:
        return f"All of {whose} say {counts[0][0]}.".replace("All of the 2 networks that", "Both networks that")
    if counts[0][1] == 1:
        return f"No two of {whose} agree."
    others = ", ".join(f"{word} ({count})" if count > 1 else word for word, count in counts[1:])
    return f"{counts[0][1]} of {whose} say {counts[0][0]}; the others: {others}."


def _name(name: str) -> str:
    shown = printable(name, 60)
    return tag(
        "td",
        tag("button", text(shown), type="button", css="rx-link", title="Ask about this photo above"),
        data_key=shown,
    )
