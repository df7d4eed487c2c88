"""The generated files: the same networks as ``explorer.network`` builds, to the last bit, laid out as by hand.

After a change of the text that is meant, write the golden files anew, look at ``git diff tests/golden``, and commit:

    python -m explorer code resnet50 > tests/golden/resnet50.py.txt
    python -m explorer code cifar_resnet20 > tests/golden/cifar_resnet20.py.txt
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn
from typer.testing import CliRunner

from explorer.cli import app
from explorer.network import build
from explorer.network.codegen import COLUMNS, source
from explorer.spec import (
    PRESETS,
    Activation,
    Block,
    Init,
    Norm,
    ResNetSpec,
    Shortcut,
    Stem,
    StrideOn,
    ZeroPlacement,
    from_json,
)
from explorer.spec.budget import estimate
from tests.support.paths import GOLDEN
from tests.support.strategies import described, fits, merges, normalisable, repeats, small_specs, specs

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = described(depths=(2, 3), widths=(8, 12), stem="cifar", num_classes=5, image_size=9)


def execute(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(text, "generated.py", "exec"), names)
    return names


def generated(spec: ResNetSpec) -> nn.Module:
    return execute(source(spec))["build"]()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def signature(model: nn.Module) -> list[tuple[str, tuple[int, ...], torch.dtype]]:
    return [(key, tuple(t.shape), t.dtype) for key, t in model.state_dict().items()]


def scramble(model: nn.Module) -> None:
    """Weights and statistics of which none is neutral."""
    for seed, tensor in enumerate(model.state_dict().values()):
        if tensor.is_floating_point():
            fan_in = tensor[0].numel() if tensor.dim() > 1 else 1
            values = noise(*tensor.shape, seed=seed)
            tensor.copy_(values / fan_in**0.5 if tensor.dim() > 1 else 0.5 + values.abs() / 4)


@torch.no_grad()
def assert_same(spec: ResNetSpec) -> None:
    """Keys, shapes, what starts at zero, and outputs with the same weights, loaded strictly in both directions."""
    ours, theirs = build(spec), generated(spec)
    assert signature(ours) == signature(theirs)
    zeros = [{name for name, p in model.named_parameters() if not p.any()} for model in (ours, theirs)]
    assert zeros[0] == zeros[1]
    scramble(ours)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = noise(2, spec.in_channels, spec.image_size, spec.image_size)
    expected, got = outcome(ours.eval(), x), outcome(theirs.eval(), x)
    if isinstance(expected, Tensor):
        assert isinstance(got, Tensor)
        assert torch.isfinite(expected).all()
        assert torch.equal(got, expected)
    else:
        assert got is expected
        assert not (fits(spec) and normalisable(spec))


def outcome(model: nn.Module, x: Tensor) -> Tensor | type[Exception]:
    try:
        return model(x)
    except (RuntimeError, ValueError) as error:
        return type(error)


def assert_laid_out(folder: Path) -> None:
    """As ``ruff format`` leaves it, and nothing unused or too long."""
    options = ["--isolated", "--no-cache", "--quiet", "--target-version=py310", f"--line-length={COLUMNS}", str(folder)]
    for command in (["format", "--diff"], ["check", "--select=E,F,W,I,B,UP,SIM,C4"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


# ---- the same network --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_the_same_weights(name):
    with torch.device("meta"):
        theirs = generated(PRESETS[name])
    assert signature(theirs) == signature(build(PRESETS[name], device="meta"))
    assert sum(p.numel() for p in theirs.parameters()) == estimate(PRESETS[name])[0]


@pytest.mark.parametrize("stem", Stem)
@pytest.mark.parametrize("norm", Norm)
@pytest.mark.parametrize("block", Block)
def test_blocks_norms_and_stems(block, norm, stem):
    assert_same(SMALL.with_(block=block, norm=norm, stem=stem, image_size=33, zero_init_residual=True))


@pytest.mark.parametrize("placement", ZeroPlacement)
@pytest.mark.parametrize("shortcut", Shortcut)
@pytest.mark.parametrize("block", Block)
def test_shortcuts(block, shortcut, placement):
    assert_same(SMALL.with_(block=block, shortcut=shortcut, zero_pad=placement))


@pytest.mark.parametrize("block", Block)
@pytest.mark.parametrize("shortcut", Shortcut)
def test_overrides(block, shortcut):
    mixed = {"layer1.0": "zero_pad", "layer1.1": "none", "layer2.0": "projection", "layer2.1": "projection_all"}
    assert_same(SMALL.with_(block=block, shortcut=shortcut, shortcut_overrides=mixed))


@pytest.mark.parametrize("stride_on", StrideOn)
@pytest.mark.parametrize("block", [Block.BOTTLENECK, Block.PREACT_BOTTLENECK])
def test_groups_and_strides(block, stride_on):
    assert_same(SMALL.with_(block=block, groups=2, width_per_group=48, stride_on=stride_on))


@pytest.mark.parametrize("activation", Activation)
def test_activations(activation):
    assert_same(SMALL.with_(activation=activation))


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "cifar_resnet20"])
def test_presets_give_the_same_outputs(name):
    assert_same(PRESETS[name].with_(image_size=33))


@given(small_specs())
@settings(max_examples=200)
def test_any_network_is_the_same(spec):
    assert_same(spec)


@pytest.mark.parametrize("init", Init)
def test_initial_weights_have_the_same_spread(init):
    spec = SMALL.with_(widths=(32, 64), init=init)
    ours, theirs = (dict(model.named_parameters()) for model in (build(spec), generated(spec)))
    for name in ("layer1.1.conv1.weight", "layer2.0.downsample.0.weight", "layer2.1.conv2.weight"):
        assert theirs[name].std().item() == pytest.approx(ours[name].std().item(), rel=0.1)


# ---- the text ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet50", "cifar_resnet20"])
def test_golden(name):
    assert source(PRESETS[name]) == (GOLDEN / f"{name}.py.txt").read_text(encoding="utf-8")


def test_layout_of_presets_and_of_any_network(tmp_path):
    for name, preset in PRESETS.items():
        (tmp_path / f"{name}.py").write_text(source(preset), encoding="ascii")

    @given(specs(blocks=12, width=512, groups=4, side=64, classes=20))
    @settings(max_examples=60)
    def write(spec: ResNetSpec) -> None:
        (tmp_path / f"generated_{len(list(tmp_path.iterdir()))}.py").write_text(source(spec), encoding="ascii")

    write()
    assert_laid_out(tmp_path)


def test_layout_of_the_longest_calls(tmp_path):
    """Widths of five digits, in single blocks and in loops."""
    for block in Block:
        grouped = {"groups": 256, "width_per_group": 1} if block.is_bottleneck else {}
        wide = described(depths=(1, 4), widths=(64, 2600), block=block, image_size=8, shortcut="identity", **grouped)
        for mode in Shortcut:
            runs = {"layer2.0": "projection", "layer2.1": mode, "layer2.2": mode}
            text = source(wide.with_(shortcut_overrides=runs))
            (tmp_path / f"{block}_{mode}.py").write_text(text, encoding="ascii")
            if (block, mode) == (Block.PREACT_BOTTLENECK, Shortcut.PROJECTION_ALL):
                assert "\n                for _ in range(2)\n            ),\n" in text
    assert_laid_out(tmp_path)


@given(specs())
@settings(max_examples=50)
def test_docstring_contains_the_spec_and_comments_the_mismatches(spec):
    """Comments name exactly the additions whose shapes mismatch by definition, with both shapes."""
    text = source(spec)
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert from_json(docstring[docstring.index("{") :]) == spec
    assert f"{estimate(spec)[0]:,} parameters" in docstring
    assert f"{estimate(spec)[1]:,} multiply-adds" in docstring

    expected = {}
    for path, (branch, shortcut) in merges(spec).items():
        if branch != shortcut:
            end = (
                "PyTorch repeats the smaller one without an error"
                if repeats(branch, shortcut)
                else "The addition raises"
            )
            expected[path] = ("x".join(map(str, branch)), "x".join(map(str, shortcut)), end)
    found = re.findall(
        r"# (\S+) does not fit: F\(x\) is (\S+), the shortcut (\S+)\.\n +# (.*?)(?: an error)?\.\n", text
    )
    assert len(found) == len(expected)
    for path, branch, shortcut, end in found:
        assert expected[path][:2] == (branch, shortcut)
        assert expected[path][2].startswith(end)
    assert ("not fit: see the comments" in docstring) == bool(expected)


def test_what_a_network_lacks_is_not_in_its_file():
    plain = source(SMALL.with_(shortcut="none", norm="none", init="default"))
    for word in ("downsample", "projection(", "ZeroPad", "norm(", "Norm", "MaxPool2d", "functional", "nn.Identity"):
        assert word not in plain.partition('"""\n\nimport')[2]
    same = source(SMALL.with_(depths=(4,), widths=(8,)))
    assert "return self.relu(self.branch(x) + x)" in same
    assert "*(BasicBlock(8, 8) for _ in range(4))" in same
    assert "downsample" not in same
    assert "reset_parameters" not in source(SMALL.with_(init="default"))


