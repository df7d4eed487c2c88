"""The rooms of ``explorer`` as import-linter sees them."""

from __future__ import annotations

from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]


def test_the_import_graph_has_every_module() -> None:
    """A folder without ``__init__.py`` imports well, but the graph leaves it out, and no contract sees it."""
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "explorer").rglob("*.py")}
    modules = {".".join(file.parts).removesuffix(".__init__") for file in files}
    assert grimp.build_graph("explorer", cache_dir=None).modules == modules
