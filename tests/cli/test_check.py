"""``check``: exit codes, several targets, networks out of somebody's own code, expectations, and what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from explorer.cli import app
from explorer.inspection import Report
from explorer.inspection.contract import Outcome
from explorer.views.checks.sarif import sarif
from tests.support.paths import ROOT

MISFITS = ["layer1.0", "layer2.0", "layer3.0", "layer4.0"]

pytestmark = pytest.mark.usefixtures("one_thread")


def check(*words: str | Path) -> Any:
    """The command in this process; an exception that would be a traceback is raised here."""
    result = CliRunner().invoke(app, ["check", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def printed(*words: str | Path, code: int = 0) -> str:
    result = check(*words)
    assert (result.exit_code, result.stderr) == (code, "")
    return result.stdout


def refused(*words: str | Path) -> str:
    result = check(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.isprintable()
    return line.removeprefix("Error: ")


# One target


def test_check_tells_by_its_exit_code_whether_all_shortcuts_fit() -> None:
    assert printed("resnet50") == "✓ 16 of 16 shortcuts match\n"
    lines = printed("resnet50", "--set", "shortcut=identity", code=1).splitlines()
    findings = [line for line in lines if not line.startswith((" ", "✕"))]
    assert [line.split(":")[0] for line in findings] == MISFITS
    assert "he branch gives 512×28×28, the shortcut 256×56×56" in findings[1]
    assert [line.strip()[:5] for line in lines if line not in findings] == ["Fix: "] * 4 + ["✕ 4 o"]
    assert lines[-1] == "✕ 4 of 16 shortcuts do not match"


def test_every_fix_is_printed_as_code(report_of: Callable[[str], Report]) -> None:
    words = ("resnet18", "--set", "shortcut_overrides=layer2.0:identity")
    assert printed(*words, "--fix", code=1).splitlines()[1:] == [
        "  Fix: Zero-pad x: every 2nd pixel, 64 channels of zeros (at no cost)",
        "      out = out + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 64))",
        "  Fix: Project x: 1×1 convolution, stride 2 (+8,448 parameters, +6.42 MMACs)",
        "      self.projection = nn.Sequential(nn.Conv2d(64, 128, kernel_size=1, stride=2, bias=False), "
        "nn.BatchNorm2d(128))  # in __init__",
        "      out = out + self.projection(x)  # in forward",
        "✕ 1 of 8 shortcuts does not match",
    ]
    assert printed(*words, code=1).splitlines()[1:] == [
        "  Fix: Zero-pad x: every 2nd pixel, 64 channels of zeros (at no cost)",
        "✕ 1 of 8 shortcuts does not match",
    ]


def test_a_plain_network_has_nothing_that_could_misfit() -> None:
    assert printed("resnet18", "--set", "shortcut=none") == "No shortcuts: a plain network\n"


def test_a_network_is_traced_with_the_input_that_is_named() -> None:
    assert json.loads(printed("resnet18", "--input", "2x3x64x64", "--format", "json"))["targets"][0]["input_size"] == [
        2, 3, 64, 64,
    ]  # fmt: skip
    assert refused("resnet18", "--input", "3y3").startswith("--input: got '3y3'; up to eight sides")
    assert refused("resnet18", *["--input", "1x3x8x8"] * 2) == "--input: got 2 shapes; resnet18 has one input"


def test_check_as_a_program() -> None:
    for words, code, verdict in (
        (["resnet18"], 0, "✓ 8 of 8 shortcuts match"),
        (["resnet18", "--set", "shortcut=identity"], 1, "✕ 3 of 8 shortcuts do not match"),
        (["resnet18", "nowhere.json"], 2, "✕ 1 of 2 networks as expected"),
    ):
        command = [sys.executable, "-X", "utf8", "-m", "explorer", "check", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
        assert done.returncode == code
        assert done.stderr == ("Error: nowhere.json: No such file or directory\n" if code == 2 else "")
        assert done.stdout.splitlines()[-1] == verdict


# Somebody's own code

CODE = """
import torch
from torch import nn

print("imported")


class Block(nn.Module):
    def __init__(self, stride=2):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, stride, 1)

    def forward(self, x):
        return self.conv(x) + x


class Net(nn.Module):
    def __init__(self, stride=2):
        super().__init__()
        self.block = Block(stride)

    def forward(self, x):
        return self.block(x)


