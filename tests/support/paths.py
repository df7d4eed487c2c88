"""Where the tests find things."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"  # real photos, data sets and checkpoints; tests that need them skip without
GOLDEN = ROOT / "tests" / "golden"
