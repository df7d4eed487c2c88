"""Why a network answered as it did, as HTML: its blocks, its answer without some of them, its feature maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from ...inference.explain import BranchStrength, Contribution, FeatureMap, FeatureMaps, Score
from ..kit import numbers
from ..kit.markup import tag, text
from ..kit.pictures import heat_picture

_HEADS = (
    ("Block", "", ""),
    ("On", "", ""),
    ("‖F(x)‖", "num wide", "What the branch brings to the sum: √Σ over all channels and places"),
    ("‖x‖", "num wide", "What the shortcut brings to the sum; projected or padded where it is"),
    ("‖F(x)‖ ÷ ‖x‖", "", "How strong the branch is beside the shortcut"),
    ("Adds to the logit", "adds", "The logit of the class, less that with this block's branch switched off"),
)
PLAIN = (
    "This network has no shortcuts. Without its branch nothing would be left of a block, so none can be switched off."
)


def blocks(strengths: Sequence[BranchStrength]) -> str:
    """A row for the stem and for every block, in stages. Cells for the logit are empty: see ``added``."""
    head = "".join(tag("th", text(name), css=css, title=title, scope="col") for name, css, title in _HEADS)
    most = max((strength.ratio or 0.0 for strength in strengths), default=0.0)
    stages = groupby(strengths, key=lambda strength: strength.block.partition(".")[0])
    bodies = (
        tag("tbody", _stage(stage, rows := list(members)) + "".join(_row(row, most) for row in rows))
        for stage, members in stages
    )
    stem = tag("tbody", tag("tr", _name("stem") + tag("td", "", colspan="5"), data_block="stem"))
    return tag("table", tag("thead", tag("tr", head)) + stem + "".join(bodies), css="rx-table")


def added(contributions: Sequence[Contribution]) -> dict[str, str]:
    """By block, the last cell of its row: a bar to the right speaks for the class, to the left against it."""
    most = max((abs(each.logit) for each in contributions), default=0.0)
    return {each.block: _signed_bar(each.logit, most) for each in contributions}


def answers(before: Sequence[Score], after: Sequence[Score], off: int) -> str:
    """The top classes of the whole network; where blocks are off, beside them those without, with a mark on changes."""
    whole = _ranking("All blocks on", before, {}, {score.index for score in after} if off else None)
    if not off:
        return whole
    ranks = {score.index: rank for rank, score in enumerate(before)}
    words = f"{numbers.exact(off)} {'block' if off == 1 else 'blocks'} off"
    return whole + _ranking(words, after, ranks, None)


def maps(found: FeatureMaps) -> str:
    """Buttons with a picture each, the strongest channel first."""
    return "".join(_map(found.layer, each) for each in found.maps)


def maps_words(found: FeatureMaps, *, there: bool) -> str:
    """What is shown and how to read it."""
    shown, each = len(found.maps), found.maps[0].values.shape
    which = f"all {numbers.exact(shown)}" if shown == found.channels else f"{shown} of {numbers.exact(found.channels)}"
    order = "by what they hold at the marked place" if there else "by their root mean square"
    return (
        f"{which} channels, {each[0]}×{each[1]} cells each, ordered {order}. Each has a scale of its own, from its "
        "least, dark, to its most, bright. A click lays one over the photo."
    )


def heat_words(layer: str, name: str, cells: tuple[int, int], peak: float) -> str:
    """What the overlay shows.

    Args:
        peak: greatest value of the map before it was scaled.
    """
    if peak <= 0:
        return f"No feature of {layer} speaks for “{name}”: the map is 0 everywhere."
    return f"Grad-CAM at {layer}: the brighter, the more its features speak for “{name}”. {cells[0]}×{cells[1]} cells."


def _stage(stage: str, rows: Sequence[BranchStrength]) -> str:
    switch = tag("button", "switch", type="button", css="rx-small", data_stage=stage)
    able = any(row.shortcut is not None for row in rows)
    return tag("tr", tag("th", text(stage) + (switch if able else ""), colspan="6"), css="rx-why-stage")


def _row(strength: BranchStrength, most: float) -> str:
    block, ratio = strength.block, strength.ratio
    cells = [_name(block)]
    if strength.shortcut is None:
        cells += [tag("td", ""), _number(strength.branch), tag("td", "", css="wide"), tag("td", "plain")]
    else:
        label = f"Branch of {block}"
        switch = f'<input type="checkbox" role="switch" checked aria-label="{text(label)}">'
        share = _meter(ratio, most) if ratio is not None else "x is 0"
        title = f"‖F(x)‖ {numbers.magnitude(strength.branch)}, ‖x‖ {numbers.magnitude(strength.shortcut)}"
        cells += [tag("td", switch), _number(strength.branch), _number(strength.shortcut)]
        cells += [tag("td", share, css="share", title=title)]
    return tag("tr", "".join(cells) + tag("td", "", css="adds"), data_block=block)


def _name(block: str) -> str:
    return tag("th", tag("button", text(block), type="button", css="rx-link"), scope="row")


def _number(value: float) -> str:
    return tag("td", text(numbers.magnitude(value)), css="num wide")


def _meter(value: float, most: float) -> str:
    bar = tag("span", "", css="rx-why-bar", style=f"--share:{value / most if most else 0:.3f}")
    return bar + tag("span", text(numbers.magnitude(value)), css="num")


def _signed_bar(value: float, most: float) -> str:
    css = "rx-why-bar both " + ("for" if value >= 0 else "against")
    bar = tag("span", "", css=css, style=f"--share:{abs(value) / most if most else 0:.3f}")
    words = f"+{numbers.magnitude(value)}" if value > 0 else numbers.magnitude(value)
    return bar + tag("span", text(words), css="num", title=f"{value:.6f}")


def _ranking(title: str, scores: Sequence[Score], ranks: Mapping[int, int], kept: set[int] | None) -> str:
    """Args: ``ranks``, before, of those that were there; ``kept``: who stays, where somebody may leave."""
    lines = []
    for rank, score in enumerate(scores):
        leaves = kept is not None and score.index not in kept
        mark = "✕ out" if leaves else _moved(rank, ranks.get(score.index)) if ranks else ""
        fill = tag("span", "", css="fill", style=f"width:{score.probability:.2%}")
        lines.append(
            tag("span", text(score.name), css="first" if rank == 0 else "", title=score.name)
            + tag("span", fill, css="track", role="presentation")
            + tag("span", text(numbers.percent(score.probability)), css="score", title=f"logit {score.logit:.4f}")
            + tag("span", text(mark), css="mark")
        )
    bars = tag("div", "".join(lines), css="rx-bars rx-why-ranks")
    return tag("section", tag("h4", text(title)) + bars, aria_label=title)


def _moved(rank: int, before: int | None) -> str:
    if before is None:
        return "new"
    return f"▲ {before - rank}" if rank < before else f"▼ {rank - before}" if rank > before else ""


def _map(layer: str, each: FeatureMap) -> str:
    least, most = float(each.values.min()), float(each.values.max())
    strength = numbers.magnitude(each.strength)
    picture = f'<img src="{heat_picture(each.values, least, most)}" alt="">'
    return tag(
        "button",
        picture + tag("span", text(f"{each.channel} · {strength}")),
        type="button",
        data_channel=str(each.channel),
        title=f"channel {each.channel}: {numbers.magnitude(least)} … {numbers.magnitude(most)}",
        aria_label=f"Channel {each.channel} of {layer}, strength {strength}",
        aria_pressed="false",
    )