class Nets:
    make = staticmethod(lambda: Net(stride=1))


net = Net(stride=1)


def reads_values():
    made = Net(stride=1)
    made.scale = float(made.block.conv.weight.detach().sum())
    return made


def fails():
    raise ValueError("no such depth\\nand more")


def leaves():
    raise SystemExit(3)


def number():
    return 3


def wants(depth):
    return Net()


class Bad(Net):
    def forward(self, x):
        return x[:, :, ::2] @ self.block(x).missing


class Narrow(Net):
    def __init__(self):
        super().__init__(stride=1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.block(x).mean((2, 3)))


class Sized(Net):
    def __init__(self, width, *, grey=False):
        super().__init__(stride=1)
        del self.block
        self.up = nn.ConvTranspose2d(3, 3, 2, 2)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x):
        return self.bn(self.up(nn.functional.max_pool2d(x, 2)) + x)


class Forgets(Net):
    def __init__(self):
        super().__init__(stride=1)
        self.unused = nn.Linear(4, 2)


class Named(nn.Module):
    def forward(self, image, ids):
        return image["left"] + image["right"][0] + ids.sum()


class OnePixel(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 8, 8), nn.BatchNorm2d(8))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 1), nn.Linear(10, 8)

    def forward(self, x, y):
        return self.conv(x) + self.fc(y)[:, :, None, None].expand(-1, -1, 4, 4)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with somebody's package in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "own_nets"
    package.mkdir()
    (package / "first.py").write_text(CODE, encoding="utf-8")
    (package / "typo.py").write_text("x = 1\ny = (", encoding="utf-8")
    (package / "lost.py").write_text("\nimport no_such_package_anywhere", encoding="utf-8")
    for name in [name for name in sys.modules if name.partition(".")[0] == "own_nets"]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


@pytest.mark.parametrize("name", ["net", "Nets.make", "reads_values"])
def test_a_module_a_class_or_a_function(own: Path, name: str) -> None:
    assert check(f"own_nets.first:{name}").stdout == "✓ 1 of 1 shortcuts match\n"


def test_a_misfit_in_somebodys_own_code(own: Path) -> None:
    result = check("own_nets.first:Net", "--input", "1x3x32x32")
    first, place, *_, last = result.stdout.splitlines()
    assert first.startswith("block: ")
    assert "he branch gives 3×16×16, the shortcut 3×32×32" in first
    assert place == "  own_nets/first.py:14"
    assert (result.exit_code, last) == (1, "✕ 1 of 1 shortcuts does not match")


def test_a_result_points_to_the_line_of_the_sum(own: Path) -> None:
    log = json.loads(check("own_nets.first:Net", "--format", "sarif").stdout)
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("stride-differs", "error")
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "own_nets/first.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 14},
            },
            "logicalLocations": [{"fullyQualifiedName": "own_nets.first:Net.block", "kind": "module"}],
        }
    ]
    assert result["message"]["markdown"].count("```python\n") >= 1


def test_a_layer_that_does_not_suit_its_input(own: Path) -> None:
    result = check("own_nets.first:Narrow")
    assert result.exit_code == 1
    first, places, *_ = result.stdout.splitlines()
    assert first.startswith("fc takes 4 features, but ")
    in_init = 1 + CODE.splitlines().index("        self.fc = nn.Linear(4, 2)")
    assert places.endswith(f", own_nets/first.py:{in_init}")  # where the wrong number is
    assert result.stdout.splitlines()[-2:] == ["✓ 1 of 1 shortcuts match", "✕ 1 layer does not match its input"]
    (own / "c.yaml").write_text("own_nets.first:Narrow: {shortcuts: any}")
    assert check("--expect", "c.yaml").exit_code == 1


def test_several_inputs(own: Path) -> None:
    result = check("own_nets.first:Two", "--input", "1x3x4x4", "--input", "1x10", "--format", "json")
    (target,) = json.loads(result.stdout)["targets"]
    assert (target["code"], target["merges"]) == (0, [])  # two inputs have nothing in common
    assert target["params"] == 3 * 8 + 8 + 10 * 8 + 8