@pytest.mark.parametrize("norm", Norm)
def test_only_torch_is_imported(norm):
    for shortcut in Shortcut:
        tree = ast.parse(source(SMALL.with_(norm=norm, shortcut=shortcut)))
        imports = {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))}
        allowed = {"import torch", "from torch import nn", "from torch.nn import functional as F"}
        assert {"import torch", "from torch import nn"} <= imports <= allowed


def test_runs_as_a_program(tmp_path):
    file = tmp_path / "network.py"
    file.write_text(source(SMALL), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == ["output: (2, 5)", f"parameters: {estimate(SMALL)[0]}"]


# ---- the command -------------------------------------------------------------------------------------------


def test_command_prints():
    done = CliRunner().invoke(app, ["code", "resnet50", "--set", "shortcut=identity"])
    assert done.exit_code == 0
    assert done.stdout == source(PRESETS["resnet50"].with_(shortcut="identity"))


def test_command_writes(tmp_path):
    file = tmp_path / "network.py"
    done = CliRunner().invoke(app, ["code", "cifar_resnet20", "-o", str(file)])
    assert (done.exit_code, done.stdout) == (0, f"CIFAR ResNet-20: wrote {file}\n")
    assert file.read_text(encoding="utf-8") == source(PRESETS["cifar_resnet20"])


def test_command_refuses_other_files(tmp_path):
    done = CliRunner().invoke(app, ["code", "resnet50", "-o", str(tmp_path / "network.txt")])
    assert done.exit_code == 2
    assert "expected a name that ends in .py" in done.stderr
    assert not list(tmp_path.iterdir())
