"""Answers of several networks to one photo: a row of each, and where they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from ...inference import Prediction
from ..kit import numbers
from ..kit.markup import tag, text

Vote = tuple[str, str, str]  # a sign of the classes that a network knows, words for them, and its first class


def row(prediction: Prediction) -> str:
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


def failed_row(name: str, reason: str) -> str:
    """The row of a network that cannot answer."""
    return tag("tr", tag("td", text(name)) + tag("td", text(reason), colspan="4", css="reason"), css="failed")


def vote(prediction: Prediction) -> Vote:
    """What a network can agree on with others: a sign of the classes it knows, words for them, and its first class."""
    variant = prediction.variant
    sign = sha256("\n".join(variant.classes).encode()).hexdigest()[:12]
    data = variant.dataset.partition(",")[0].partition(" from ")[0]
    return sign, data or f"the same {len(variant.classes):,} classes", prediction.top[0][0]


def agreement(votes: Sequence[Vote]) -> str:
    """Sentences on who agrees, one for each set of classes that at least two of the networks know."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for sign, classes, word in votes:
        groups.setdefault(sign, []).append((classes, word))
    sentences = [_agreement(group[0][0], [word for _, word in group]) for group in groups.values() if len(group) > 1]
    if not sentences and len(groups) > 1:
        sentences = ["These networks know different classes, so their answers cannot be compared."]
    return "".join(tag("p", text(sentence)) for sentence in sentences)


def _agreement(classes: str, words: Sequence[str]) -> str:
    counts = Counter(words).most_common()
    whose = f"the {len(words)} networks that know {classes}"
    if len(counts) == 1:
        return f"All of {whose} say {counts[0][0]}.".replace("All of the 2 networks that", "Both networks that")
    if counts[0][1] == 1:
        return f"No two of {whose} agree."
    others = ", ".join(f"{word} ({count})" if count > 1 else word for word, count in counts[1:])
    return f"{counts[0][1]} of {whose} say {counts[0][0]}; the others: {others}."