def test_a_class_with_arguments_and_a_file(own: Path) -> None:
    words = ("own_nets/first.py:Sized(3, grey=True)", "--input", "1x3x8x8")
    assert check(*words).stdout == "✓ 1 of 1 shortcuts match\n"
    assert check("own_nets.first:Sized(width=3)", "--input", "1x3x8x8").exit_code == 0
    narrow = check("own_nets.first:Sized(4)", "--input", "1x3x8x8")
    assert narrow.stdout.startswith("bn takes 4 channels, but the sum of the network gives 3 (3×8×8).\n")
    assert refused("own_nets/none.py:Net") == "own_nets/none.py: no such file"
    assert "expected numbers, texts or lists as arguments" in check("own_nets.first:Sized(x)").stderr


def test_inputs_of_every_kind(own: Path) -> None:
    words = ("--input", "image={left=1x3x4x4, right=[1x3x4x4]}", "--input", "ids=1x16:int64")
    assert check("own_nets.first:Named", *words).exit_code == 0
    assert refused("own_nets.first:Named", "--input", "ids=1x16:word").startswith("--input: got 'word' as a type;")
    assert refused("own_nets.first:Named", "--input", "1x3", "--input", "x=1x3").startswith("--input: either every")


def test_which_sizes_work(own: Path) -> None:
    words = ("own_nets.first:Sized(3)", "--input", "1x3x8x8", "--sizes")
    lines = check(*words).stdout.splitlines()
    assert lines[:2] == [
        "✓ 1 of 1 shortcuts match",
        "Input sizes: Any multiple of 2 from 2 on works; 7 fails: the network: the branch goes 7→3→6: max_pool halves "
        "an odd side, which upsampling does not bring back. Pad the input to a multiple of 2, or interpolate to 7×7. "
        "The branch gives 3×6×6, the shortcut 3×7×7.",
    ]
    data = json.loads(check(*words, "--format", "json").stdout)["targets"][0]["sizes"]
    assert (data["multiple"], data["smallest"]) == (2, 2)
    assert {t["side"]: t["works"] for t in data["tried"]} == {2: True, 6: True, 7: False, 8: True, 9: False, 10: True}
    (own / "c.yaml").write_text("own_nets.first:Sized(3): {input: 1x3x8x8, sizes: [16, 9]}")
    contract = check("--expect", "c.yaml")
    assert contract.exit_code == 1
    assert contract.stdout.startswith("sizes: an input of 9×9 fails: the network: the branch goes 9→4→8")


def test_a_hint_is_no_failure(own: Path) -> None:
    result = check("own_nets.first:Forgets", "--input", "1x3x8x8")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0,
        "Hint: unused is never used: forward does not call it, and its 10 parameters change nothing.",
    )
    log = json.loads(check("own_nets.first:Forgets", "--input", "1x3x8x8", "--format", "sarif").stdout)
    assert [(r["ruleId"], r["level"]) for r in log["runs"][0]["results"]] == [("never-called", "warning")]


def test_what_fails_in_training_only(own: Path) -> None:
    words = ("own_nets.first:OnePixel", "--input", "1x3x8x8")
    assert check(*words).stdout == "No shortcuts: a plain network\n"
    (hint, _) = check(*words, "--train").stdout.splitlines()
    assert hint.startswith("Hint: In training mode, 1 failed on an input of 8×1×1: Expected more than 1 value")


def test_formats_of_other_programs(own: Path) -> None:
    words = ("own_nets.first:Net", "--input", "1x3x8x8", "--format")
    (line,) = check(*words, "github").stdout.splitlines()
    assert line.startswith(
        "::error file=own_nets/first.py,line=14,title=stride-differs::block: the branch takes stride 2"
    )
    xml = ElementTree.fromstring(check(*words, "junit").stdout.encode())
    (case,) = xml.iter("testcase")
    assert [failure.get("type") for failure in case] == ["stride-differs"]
    (suite,) = xml
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")


def test_a_contract_allows_one_block(own: Path) -> None:
    (own / "c.yaml").write_text("own_nets.first:Net: {input: 1x3x8x8, allow: [block]}")
    assert check("--expect", "c.yaml").exit_code == 0
    (own / "c.yaml").write_text("own_nets.first:Net: {input: 1x3x8x8, allow: [other]}")
    assert check("--expect", "c.yaml").exit_code == 1


