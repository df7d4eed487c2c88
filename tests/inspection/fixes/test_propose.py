"""What is proposed mends the network: at the price that was named, in the lines that were written."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest
import torch
from hypothesis import assume, example, given, settings
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.inspection import Report, inspect, propose_fixes
from explorer.inspection.fixes import propose
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec
from tests.support.broken import BUGS, SIDE, Bug, healthy
from tests.support.strategies import derails, described, fits, normalisable, small_specs

pytestmark = pytest.mark.usefixtures("one_thread")

CASES = [pytest.param(name, bug, id=f"{name}: {words}") for name, bugs in BUGS.items() for words, bug in bugs.items()]


def titles(report: Report) -> list[list[str]]:
    return [[fix.title for fix in propose_fixes(report, finding)] for finding in report.findings]


# ---- specs -----------------------------------------------------------------------------------------------


def test_options_a_and_b_of_a_spec():
    report = inspect(PRESETS["resnet18"].with_(shortcut_overrides={"layer2.0": "identity"}))
    (finding,) = report.findings
    zeros, projection = propose_fixes(report, finding)
    assert (zeros.title, zeros.params, zeros.macs) == ("Zero-pad x: every 2nd pixel, 64 channels of zeros", 0, 0)
    assert zeros.snippet == "out = out + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 64))"
    assert projection.title == "Project x: 1×1 convolution, stride 2"
    assert (projection.params, projection.macs) == (64 * 128 + 2 * 128, 64 * 128 * 28**2)
    assert projection.snippet == (
        "self.projection = nn.Sequential(nn.Conv2d(64, 128, kernel_size=1, stride=2, bias=False), "
        "nn.BatchNorm2d(128))  # in __init__\nout = out + self.projection(x)  # in forward"
    )
    assert projection.spec is not None
    assert inspect(projection.spec).params == 11_689_512  # torchvision's


@pytest.mark.parametrize(
    "changes", [{"norm": "group"}, {"norm": "none"}, {"block": "preact_basic"}, {"norm": "batch"}], ids=str
)
def test_lines_of_a_projection_are_what_the_spec_builds(changes: dict[str, str]):
    spec = described(depths=(1, 1), widths=(4, 8), shortcut="identity", stem="cifar", image_size=8, **changes)
    report = inspect(spec)
    (finding,) = report.findings
    fix = propose_fixes(report, finding)[-1]
    layer = fix.snippet.partition("self.projection = ")[2].partition("  #")[0]
    assert sum(p.numel() for p in eval(layer, {"nn": nn}).parameters()) == fix.params


def test_a_width_is_priced_honestly():
    spec = described(depths=(1, 1), widths=(16, 8), shortcut="zero_pad", stem="cifar", image_size=8, num_classes=10)
    report = inspect(spec)
    (finding,) = report.findings
    projection, width = propose_fixes(report, finding)
    assert (projection.title, width.title) == ("Project x: 1×1 convolution, stride 2", "Width of layer2: 8 → 16")
    assert width.spec == spec.with_(widths=(16, 16))
    assert width.params == 9 * (16 * 16 - 16 * 8 + 16 * 16 - 8 * 8) + 2 * 2 * 8 + 8 * 10


def test_what_would_be_larger_than_allowed_is_not_proposed():
    spec = described(depths=(1, 1), widths=(8192, 6000), shortcut="identity", image_size=32)
    assert titles(inspect(spec)) == [[]]


@settings(max_examples=15)
@given(spec=small_specs().filter(normalisable).filter(lambda spec: not fits(spec)))
@example(spec=described(depths=(1, 2, 1), widths=(8, 4, 8), shortcut="zero_pad", image_size=33))
@torch.no_grad()
def test_every_fix_of_a_random_spec_is_a_match(spec: ResNetSpec):
    """By definition, by the report, and in a real pass on numbers."""
    assume(not derails(spec))
    report = inspect(spec)
    for finding in report.findings:
        prices = [(fix.params, fix.macs) for fix in propose_fixes(report, finding)]
        assert prices == sorted(prices)
        for fix in propose_fixes(report, finding):
            assert fix.spec is not None
            mended = inspect(fix.spec)
            assert [f.path for f in mended.findings] == [f.path for f in report.findings if f.path != finding.path]
            assert (mended.params - report.params, mended.macs - report.macs) == (fix.params, fix.macs)
            if not mended.findings:
                image = torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size)
                assert build(fix.spec).eval()(image).shape == (1, spec.num_classes)


def test_each_broken_sum_of_a_spec_can_be_mended_after_the_other():
    report = inspect(PRESETS["resnet50"].with_(shortcut="identity", image_size=64))
    left = len(report.findings)
    while report.findings:
        (*_, fix) = propose_fixes(report, report.findings[0])
        assert fix.spec is not None
        report = inspect(fix.spec)
        left -= 1
        assert len(report.findings) == left
    assert report.params == 25_557_032


# ---- modules ---------------------------------------------------------------------------------------------


FIRST: dict[tuple[str, str], str] = {
    ("resnet18", "no padding"): "Padding of layer1.0.conv2: 0 → 1",
    ("resnet18", "groups"): "Groups of layer1.1.conv1: 3 → 2",
    ("resnet18", "no projection"): "Zero-pad x: every 2nd pixel, 64 channels of zeros",
    ("resnet18", "narrow branch"): "Width of layer2.1.conv2: 96 → 128; Input width of layer2.1.bn2: 96 → 128",
    ("resnet18", "stride of the shortcut"): "Stride of layer3.0.downsample.0: 1 → 2",
    ("resnet18", "width of a convolution"): (
        "Input width of layer3.1.bn1: 256 → 200; Input width of layer3.1.conv2: 256 → 200"
    ),
    ("resnet18", "pooling rounds down"): "Rounding up of layer4.0.downsample.0: off → on",
    ("resnet18", "width of a norm"): "Input width of layer4.1.bn2: 256 → 512",
    ("resnet18", "classifier"): "Input width of fc: 2048 → 512",
    ("resnet50", "expansion of the projection"): (
        "Width of layer1.0.downsample.0: 128 → 256; Input width of layer1.0.downsample.1: 128 → 256"
    ),
    ("resnet50", "stride of a branch"): "Subsample x: every 2nd pixel",
    ("resnet50", "padding of a 1×1"): "Padding of layer2.1.conv1: 1 → 0",
}


@pytest.mark.parametrize(("name", "words"), FIRST)
def test_the_cheapest_fix(name: str, words: str):
    net = healthy(name)
    BUGS[name][words].plant(net)
    report = inspect(net, (3, SIDE, SIDE))
    (finding,) = report.findings
    assert propose_fixes(report, finding)[0].title == FIRST[name, words]


def applied(net: nn.Module, snippet: str) -> nn.Module:
    """A copy of a network in which the lines of a fix have run."""
    mended = copy.deepcopy(net)
    exec(snippet, {"model": mended, "nn": nn})
    return mended.to("meta")


@pytest.mark.parametrize(("name", "bug"), CASES)
def test_lines_of_every_fix_do_what_they_say(name: str, bug: Bug):
    """Those that change layers are run as they are; those on a shortcut have a test of their own."""
    net = healthy(name)
    bug.plant(net)
    report = inspect(net, (3, SIDE, SIDE))
    (finding,) = report.findings
    fixes = propose_fixes(report, finding)
    assert fixes
    for fix in fixes:
        assert fix.spec is None
        if "x[" in fix.snippet or "(x)" in fix.snippet:
            continue
        mended = inspect(applied(net, fix.snippet), (3, SIDE, SIDE))
        assert mended.findings == ()
        assert (mended.params - report.params, mended.macs - report.macs) == (fix.params, fix.macs)


class Block(nn.Module):
    """F(x) + s(x), where s is the lines of a fix."""

    def __init__(self, branch: nn.Module, snippet: str | None = None) -> None:
        super().__init__()
        self.branch = branch
        made, self.sum = [], "out = out + x"
        for line in (snippet or "").splitlines():
            code = line.partition("  #")[0]
            if code.startswith("self."):
                made.append(code)
            else:
                self.sum = code
        exec("\n".join(made), {"self": self, "nn": nn})

    def forward(self, x: Tensor) -> Tensor:
        names = {"out": self.branch(x), "x": x, "self": self, "F": F}
        exec(self.sum, names)
        total: Tensor = names["out"]
        return total


BRANCHES: dict[str, tuple[nn.Module, tuple[int, ...], int]] = {
    "wider": (nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6)), (4, 8, 8), 2),
    "smaller": (nn.Conv2d(4, 4, 3, 2, 1), (4, 9, 9), 2),
    "a third": (nn.Conv2d(4, 8, 3, 3, 1), (4, 9, 9), 2),
    "narrower": (nn.Conv2d(4, 2, 3, 2, 1), (4, 8, 8), 1),
    "one axis": (nn.Conv1d(4, 6, 3, 2, 1), (1, 4, 9), 2),
    "three axes": (nn.Conv3d(4, 6, 3, 2, 1), (1, 4, 5, 5, 5), 2),
    "tokens": (nn.Linear(4, 6), (1, 7, 4), 2),
    "features": (nn.Linear(4, 6), (1, 4), 2),
    "fewer features": (nn.Linear(6, 4), (1, 6), 1),
}


@pytest.mark.parametrize("kind", BRANCHES)
@torch.no_grad()
def test_lines_on_a_shortcut_run_on_numbers(kind: str):
    branch, shape, options = BRANCHES[kind]
    size = shape if len(shape) != 3 or kind in ("one axis", "tokens") else (1, *shape)
    report = inspect(Block(branch), inputs=[size])
    (finding,) = report.findings
    fixes = propose_fixes(report, finding)
    adapters = [fix for fix in fixes if "x" in fix.title.split()[1:2] or " x:" in fix.title]
    assert len(adapters) == options
    for fix in adapters:
        mended = Block(branch, fix.snippet).eval()
        assert mended(torch.zeros(size)).shape == branch(torch.zeros(size)).shape
        after = inspect(mended, inputs=[size])
        assert after.findings == ()
        assert (after.params - report.params, after.macs - report.macs) == (fix.params, fix.macs)


def test_zeros_add_nothing_and_x_stays_in_the_first_channels():
    branch = nn.Conv2d(1, 2, 1, 2)
    nn.init.zeros_(branch.weight)
    assert branch.bias is not None
    nn.init.zeros_(branch.bias)
    report = inspect(Block(branch), (1, 4, 4))
    (finding,) = report.findings
    x = torch.arange(16.0).view(1, 1, 4, 4)
    (zeros,) = [fix for fix in propose_fixes(report, finding) if fix.title.startswith("Zero-pad")]
    with torch.no_grad():
        total = Block(branch, zeros.snippet)(x)
    assert total.tolist() == [[[[0.0, 2.0], [8.0, 10.0]], [[0.0, 0.0], [0.0, 0.0]]]]


def test_a_sum_that_no_change_of_ours_mends_gets_no_advice():
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 4, 4, 4))

        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(x, self.weight) + x

    report = inspect(Fixed(), (4, 8, 8))
    (finding,) = report.findings
    assert (finding.rule, propose_fixes(report, finding)) == ("size-differs", ())


def test_the_module_is_not_touched_by_its_fixes():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(9))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    report = inspect(net, (3, 8, 8))
    (finding,) = report.findings
    assert len(propose_fixes(report, finding)) == 2
    assert repr(net[1]).startswith("BatchNorm2d(9,")
    assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in before.items())


# ---- what is remembered ----------------------------------------------------------------------------------


def test_fixes_are_found_once_for_each_finding_of_a_report(monkeypatch: pytest.MonkeyPatch):
    report = inspect(PRESETS["cifar_resnet20"].with_(shortcut="identity"))
    found = [propose_fixes(report, finding) for finding in report.findings]
    assert all(found)
    monkeypatch.setattr(propose, "_find_fixes", None)
    assert all(fixes is propose_fixes(report, finding) for fixes, finding in zip(found, report.findings, strict=True))
    assert pickle.loads(pickle.dumps(found)) == found, "fixes are plain values"


def test_a_report_is_freed_with_its_fixes():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(9))
    report = inspect(net, (3, 8, 8))
    assert propose_fixes(report, report.findings[0])
    gone = weakref.ref(report)
    del report
    gc.collect()
    assert gone() is None
