"""How many of the channels that option A's shortcuts add are zeros, and what that wastes."""

from __future__ import annotations

from dataclasses import dataclass

from ...spec import ResNetSpec, Shortcut
from ...spec.anatomy import sizes
from ..kit import numbers
from ..kit.markup import Cell, Row, table, tag, text


@dataclass(frozen=True)
class ZeroChannels:
    """A block whose option-A shortcut appends channels of zeros.

    Attributes:
        copied: channels of x that the shortcut passes on.
        zeros: channels that are 0 at every place.
        places: cells of a channel's map.
    """

    block: str
    copied: int
    zeros: int
    places: int

    @property
    def channels(self) -> int:
        return self.copied + self.zeros


def zero_channels(spec: ResNetSpec) -> tuple[ZeroChannels, ...]:
    """The blocks of ``spec`` with option A everywhere that add zeros, from the input on."""
    side = spec.image_size
    plain = spec.with_(shortcut=Shortcut.ZERO_PAD, shortcut_overrides=())
    return tuple(
        ZeroChannels(plan.path, plan.in_channels, plan.out_channels - plan.in_channels, after[0] * after[1])
        for plan, _, after in sizes(plain, side, side)
        if plan.out_channels > plan.in_channels
    )


def zeros_sentence(spec: ResNetSpec) -> str:
    """What option A adds in this network, and what is wasted."""
    found = zero_channels(spec)
    if not found:
        return "With option A no block of this network adds zeros: no block has more channels than its input."
    first = found[0]
    zeros, channels = (sum(getattr(each, name) for each in found) for name in ("zeros", "channels"))
    additions = sum(each.zeros * each.places for each in found)
    blocks = f"all {len(found)} such blocks together" if len(found) > 1 else "it is the only such block"
    total = f"; in {blocks} {_share(zeros, channels)}" if len(found) > 1 else f"; {blocks}"
    return (
        f"With option A, {_share(first.zeros, first.channels)} that the shortcut of {first.block} adds are zeros"
        f"{total}. These {numbers.count(additions)} additions an image change nothing: such a channel contains F(x) "
        "alone, as if it had no shortcut. MACs do not count additions, so no column shows this waste."
    )


def zeros_table(spec: ResNetSpec) -> str:
    """A row for each block that adds zeros, and one for all; empty if there is none."""
    found = zero_channels(spec)
    if not found:
        return ""
    head = [
        Cell("Block"),
        *(Cell(name, css="num") for name in ("Channels added", "Copied from x", "Zeros", "Share of zeros")),
    ]
    rows = [(each.block, each.channels, each.copied, each.zeros) for each in found]
    rows.append(("total", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows)))
    body: list[Row] = [
        (
            {},
            [
                Cell(name, css="mono", names=True),
                *(Cell(numbers.exact(count), css="num") for count in (channels, copied, zeros)),
                Cell(numbers.percent(zeros / channels), css="num"),
            ],
        )
        for name, channels, copied, zeros in rows
    ]
    return tag("div", table("What option A adds in the blocks that need more channels", head, body), css="rx-zeros")


def zeros_panel(spec: ResNetSpec) -> str:
    """Sentence and table as HTML."""
    return tag("p", text(zeros_sentence(spec)), css="rx-summary-sentence") + zeros_table(spec)


def _share(zeros: int, channels: int) -> str:
    return f"{numbers.exact(zeros)} of the {numbers.exact(channels)} channels ({100 * zeros / channels:.0f} %)"