def test_what_the_code_prints_stays_out_of_the_result(own: Path) -> None:
    result = check("own_nets.first:net", "--format", "sarif")
    assert result.stderr == "imported\n"
    assert json.loads(result.stdout)["version"] == "2.1.0"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("first:fails", "own_nets.first:fails: ValueError in own_nets/first.py, line 40: no such depth"),
        ("first:leaves", "own_nets.first:leaves: SystemExit in own_nets/first.py, line 44: 3"),
        ("first:number", "own_nets.first:number: expected an nn.Module, or a callable that returns one; got int"),
        ("first:absent", "own_nets.first:absent: the module own_nets.first has no absent"),
        ("first:Net.absent", "own_nets.first:Net.absent: the module own_nets.first has no Net.absent"),
        (
            "first:wants",
            "own_nets.first:wants: TypeError: wants() missing 1 required positional argument: 'depth'; the explorer "
            "calls it without arguments",
        ),
        (
            "first:Bad",
            "own_nets.first:Bad: the network failed on an input of 3×112×112: 'Tensor' object has no attribute "
            "'missing' (AttributeError in own_nets/first.py, line 57)",
        ),
        ("typo:x", "own_nets.typo:x: SyntaxError in own_nets/typo.py, line 2: '(' was never closed"),
        (
            "lost:x",
            "own_nets.lost:x: ModuleNotFoundError in own_nets/lost.py, line 2: No module named "
            "'no_such_package_anywhere'",
        ),
        (
            "none:x",
            "own_nets.none:x: no module named own_nets.none in this folder or the installed packages",
        ),
    ],
)
def test_a_fault_in_somebodys_own_code_is_one_sentence(own: Path, target: str, reason: str) -> None:
    result = check(f"own_nets.{target}")
    assert (result.exit_code, result.stdout) == (2, "")
    last = result.stderr.splitlines()[-1].removeprefix("Error: ")
    assert last.startswith(reason)
    assert "Traceback" not in result.stderr


def test_code_cannot_be_set(own: Path) -> None:
    assert refused("own_nets.first:net", "--set", "norm=group") == (
        "--set: own_nets.first:net is code and has no fields to set"
    )


# Several targets and expectations

CONTRACT = """\
resnet18: {params: 11_689_512, shortcuts: 8, shapes: {layer4: 512x7x7}}
cifar_resnet20: {input: 1x3x64x64, macs: 10 M, shapes: {layer3: 64x16x16}}
"""


@pytest.fixture
def expected(tmp_path: Path) -> Path:
    path = tmp_path / "nets.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    return path


def test_all_targets_are_checked_and_the_worst_code_is_returned() -> None:
    assert printed("resnet18", "cifar_resnet20") == (
        "resnet18\n  ✓ 8 of 8 shortcuts match\ncifar_resnet20\n  ✓ 9 of 9 shortcuts match\n"
        "✓ 2 of 2 networks as expected\n"
    )
    result = check("resnet19", "cifar_resnet20", "{")
    assert result.exit_code == 2
    assert result.stdout == "cifar_resnet20\n  ✓ 9 of 9 shortcuts match\n✕ 1 of 3 networks as expected\n"
    assert [line[:30] for line in result.stderr.splitlines()] == [
        "Error: TARGET: got 'resnet19',", "Error: {: spec: not valid JSON"[:30],
    ]  # fmt: skip


def test_what_is_expected_and_not_so(expected: Path) -> None:
    assert printed("--expect", expected, code=1).splitlines() == [
        "resnet18",
        "  ✓ 8 of 8 shortcuts match",
        "cifar_resnet20",
        "  macs: got 162,202,240; expected 10 M.",
        "  ✓ 9 of 9 shortcuts match",
        "  ✕ 1 expectation not met",
        "✕ 1 of 2 networks as expected",
    ]
    assert printed("resnet18", "--expect", expected) == "✓ 8 of 8 shortcuts match\n"
    assert refused("resnet34", "--expect", expected) == (
        f"{expected}: nothing is expected of resnet34; it names resnet18, cifar_resnet20"
    )


def test_misfits_that_are_allowed_are_told_and_no_failure(expected: Path) -> None:
    expected.write_text("resnet18: {shortcuts: any}")
    assert (
        printed("--expect", expected, "--set", "shortcut=identity").splitlines()[-1]
        == "✕ 3 of 8 shortcuts do not match"
    )


