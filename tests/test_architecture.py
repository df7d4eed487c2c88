"""The rooms of ``explorer`` as import-linter sees them."""

from __future__ import annotations

import grimp
import pytest

from tests.support.paths import ROOT

# What every tab may import; all other packages of ``explorer.ui`` are features, which do not import one another.
BESIDE_EVERY_TAB = {"kit", "diagram", "model_file"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("explorer", cache_dir=None)


def test_the_import_graph_has_every_module(graph: grimp.ImportGraph) -> None:
    """A folder without ``__init__.py`` imports well, but the graph leaves it out, and no contract sees it."""
    files = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / "explorer").rglob("*.py")}
    modules = {".".join(file.parts).removesuffix(".__init__") for file in files}
    assert graph.modules == modules


def test_no_feature_of_the_page_imports_another(graph: grimp.ImportGraph) -> None:
    """Also those that the contract "tabs" does not name yet."""
    packages = {path.parent.name for path in (ROOT / "explorer" / "ui").glob("*/__init__.py")}
    features = packages - BESIDE_EVERY_TAB
    assert {"checks", "classify", "compare", "gradients", "training"} <= features
    for feature in features:
        own = graph.find_descendants(f"explorer.ui.{feature}") | {f"explorer.ui.{feature}"}
        imported = {name for module in own for name in graph.find_modules_directly_imported_by(module)}
        others = {name for name in imported if name.startswith("explorer.ui.")} - own
        assert {name.split(".")[2] for name in others} <= {*BESIDE_EVERY_TAB, "builder"}, feature
