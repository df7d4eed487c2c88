"""Two networks side by side: their amounts by part, and the difference in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from ...errors import ExplorerError
from ...inspection import Report, inspect
from ...inspection.amounts import amounts
from ...inspection.outline import outline
from ..kit import numbers
from ..kit.words import shape_text
from .steps import changes
from .structure import block_kinds, structure

EQUAL = "The two networks are equal."
HEAD = ("Part", "Blocks", "Output", "Parameters", "", "MACs", "", "Receptive field")
Words = Callable[[int], str]


@dataclass(frozen=True)
class Part:
    """Amounts of some of a network's operations, for the traced batch.

    Attributes:
        blocks: residual blocks in it.
        shape: of its last output, C×H×W.
        params: parameters; a module called twice counts where it was called first.
        macs: multiply-adds of convolutions and matrix products.
        activation_bytes: outputs of its operations, as if all were saved.
        receptive_field: of its last output, px; None if that is not a map.
    """

    blocks: int
    shape: str
    params: int
    macs: int
    activation_bytes: int
    receptive_field: int | None


_NO_PART = Part(blocks=0, shape="–", params=0, macs=0, activation_bytes=0, receptive_field=None)


@dataclass(frozen=True)
class PartDifference:
    """A stem, stage or head of both networks; None on the side that has no such part."""

    name: str
    left: Part | None
    right: Part | None


@dataclass(frozen=True)
class Difference:
    """One choice or part that differs, and what that costs; empty if the choice says everything."""

    choice: str
    cost: str

    @property
    def line(self) -> str:
        return "; ".join(filter(None, (self.choice, self.cost)))


@dataclass(frozen=True)
class Comparison:
    """Two reports and their differences.

    Attributes:
        rows: every stem, stage and head, from input to output.
        structure: how both are built, as a sentence; empty if they are equal.
        same_width: a basic block beside a bottleneck of the same width, as a sentence; empty if no such two are
            compared.
        total: the whole difference, as a sentence; ``EQUAL`` if there is none.
        differences: one for each choice that differs. Read as steps from left to right they add up to the total.
    """

    left: Report
    right: Report
    rows: tuple[PartDifference, ...]
    total: str
    differences: tuple[Difference, ...]
    structure: str = ""
    same_width: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The differences as text."""
        return tuple(difference.line for difference in self.differences)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "structure": self.structure,
            "same_width": self.same_width,
            "total": self.total,
            "differences": list(self.lines),
            "parts": [asdict(row) for row in self.rows],
            "left": self.left.to_dict(),
            "right": self.right.to_dict(),
        }


# Reports are shared per spec, so their identity is a sound key.
@lru_cache(maxsize=32)
def compare(left: Report, right: Report) -> Comparison:
    """Both networks at their own input size. Modules that no spec describes are compared part by part."""
    rows = tuple(_rows(left, right))
    steps = _steps(left, right) if left.spec and right.spec else _parts(rows)
    differences = tuple(steps)
    same = not differences and _consequences(left, right) == _NOTHING
    if same:
        return Comparison(left, right, rows, EQUAL, differences)
    return Comparison(
        left, right, rows, _total(left, right), differences, structure(left, right), block_kinds(left, right)
    )


