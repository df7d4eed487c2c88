"""The built wheel in an empty environment: what works with which extra, from a folder of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from explorer import __version__
from tests.support.environments import build_wheel, create_environment

NETWORK = """
from torch import nn

class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(x) + x

def make(channels=3):
    return Block(channels)
"""
SHAPES = """
import sys
from explorer import PRESETS, build, inspect, probe_gradients, propose_fixes
report = inspect(PRESETS["resnet50"])
broken = inspect(PRESETS["resnet18"].with_(shortcut="identity"))
print(report.params, len(broken.broken), propose_fixes(broken, broken.findings[0])[0].params)
probe_gradients(PRESETS["cifar_resnet20"])
assert "ResNet-50" in report._repr_html_()
inspect(build(PRESETS["cifar_resnet20"]), (1, 3, 32, 32))
print(sorted({"torchvision", "gradio", "onnx", "PIL", "pydantic"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of somebody else."""
    project = tmp_path / "my project"
    project.mkdir()
    (project / "mynets.py").write_text(NETWORK)
    return project


def run(folder: Path, *command: str | Path, code: int = 0) -> str:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_the_wheel_contains_the_page_the_weights_and_types_and_no_tests(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert wheel.name == f"resnet_explorer-{__version__}-py3-none-any.whl"
    assert wheel.stat().st_size < 15 * 2**20
    wanted = ["py.typed", "ui/page.js", "ui/page.css", "assets/icon.png", "assets/weights/cifar10_resnet20.safetensors"]
    assert {f"explorer/{name}" for name in wanted} <= set(names)
    assert {Path(name).parts[0] for name in names} == {"explorer", f"resnet_explorer-{__version__}.dist-info"}


def test_shapes_need_only_the_core(wheel: Path, folder: Path) -> None:
    """And every other part says what to install."""
    python = create_environment(folder.parent / "core", wheel)
    assert run(folder, python, "-c", SHAPES).splitlines() == ["25557032 3 0", "[]"]
    command = python.parent / "resnet-explorer"
    assert run(folder, command, "check", "mynets:make", code=2) == (
        "Error: typer is not installed. Install it with: pip install 'resnet-explorer[cli]'\n"
    )
    words = run(folder, python, "-c", "from explorer import load_classifier", code=1)
    assert words.endswith("pip install 'resnet-explorer[photos]'\n")


def test_the_command_line_checks_networks_of_another_folder(wheel: Path, folder: Path) -> None:
    command = create_environment(folder.parent / "cli", wheel, ["cli"]).parent / "resnet-explorer"
    assert run(folder, command, "--version") == f"ResNet Explorer {__version__}\n"
    assert run(folder, command, "check", "mynets:make", "--input", "1x3x8x8") == "✓ 1 of 1 shortcuts match\n"
    wrong = run(folder, command, "check", "mynets:make(5)", "--input", "1x3x8x8", code=1)
    assert wrong.endswith("✕ 1 of 1 shortcuts does not match\n")
    page = run(folder, command, "serve", code=2)
    assert page == "Error: gradio is not installed. Install it with: pip install 'resnet-explorer[app]'\n"
