"""Why a network answered as it did, as HTML: its blocks, its answer without some of them, its feature maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from ...inference.explain import BranchStrength, Contribution, Contributions, FeatureMap, FeatureMaps, Score
from ..kit import numbers
from ..kit.hints import hint
from ..kit.markup import Cell, Row, row_link, table, tag, text
from ..kit.pictures import heat_picture

PLAIN = "This network has no shortcuts. Without its branch a block would pass nothing on, so none can be switched off."
# The script adds the class of which the last two columns are: ``ui/classify/why_blocks.js``.
_OF_CLASS = tag("span", "", css="of")
_HEAD = (
    Cell("Block"),
    Cell("On"),
    Cell(html=hint("branch strength", "Branch ÷ shortcut"), css="share"),
    Cell(html=hint("contribution", "Adds to the logit") + _OF_CLASS, css="adds"),
    Cell("Switched off", "The class's probability with all blocks, and with this one switched off", css="without"),
)
_VEIT_BLOCKS = 54  # of the CIFAR ResNet-110 of Veit, Wilber and Belongie (2016), §4.1
_BARELY = 0.005  # smaller changes of a probability are not called changes


def blocks(strengths: Sequence[BranchStrength]) -> str:
    """A row for the stem and for every block, in stages. The last two cells are empty: see ``contribution_cells``."""
    most = max((strength.ratio or 0.0 for strength in strengths), default=0.0)
    rows: list[Row] = [({"data_block": "stem"}, [_name("stem"), *[Cell()] * (len(_HEAD) - 1)])]
    for stage, members in groupby(strengths, key=lambda strength: strength.block.partition(".")[0]):
        found = list(members)
        rows += [_stage(stage, found), *(_row(strength, most) for strength in found)]
    return table("", _HEAD, rows, label="Blocks")


def contribution_cells(found: Contributions) -> dict[str, tuple[str, str]]:
    """By block, the last two cells of its row: what it adds to the logit, and the probability without it.

    A bar to the right speaks for the class, to the left against it.
    """
    most = max((abs(each.logit) for each in found.blocks), default=0.0)
    return {each.block: (_signed_bar(each.logit, most), _without(found, each)) for each in found.blocks}


def findings(found: Contributions) -> str:
    """Which block matters most, in bold, and whether the answer survives the loss of any one, as HTML."""
    if not found.blocks:
        return text(PLAIN)
    return f"{tag('b', text(_strongest(found)))} {text(_other_measure(found) + _survival(found))}"


def _strongest(found: Contributions) -> str:
    most = _most_needed(found)
    if abs(most.probability - found.probability) < _BARELY:
        share = numbers.percent(found.probability)
        return f"No single block matters much: “{found.name}” stays near {share} whichever is switched off."
    verb = "falls" if most.probability < found.probability else "rises"
    change = f"from {numbers.percent(found.probability)} to {numbers.percent(most.probability)}"
    return f"The probability of “{found.name}” depends most on {most.block}: without that block it {verb} {change}."


def _most_needed(found: Contributions) -> Contribution:
    return max(found.blocks, key=lambda each: abs(each.probability - found.probability))


def _other_measure(found: Contributions) -> str:
    """Why the longest bar of the table may be another block's."""
    adds, needed = max(found.blocks, key=lambda each: each.logit), _most_needed(found)
    if adds.logit <= 0 or adds is needed or abs(needed.probability - found.probability) < _BARELY:
        return ""
    return (
        f"{adds.block} adds more to its logit (+{numbers.magnitude(adds.logit)}), but only differences of logits "
        "count, and each block changes those of all classes. "
    )


def _survival(found: Contributions) -> str:
    lost = [each for each in found.blocks if each.answer != found.answer]
    if not lost:
        return (
            f"The answer “{found.answer}” survives switching off any single block. Veit et al. (2016) found the same: "
            "a residual network contains many shorter paths."
        )
    changes = f"Without {lost[0].block} it becomes “{lost[0].answer}”"
    changes += "".join(f", without {each.block} “{each.answer}”" for each in lost[1:3])
    more = f" {len(lost) - 3} more can change it." * (len(lost) > 3)
    count = len(found.blocks)
    few = f" Veit et al. (2016) saw a network of {_VEIT_BLOCKS} blocks survive it; with {count}, each counts for more."
    few *= len(lost) > count / 2 and count < _VEIT_BLOCKS
    survives = (
        f"The answer “{found.answer}” survives switching off {count - len(lost)} of {count} blocks, one at a time."
    )
    return f"{survives} {changes}.{more}{few}"


