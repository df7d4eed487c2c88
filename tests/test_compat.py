"""torchvision must import beside every torch, and only be repaired if it is broken.

Each case is a process of its own: what a process has loaded of torchvision cannot be unloaded.
"""

import subprocess
import sys
from functools import cache

from tests.support.paths import ROOT

OPERATORS_LOAD = """
import pathlib, importlib.util, torch
folder = importlib.util.find_spec("torchvision").submodule_search_locations[0]
for library in pathlib.Path(folder).glob("_C*"):
    torch.ops.load_library(str(library))
torch.ops.torchvision.nms.default
"""
CANNOT_LOAD = """
import torch
def refuse(path): raise OSError("libtorch_cuda.so: cannot open shared object file")
torch.ops.load_library = refuse
"""
USE = """
from explorer.compat import torchvision
torchvision.models.resnet18()
print(torchvision.extension._has_ops())
"""
FOREIGN = """
from explorer.compat import guard_imports
guard_imports()
import sys
assert "torchvision" not in sys.modules
import torchvision.ops
from explorer.compat import torchvision as ours
assert ours is torchvision
torchvision.models.resnet18()
print(torchvision.extension._has_ops())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=240)


@cache
def operators_load() -> bool:
    return run(OPERATORS_LOAD).returncode == 0


def test_torchvision_imports_and_keeps_the_operators_it_has() -> None:
    done = run(USE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(operators_load())


def test_torchvision_imports_where_the_operators_cannot_load() -> None:
    done = run(CANNOT_LOAD + USE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"


def test_foreign_code_imports_torchvision_after_its_operators() -> None:
    done = run(CANNOT_LOAD + FOREIGN)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "False"


def test_plain_torchvision_dies_exactly_where_the_operators_cannot_load() -> None:
    """When this fails for a newer torchvision, one that asks before it describes, explorer.compat can go."""
    done = run("import torchvision")
    assert (done.returncode == 0) == operators_load(), done.stderr
    assert operators_load() or "operator torchvision::nms does not exist" in done.stderr
