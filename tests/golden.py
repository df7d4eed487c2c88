"""The diagrams' DOT text as it should be, kept in ``tests/golden`` for ``test_diagram`` to compare exactly.

After a change of the drawing that is meant, write the files anew, look at ``git diff tests/golden``, and commit them:

    python -m tests.golden
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from explorer.inspection import Report, inspect
from explorer.spec import PRESETS
from explorer.views.diagram.dot import to_dot
from explorer.views.diagram.model import build_diagram, default_open

FOLDER = Path(__file__).with_suffix("")
EXPANDED = ("resnet18", "cifar_resnet20")
REGENERATE = "the drawing differs from tests/golden; if that is meant: python -m tests.golden"


def expanded(report: Report) -> frozenset[str]:
    """What is open once everything that opens has been opened."""
    opened: frozenset[str] = frozenset()
    while more := {n.opens for n in build_diagram(report, opened).nodes if n.opens} - opened:
        opened |= more
    return opened


def files() -> dict[str, tuple[str, Callable[[Report], frozenset[str]]]]:
    """File's name -> preset, and what is open in it: every preset at first look, two with everything open."""
    first = {f"{name}.dot": (name, default_open) for name in PRESETS}
    return {**first, **{f"{name}.expanded.dot": (name, expanded) for name in EXPANDED}}


def text(report: Report, opened: frozenset[str]) -> str:
    return to_dot(build_diagram(report, opened))


def write() -> Iterator[str]:
    """Write every file that is out of date, remove those of no preset; yields their names."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.dot"):
        if old.name not in files():
            old.unlink()
            yield old.name
    for name, (preset, opened) in files().items():
        report = inspect(PRESETS[preset])
        new = text(report, opened(report))
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != new:
            path.write_text(new, encoding="utf-8")
            yield name


if __name__ == "__main__":
    for written in write():
        print(written)