def answers(before: Sequence[Score], after: Sequence[Score], off: int) -> str:
    """The top classes of the whole network and, if blocks are off, those without them, with changes marked."""
    whole = _ranking("All blocks on", before, {}, {score.index for score in after} if off else None)
    if not off:
        return whole
    ranks = {score.index: rank for rank, score in enumerate(before)}
    words = f"{numbers.exact(off)} {'block' if off == 1 else 'blocks'} off"
    return whole + _ranking(words, after, ranks, None)


def maps(found: FeatureMaps) -> str:
    """Buttons with a picture each, the strongest channel first."""
    return "".join(_map(found.layer, each) for each in found.maps)


def maps_words(found: FeatureMaps, *, at_mark: bool) -> str:
    """What is shown and how to read it.

    Args:
        at_mark: whether channels are ordered by their values at the marked place.
    """
    count, each = len(found.maps), found.maps[0].values.shape
    which = f"all {numbers.exact(count)}" if count == found.channels else f"{count} of {numbers.exact(found.channels)}"
    order = "the strongest at the marked place first" if at_mark else "the strongest first"
    return (
        f"{which} channels, {each[0]}×{each[1]} cells each, {order}. Every map has its own scale, from its lowest "
        "value (dark) to its highest (bright). Click a map to lay it over the photo."
    )


def heat_words(layer: str, name: str, cells: tuple[int, int], peak: float) -> str:
    """What the overlay shows.

    Args:
        peak: greatest value of the map before it was scaled.
    """
    if peak <= 0:
        return f"No feature of {layer} speaks for “{name}”: the map is 0 everywhere."
    return f"Grad-CAM at {layer}: the brighter, the more its features speak for “{name}”. {cells[0]}×{cells[1]} cells."


def _stage(stage: str, rows: Sequence[BranchStrength]) -> Row:
    switch = tag("button", "switch", type="button", css="rx-small", data_stage=stage)
    has_switch = any(row.shortcut is not None for row in rows)
    cells = [Cell(html=text(stage) + switch * has_switch, names=True), *[Cell()] * (len(_HEAD) - 1)]
    return {"css": "rx-why-stage"}, cells


def _row(strength: BranchStrength, most: float) -> Row:
    return {"data_block": strength.block}, [_name(strength.block), *_strength(strength, most), _EMPTY, _EMPTY_WITHOUT]


_EMPTY, _EMPTY_WITHOUT = Cell(css="adds"), Cell(css="without")


def _strength(strength: BranchStrength, most: float) -> Iterator[Cell]:
    """The switch, and how strong the branch is."""
    if strength.shortcut is None:
        yield Cell()
        yield Cell("plain block", css="share")
        return
    label = text(f"Branch of {strength.block}")
    yield Cell(html=f'<input type="checkbox" role="switch" checked aria-label="{label}">')
    norms = f"‖F(x)‖ {numbers.magnitude(strength.branch)}, ‖x‖ {numbers.magnitude(strength.shortcut)}"
    ratio = strength.ratio
    yield Cell("x is 0" if ratio is None else "", norms, html="" if ratio is None else _meter(ratio, most), css="share")


def _name(block: str) -> Cell:
    return Cell(html=row_link(block), names=True)


def _meter(value: float, most: float) -> str:
    bar = tag("span", "", css="rx-why-bar", style=f"--share:{value / most if most else 0:.3f}")
    return bar + tag("span", text(numbers.magnitude(value)), css="num")


def _signed_bar(value: float, most: float) -> str:
    css = "rx-why-bar both " + ("for" if value >= 0 else "against")
    bar = tag("span", "", css=css, style=f"--share:{abs(value) / most if most else 0:.3f}")
    words = f"+{numbers.magnitude(value)}" if value > 0 else numbers.magnitude(value)
    return bar + tag("span", text(words), css="num", title=f"logit {value:+.6f}")


def _without(found: Contributions, each: Contribution) -> str:
    before, after = (f"{100 * share:.1f}" for share in (found.probability, each.probability))
    changed = tag("small", text(f"answer: {each.answer}")) if each.answer != found.answer else ""
    return tag("span", text(f"{before} → {after} %"), css="num") + changed


def _ranking(title: str, scores: Sequence[Score], ranks: Mapping[int, int], kept: set[int] | None) -> str:
    """Args: ``ranks``: of classes that were there before; ``kept``: classes that stay, if some may leave."""
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
        picture + tag("span", text(f"channel {each.channel}")),
        type="button",
        data_channel=str(each.channel),
        title=f"channel {each.channel}: values {numbers.magnitude(least)} … {numbers.magnitude(most)}, "
        f"strength (root mean square, or value at the mark) {strength}",
        aria_label=f"Channel {each.channel} of {layer}, strength {strength}",
        aria_pressed="false",
    )
