"""From a spec to the drawn network, against ``torchview.draw_graph`` with ``dot``.

Both sides build the same model on the meta device and end with SVG text, in one process, with cold caches, taking
turns, so that a busy machine slows both alike. A ratio is a quotient of medians.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table
from torchview import draw_graph

from explorer.inspection import Report, inspect
from explorer.inspection.outline import outline
from explorer.inspection.report import _pending
from explorer.network import build
from explorer.spec import PRESETS
from explorer.views.diagram.model import default_open, everything
from explorer.views.diagram.svg import render, start_dot

CACHES = (_pending, outline, start_dot)
PROFILE_ROWS = 8

Side = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """Two sides and what is asked of them.

    Attributes:
        target: least of theirs / ours, or most of ours / theirs where ``costs``; None where nothing is asked.
        costs: the ratio says how much dearer ours is, not how much faster.
    """

    name: str
    ours: Side
    theirs: Side
    target: float | None = None
    costs: bool = False

    def ratio(self, ours: float, theirs: float) -> float:
        return ours / theirs if self.costs else theirs / ours

    def met(self, ratio: float) -> bool:
        return self.target is None or (ratio <= self.target if self.costs else ratio >= self.target)

    @property
    def asked(self) -> str:
        return "" if self.target is None else f"{'≤' if self.costs else '≥'} {self.target:g}×"


def draw(preset: str, opened: Callable[[Report], frozenset[str]]) -> str:
    """Our way. The spec is a new one: a spec keeps what was derived from it."""
    report = inspect(PRESETS[preset].with_())
    return render(report, opened(report))


def draw_with_torchview(preset: str) -> str:
    spec = PRESETS[preset].with_()
    size = (1, spec.in_channels, spec.image_size, spec.image_size)
    graph = draw_graph(build(spec, device="meta"), input_size=size, device="meta")
    return str(graph.visual_graph.pipe("svg", encoding="utf-8"))


def against_torchview(preset: str, collapsed: float | None, opened: float | None) -> tuple[Case, Case]:
    theirs = partial(draw_with_torchview, preset)
    return (
        Case(f"{preset}, as first shown", partial(draw, preset, default_open), theirs, collapsed),
        Case(f"{preset}, all open", partial(draw, preset, everything), theirs, opened),
    )


CASES = (
    *against_torchview("resnet18", None, None),
    *against_torchview("resnet50", 3, 1.5),
    *against_torchview("resnet152", 6, 2),
    Case(
        "cifar_resnet1202 : cifar_resnet20",
        partial(draw, "cifar_resnet1202", default_open),
        partial(draw, "cifar_resnet20", default_open),
        target=3,
        costs=True,
    ),
)


def measure(case: Case, repeat: int) -> tuple[float, float]:
    """Median seconds of our side and of theirs."""
    rounds = [(seconds(case.ours), seconds(case.theirs)) for _ in range(repeat)]
    ours, theirs = zip(*rounds, strict=True)
    return median(ours), median(theirs)


def seconds(side: Side) -> float:
    """One cold run; the garbage of the run before is not charged to it."""
    start_cold()
    start = perf_counter()
    side()
    return perf_counter() - start


def start_cold() -> None:
    for cached in CACHES:
        cached.cache_clear()
    gc.collect()


def profile(side: Side) -> Table:
    """Where a cold run spends its time: functions by own time, those they call not included."""
    start_cold()
    profiler = cProfile.Profile()
    profiler.runcall(side)
    stats = pstats.Stats(profiler)
    table = Table("own time", "share", "calls", "function", box=None)
    total = sum(row[2] for row in stats.stats.values())  # type: ignore[attr-defined]  # typeshed knows it not
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])  # type: ignore[attr-defined]
    for (file, line, function), (_, calls, own, *_) in rows[:PROFILE_ROWS]:
        where = f"{'/'.join(Path(file).parts[-2:])}:{line} " if line else ""
        table.add_row(f"{own * 1000:.0f} ms", f"{own / total:.0%}", f"{calls:,}", f"{where}{function}")
    return table


def run(console: Console, repeat: int) -> None:
    for side in CASES[0].ours, CASES[0].theirs:
        side()  # what is imported and set up on first use belongs to neither
    table = Table("network", "ours", "theirs", "ratio", "target", "", title=f"spec → SVG, medians of {repeat}")
    short: list[Case] = []
    for case in CASES:
        ours, theirs = measure(case, repeat)
        ratio = case.ratio(ours, theirs)
        if not case.met(ratio):
            short.append(case)
        verdict = "" if case.target is None else "met" if case.met(ratio) else "[bold]not met[/]"
        table.add_row(case.name, f"{ours:.3f} s", f"{theirs:.3f} s", f"{ratio:.2f}×", case.asked, verdict)
    console.print(table)
    for case in short:
        console.print(f"\n{case.name}: where our time goes (the profiler slows small functions most)")
        console.print(profile(case.ours))
