"""The import contracts in ``pyproject.toml`` hold, and an import that breaks one is seen wherever it is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
AT_THE_TOP = "\n{line}\n"
FOR_TYPES = "\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {line}\n"
IN_A_FUNCTION = "\ndef late():\n    {line}\n"
INSPECTION = "An inspection goes one way"
INFERENCE = "Inference goes one way"
CIRCLES = "import one another in a circle"
UPWARD = [  # module, what it may not import, contract
    ("inspection/tracing/recorder.py", "from ..joins.additions import Merge", INSPECTION),
    ("inspection/joins/findings.py", "from ..fixes.propose import Fix", INSPECTION),
    ("inspection/joins/layout.py", "from ..report import Report", INSPECTION),
    ("inspection/report.py", "from .fixes.propose import Fix", INSPECTION),
    ("inference/transform.py", "from .weights.catalogue import Variant", INFERENCE),
    ("inference/weights/catalogue.py", "from ..photo_score import score_photos", INFERENCE),
    ("inference/weights/cache.py", "from .catalogue import Variant", CIRCLES),
]

ROOMS, VIEWS, TABS = "No room imports from a room above it", "A feature's views import", "A feature of the page imports"
ELSEWHERE = [  # one for each way to break the contracts of the packages above
    ("spec/presets.py", "from ..network import build", ROOMS),
    ("gradients/stats.py", "from ..training import recipe", ROOMS),
    ("views/training/charts.py", "from ..gradients import depth_chart", VIEWS),
    ("views/kit/numbers.py", "from ..diagram import model", VIEWS),
    ("ui/classify/tab.py", "from ..training import tab", TABS),
    ("ui/kit/plot.py", "from .. import builder", TABS),
    ("views/kit/markup.py", "import gradio", "Only explorer.ui knows gradio"),
    ("views/layers/table.py", "import torchinfo", "Only explorer.inspection knows torchinfo"),
    ("inference/transform.py", "import torchvision", "torchvision is imported through explorer.compat"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's modules and its settings, to write in."""
    for module in (ROOT / "explorer").rglob("*.py"):
        target = tmp_path / module.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, target)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and output of import-linter."""
    run = subprocess.run([sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, check=False)
    return run.returncode, " ".join((run.stdout + run.stderr).split())


def test_the_contracts_are_kept(copy: Path):
    code, output = lint(copy)
    assert code == 0, output
    assert " 0 broken" in output


@pytest.mark.parametrize(("module", "line", "contract"), ELSEWHERE, ids=lambda value: value)
def test_an_import_of_another_feature_or_of_a_package_above_breaks_its_contract(
    copy: Path, module: str, line: str, contract: str
):
    assert_broken(copy, module, AT_THE_TOP.format(line=line), contract)


@pytest.mark.parametrize("room", ["views/costs", "ui/history", "datasets"])
def test_a_package_that_import_linter_cannot_see_breaks_the_contract(copy: Path, room: str):
    (copy / "explorer" / room / "__init__.py").unlink()
    code, output = lint(copy)
    assert code == 1
    assert f"module explorer.{room.replace('/', '.')} does not exist" in output


@pytest.mark.parametrize("form", [AT_THE_TOP, FOR_TYPES, IN_A_FUNCTION], ids=["top", "types", "function"])
@pytest.mark.parametrize(("module", "line", "contract"), UPWARD, ids=lambda value: value)
def test_an_import_against_the_arrows_breaks_its_contract(copy: Path, module: str, line: str, contract: str, form: str):
    assert_broken(copy, module, form.format(line=line), contract)


def assert_broken(copy: Path, module: str, lines: str, contract: str) -> None:
    with (copy / "explorer" / module).open("a", encoding="utf-8") as file:
        file.write(lines)
    code, output = lint(copy)
    assert code == 1
    assert contract in output.partition("Broken contracts")[2], output
