"""Packages whose names load on first use: every name is there, and importing the package loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import FunctionType

import pytest

from tests.support.paths import ROOT

PACKAGES = ("explorer", "explorer.datasets", "explorer.inference", "explorer.training")
HEAVY = {"torch", "torchvision", "sklearn", "scipy", "numpy", "PIL", "gradio", "plotly"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there(package: str) -> None:
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in dir(module)
    with pytest.raises(AttributeError, match=f"^module '{package}' has no attribute 'nothing'$"):
        _ = module.nothing


def test_a_module_does_not_hide_a_name() -> None:
    """Importing a module makes it an attribute of its package."""
    import_module("explorer.datasets.samples")
    assert isinstance(import_module("explorer.datasets").sample, FunctionType)


def test_importing_them_loads_nothing_heavy() -> None:
    code = f"import sys, {', '.join(PACKAGES)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(done.stdout.split())
