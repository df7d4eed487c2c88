"""Where the tests find things."""

import os
from pathlib import Path

from explorer.datasets import DATA_VARIABLE

ROOT = Path(__file__).parents[2]
# Real photos, data sets and checkpoints: where the variable says, else beside the checkout. Tests that need them skip
# without; they give the place to the program themselves, which does not look beside its own folder.
DATA = Path(os.environ.get(DATA_VARIABLE) or ROOT.parent / "shared" / "data")
GOLDEN = ROOT / "tests" / "golden"