def table(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    """Cells under ``HEAD``, a row for each part and one for all: "6 → 23", or "6" if both sides agree."""
    for row in comparison.rows:
        yield row.name, *_cells(row.left, row.right)
    yield "total", *_cells(whole(comparison.left), whole(comparison.right))


def whole(report: Report) -> Part:
    """The network as one part; its receptive field is that of the last feature map."""
    field = report.receptive_field
    blocks = sum(len(unit.blocks) for unit in outline(report).units)
    everything = part(report, range(len(report.trace.ops)), blocks)
    return replace(everything, params=report.params, receptive_field=field.size if field else None)


def _cells(left: Part | None, right: Part | None) -> tuple[str, ...]:
    old, new = left or _NO_PART, right or _NO_PART
    return (
        _sides(left, right, lambda side: str(side.blocks or "–")),
        _sides(left, right, lambda side: side.shape),
        _sides(left, right, lambda side: numbers.count(side.params)),
        signed(new.params - old.params, numbers.count),
        _sides(left, right, lambda side: numbers.macs(side.macs)),
        signed(new.macs - old.macs, numbers.macs),
        _sides(left, right, lambda side: "–" if side.receptive_field is None else numbers.pixels(side.receptive_field)),
    )


def _sides(left: Part | None, right: Part | None, words: Callable[[Part], str]) -> str:
    return _arrow(*("–" if side is None else words(side) for side in (left, right)))


def _arrow(old: str, new: str) -> str:
    """ "4.09 → 7.80 GMACs"; one text if they agree, both units if those differ."""
    number, _, unit = old.rpartition(" ")
    shared = unit and number and new.endswith(f" {unit}")
    return old if old == new else f"{number if shared else old} → {new}"


def part(report: Report, ops: Sequence[int], blocks: int = 0) -> Part:
    """Amounts of the operations with these indices."""
    last = max(ops)
    field = report.receptive_fields[last]
    found = amounts(report, ops)
    return Part(
        blocks=blocks,
        shape=shape_text(report.trace.ops[last].shape),
        params=found.params,
        macs=found.macs,
        activation_bytes=found.bytes,
        receptive_field=field.size if field else None,
    )


def _rows(left: Report, right: Report) -> Iterator[PartDifference]:
    sides = [
        {unit.id: part(report, unit.ops, len(unit.blocks)) for unit in outline(report).units}
        for report in (left, right)
    ]
    for name in _merged(list(sides[0]), list(sides[1])):
        yield PartDifference(name, sides[0].get(name), sides[1].get(name))


def _merged(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """All names in order; a name that only ``second`` has follows the name before it there."""
    names = list(first)
    for place, name in enumerate(second):
        if name not in names:
            names.insert(names.index(second[place - 1]) + 1 if place else 0, name)
    return names


def _steps(left: Report, right: Report) -> Iterator[Difference]:
    """One for each choice. A choice that is valid only with the next one shares its difference."""
    assert left.spec is not None
    assert right.spec is not None
    before, words, pending = left, list[str](), dict[str, Any]()
    for text, change in changes(left.spec, right.spec):
        words.append(text)
        pending |= change
        try:
            spec = before.spec.with_(**pending)  # type: ignore[union-attr]  # a report of a spec
            after = right if spec == right.spec else inspect(spec)
        except ExplorerError:
            continue
        yield Difference(", ".join(words), _consequences(before, after))
        before, words, pending = after, [], {}


def _parts(rows: Iterable[PartDifference]) -> Iterator[Difference]:
    for row in rows:
        if row.left is None or row.right is None:
            yield Difference(f"{row.name}: only in the {'right' if row.left is None else 'left'} network", "")
        elif row.left != row.right:
            blocks = f"{row.left.blocks} → {row.right.blocks} blocks" if row.left.blocks != row.right.blocks else ""
            costs = ", ".join(_costs(row.right.params - row.left.params, row.right.macs - row.left.macs))
            choice, cost = (blocks, costs) if blocks else (costs or "other shapes at the same cost", "")
            yield Difference(f"{row.name}: {choice}", cost)


_NOTHING = "same parameters, MACs and receptive field"


def _consequences(before: Report, after: Report) -> str:
    """ "+19.0 M parameters, +3.71 GMACs; receptive field 427 → 971 px"."""
    costs = ", ".join(_costs(after.params - before.params, after.macs - before.macs))
    return "; ".join(filter(None, (costs, _field(before, after), *_fits(before, after)))) or _NOTHING


def _costs(params: int, macs: int) -> Iterator[str]:
    if params:
        yield f"{signed(params, numbers.count)} parameters"
    if macs:
        yield signed(macs, numbers.macs)


def _field(before: Report, after: Report) -> str:
    old, new = (report.receptive_field for report in (before, after))
    if old is None or new is None or old.size == new.size:
        return ""
    return f"receptive field {numbers.exact(old.size)} → {numbers.pixels(new.size)}"


def _fits(before: Report, after: Report) -> Iterator[str]:
    was, now = ({merge.path: merge.fits for merge in report.merges} for report in (before, after))
    lost = [path for path, fits in now.items() if not fits and was.get(path, True)]
    gained = [path for path, fits in now.items() if fits and not was.get(path, True)]
    known = all(path in was for path in lost)
    if lost:
        words = ("no longer matches", "no longer match") if known else ("does not match", "do not match")
        yield _shortcuts(len(lost), *words)
    if gained:
        yield _shortcuts(len(gained), "matches now", "match now")


def _shortcuts(number: int, one: str, many: str) -> str:
    return f"1 shortcut {one}" if number == 1 else f"{numbers.exact(number)} shortcuts {many}"


def _total(left: Report, right: Report) -> str:
    params = _change(left.params, right.params, numbers.count, " parameters")
    macs = _change(left.macs, right.macs, numbers.macs)
    rest = [_field(left, right), *_fits(left, right)]
    return f"{left.name} → {right.name}: {'; '.join([f'{params}, {macs}', *filter(None, rest)])}."


def _change(old: int, new: int, words: Words, unit: str = "") -> str:
    if old == new:
        return f"{words(old)}{unit} in both"
    return f"{_arrow(words(old), words(new))}{unit} ({signed(new - old, words)})"


def signed(value: int, words: Words) -> str:
    """With its sign, "+19.0 M" or "−2.77 M"; nothing changed is "=". ``words``: number -> text."""
    return f"{'+' if value > 0 else ''}{words(value)}" if value else "="