def test_nothing_to_check(expected: Path) -> None:
    assert refused() == "TARGET: name at least one network, or a file of expectations with --expect"
    expected.write_text("resnet18: {colour: red}")
    assert refused("--expect", expected) == (
        f"{expected}: resnet18: colour: no such expectation; allowed: input, params, macs, shortcuts, shapes, allow, "
        "sizes"
    )
    assert refused("--expect", expected.with_name("none.yaml")).endswith("none.yaml: No such file or directory")


# Formats


def test_json_has_every_target_in_order(expected: Path, report_of: Callable[[str], Report]) -> None:
    result = check("resnet18", "resnet19", "--format", "json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["schema"], data["code"]) == (2, 1, 2)
    good, bad = data["targets"]
    assert list(good)[:3] == list(bad) == ["target", "code", "problem"]
    assert (bad["target"], bad["code"]) == ("resnet19", 2)
    assert bad["problem"].startswith("TARGET: got 'resnet19'")
    report = report_of("resnet18").to_dict()
    assert {key: good[key] for key in report} == report
    assert (good["findings"], good["unmet"], good["problem"]) == ([], [], None)


def test_json_of_what_is_not_as_expected(expected: Path) -> None:
    data = json.loads(printed("--expect", expected, "--set", "shortcut=identity", "--format", "json", code=1))
    first, second = data["targets"]
    assert [finding["path"] for finding in first["findings"]] == ["layer2.0", "layer3.0", "layer4.0"]
    assert [unmet["key"] for unmet in first["unmet"]] == ["params"]
    assert {"key": "macs", "sentence": "macs: got 162,202,240; expected 10 M."} in second["unmet"]


def test_with_a_file_the_text_is_printed_too(tmp_path: Path, expected: Path) -> None:
    words = ("resnet18", "--set", "shortcut=identity")
    text = printed(*words, code=1)
    path = tmp_path / "check.sarif"
    assert printed(*words, "--format", "sarif", "-o", path, code=1) == text
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report == json.loads(printed(*words, "--format", "sarif", code=1))
    assert [result["ruleId"] for result in report["runs"][0]["results"]] == ["missing-projection"] * 3
    log = tmp_path / "check.txt"
    assert printed(*words, "-o", log, code=1) == log.read_text(encoding="utf-8") == text


def test_every_format_has_its_ending(tmp_path: Path) -> None:
    assert refused("resnet18", "--format", "html") == "--format html: name the file to write with -o FILE.html"
    for form, suffix in (("html", ".html"), ("json", ".json"), ("sarif", ".sarif"), ("text", ".txt")):
        assert refused("resnet18", "--format", form, "-o", "a.svg") == f"a.svg: expected a name that ends in {suffix}"


def test_a_page_for_each_target(tmp_path: Path, expected: Path) -> None:
    printed("--expect", expected, "--format", "html", "-o", tmp_path / "check.html", code=1)
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html")}
    assert sorted(pages) == ["check-cifar_resnet20.html", "check-resnet18.html"]
    assert "<li>macs: got 162,202,240; expected 10 M.</li>" in pages["check-cifar_resnet20.html"]
    assert "Not as expected" not in pages["check-resnet18.html"]
    printed("resnet18", "--format", "html", "-o", tmp_path / "one.html")
    assert (tmp_path / "one.html").read_text(encoding="utf-8") == pages["check-resnet18.html"]


def test_sarif_is_that_of_the_view(report_of: Callable[[str], Report]) -> None:
    shown = json.loads(printed("resnet18", "--format", "sarif"))
    assert shown == sarif([Outcome("resnet18", report_of("resnet18"))])


def test_a_target_that_does_not_import_torchvision_does_not_wait_for_it(tmp_path: Path) -> None:
    """In a process of its own: here torchvision is imported already."""
    (tmp_path / "own.py").write_text("from torch import nn\ndef make(): return nn.Conv2d(3, 8, 3)\n")
    code = f"import sys; from explorer.cli import main; sys.argv = ['explorer', 'check', '{tmp_path}/own.py:make']\n"
    code += "try: main()\nexcept SystemExit as end: print(end.code, 'torchvision' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout.endswith("\n0 False\n"), run.stderr


def test_a_target_may_import_torchvision_first() -> None:
    """In a process of its own: here torchvision is imported already."""
    command = [sys.executable, "-m", "explorer", "check", "torchvision.models:resnet18"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 of 8 shortcuts match" in done.stdout
