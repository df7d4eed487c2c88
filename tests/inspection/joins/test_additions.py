"""Every sum's verdict, which additions are merges, and what is wrong where."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume, example, given, settings
from torch import Tensor, nn

from explorer.compat import torchvision
from explorer.errors import SpecError
from explorer.inspection import ReceptiveField, Report, Verdict, inspect
from explorer.spec import PRESETS, Norm, ResNetSpec, Shortcut
from explorer.spec.budget import estimate
from tests.support.foreign import conv, foreign, in_place
from tests.support.strategies import derails, described, merges, normalisable, repeats, small_specs

pytestmark = pytest.mark.usefixtures("one_thread")

BLOCKS_OF_50 = (3, 4, 6, 3)
Inspect = Callable[[str], Report]


# ---- mismatches ------------------------------------------------------------------------------------------


def test_resnet50_without_projections():
    """All four mismatches at once, each in one exact sentence, and totals in spite of them."""
    report = inspect(PRESETS["resnet50"].with_(shortcut="identity"))
    assert [(m.path, m.branch_shape, m.shortcut_shape) for m in report.broken] == [
        ("layer1.0", (256, 56, 56), (64, 56, 56)),
        ("layer2.0", (512, 28, 28), (256, 56, 56)),
        ("layer3.0", (1024, 14, 14), (512, 28, 28)),
        ("layer4.0", (2048, 7, 7), (1024, 14, 14)),
    ]
    assert {m.verdict for m in report.broken} == {Verdict.MISMATCH}
    assert [m.explanation for m in report.broken] == [
        "layer1.0: the branch gives 256×56×56, the shortcut 64×56×56: 64 vs 256 channels. "
        "A 1×1 projection with stride 1 would match (+16,896 parameters).",
        "layer2.0: the branch gives 512×28×28, the shortcut 256×56×56: 256 vs 512 channels and a 56×56 "
        "vs 28×28 map. A 1×1 projection with stride 2 would match (+132,096 parameters).",
        "layer3.0: the branch gives 1024×14×14, the shortcut 512×28×28: 512 vs 1024 channels and a 28×28 "
        "vs 14×14 map. A 1×1 projection with stride 2 would match (+526,336 parameters).",
        "layer4.0: the branch gives 2048×7×7, the shortcut 1024×14×14: 1024 vs 2048 channels and a 14×14 "
        "vs 7×7 map. A 1×1 projection with stride 2 would match (+2,101,248 parameters).",
    ]
    good = [m for m in report.merges if m.fits]
    assert len(good) == sum(BLOCKS_OF_50) - 4
    assert good[0].explanation == "layer1.1: branch and shortcut both give 256×56×56."
    assert {m.kind for m in report.merges} == {"identity"}
    # 16,896 + 132,096 + 526,336 + 2,101,248 parameters fewer than with projections
    assert report.params == 25_557_032 - 2_776_576
    projections = 64 * 256 * 56**2 + 256 * 512 * 28**2 + 512 * 1024 * 14**2 + 1024 * 2048 * 7**2
    assert report.macs == 4_089_184_256 - projections
    assert report.receptive_field == ReceptiveField(427, 32)
    assert report.layers[-1].out_shape == (1, 1000)


def test_a_projection_beyond_the_limits_has_a_price_too():
    """A network that is allowed can be inspected, though the one that mends it would be refused."""
    spec = ResNetSpec(depths=(1, 1), widths=(8192, 6000), shortcut=Shortcut.IDENTITY, image_size=32)
    (broken,) = inspect(spec).broken
    assert broken.explanation.endswith(f"(+{8192 * 6000 + 2 * 6000:,} parameters).")
    with pytest.raises(SpecError, match="parameters; at most 2,000,000,000 are allowed"):
        spec.with_(shortcut_overrides={broken.path: "projection"})


def test_the_projection_that_was_advised_fits_at_the_price_that_was_named():
    spec = PRESETS["resnet50"].with_(shortcut="identity")
    report = inspect(spec)
    prices = [int(re.findall(r"\+([\d,]+) parameters", m.explanation)[0].replace(",", "")) for m in report.broken]
    mended = inspect(spec.with_(shortcut_overrides={m.path: "projection" for m in report.broken}))
    assert mended.broken == ()
    assert mended.params == report.params + sum(prices) == 25_557_032


def test_a_map_that_no_stride_makes_fit_gets_no_advice():
    (merge,) = foreign(lambda f, x: f(x) + x, branch=nn.Conv2d(8, 8, 4)).merges
    assert merge.explanation == "block: the branch gives 8×5×5, the shortcut 8×8×8: a 8×8 vs 5×5 map."


@settings(max_examples=25)
@given(spec=small_specs().filter(normalisable))
@example(spec=described(depths=(1, 2), widths=(4, 4), shortcut="identity", stem="cifar", image_size=2))
@example(spec=described(depths=(2, 2), widths=(4, 2), shortcut="zero_pad", stem="cifar", image_size=9))
def test_every_sum_of_random_specs_gets_the_verdict_of_its_shapes(spec):
    assume(not derails(spec))
    expected = {
        path: (*sides, "match" if sides[0] == sides[1] else "broadcast" if repeats(*sides) else "mismatch")
        for path, sides in merges(spec).items()
    }
    report = inspect(spec)
    found = {m.path: (m.branch_shape, m.shortcut_shape, m.verdict.value) for m in report.merges}
    assert found == expected
    kinds = {plan.path: plan.shortcut_kind.value for plan in spec.blocks if plan.path in expected}
    assert {m.path: m.kind for m in report.merges} == kinds
    assert report.params == estimate(spec)[0]


@pytest.mark.parametrize("shortcut", ["zero_pad", "identity"])
def test_a_branch_of_one_channel_is_reported_not_raised(shortcut):
    report = inspect(ResNetSpec(depths=(2, 2), widths=(16, 1), shortcut=shortcut, image_size=4))
    assert [m.path for m in report.broken] == ["layer2.0"]


def test_group_norm_on_the_smallest_map():
    spec = described(depths=(1,), widths=(16,), norm="group", image_size=4)
    assert inspect(spec).params == estimate(spec)[0]


@pytest.mark.parametrize("norm", [Norm.BATCH, Norm.NONE])
@pytest.mark.parametrize("stem", ["imagenet", "deep", "cifar"])
def test_no_input_shrinks_to_nothing(norm, stem):
    spec = ResNetSpec(depths=(1,) * 8, widths=(8,) * 8, stem=stem, image_size=1, norm=norm)
    report = inspect(spec)
    assert {op.shape[2:] for op in report.trace.ops if len(op.shape) == 4} == {(1, 1)}
    assert report.layers[-1].out_shape == (1, 1000)


def test_a_broadcast_is_a_failure():
    """(N, 64, 2, 2) + (N, 64, 1, 1): PyTorch says nothing."""
    squeeze = nn.Sequential(nn.Conv2d(8, 64, 3, padding=1), nn.AdaptiveAvgPool2d(2))
    wide = nn.Sequential(nn.Conv2d(8, 64, 1), nn.AdaptiveAvgPool2d(1))

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.branch, self.shortcut = squeeze, wide
            self.again = nn.Conv2d(64, 64, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.again(self.branch(x)) + self.shortcut(x)

    report = inspect(nn.Sequential(conv(3), Block()), (3, 8, 8))
    (merge,) = report.broken
    assert merge.verdict is Verdict.BROADCAST
    assert not merge.fits
    assert (merge.branch_shape, merge.shortcut_shape) == ((64, 2, 2), (64, 1, 1))
    assert merge.explanation == (
        "1: the branch gives 64×2×2, the shortcut 64×1×1. "
        "PyTorch repeats the smaller one without an error; the sum is not y = F(x) + x."
    )
    assert report.trace.ops[merge.op].shape == (1, 64, 2, 2)


def test_a_broadcast_in_place_is_a_mismatch():
    pool = nn.Sequential(conv(), nn.AdaptiveAvgPool2d(1))
    (merge,) = foreign(lambda f, x: in_place(f(x), x), branch=pool).merges
    assert merge.verdict is Verdict.MISMATCH


# ---- which additions are merges --------------------------------------------------------------------------


SUMS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "out = out + x": lambda f, x: f(x) + x,
    "x + F(x)": lambda f, x: x + f(x),
    "out += x": lambda f, x: in_place(f(x), x),
    "x += F(x)": lambda f, x: in_place(x, f(x)),
    "torch.add": lambda f, x: torch.add(f(x), x),
    "torch.add, x first": lambda f, x: torch.add(x, f(x)),
    "operator.iadd": lambda f, x: operator.iadd(f(x), x),
    "Tensor.add": lambda f, x: f(x).add(x),
    "Tensor.add_": lambda f, x: f(x).add_(x),
    "alpha": lambda f, x: torch.add(f(x), x, alpha=2),
    "F(x) − x": lambda f, x: f(x) - x,
    "x − F(x)": lambda f, x: x - f(x),
    "x −= F(x)": lambda f, x: operator.isub(x, f(x)),
}


@pytest.mark.parametrize("add", SUMS.values(), ids=SUMS)
def test_sums_are_found_however_they_are_written(add):
    report = foreign(add)
    (merge,) = report.merges
    names = [[report.trace.ops[i].name for i in side] for side in (merge.branch, merge.shortcut)]
    assert names == [["conv", "batch_norm"], []]
    assert (merge.path, merge.kind, merge.verdict) == ("block", "identity", Verdict.MATCH)
    assert merge.fork is not None
    assert report.trace.ops[merge.fork].path == "stem"


@pytest.mark.parametrize("add", SUMS.values(), ids=SUMS)
def test_mismatches_are_found_however_they_are_written(add):
    """And the pass goes on with the branch's shape, which the layer behind can read."""
    report = foreign(add, branch=nn.Sequential(conv(8, 12, 2), nn.ReLU()), outputs=12)
    (merge,) = report.broken
    assert merge.verdict is Verdict.MISMATCH
    assert (merge.branch_shape, merge.shortcut_shape) == ((12, 4, 4), (8, 8, 8))
    assert merge.explanation == (
        "block: the branch gives 12×4×4, the shortcut 8×8×8: 8 vs 12 channels and a 8×8 vs 4×4 map. "
        "A 1×1 projection with stride 2 would match (+96 weights)."
    )
    assert report.layers[-1].out_shape == (1, 5, 4, 4)


@pytest.mark.parametrize("swap", [False, True])
def test_the_projection_is_the_shortcut_in_either_order(swap):
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2, self.project = conv(), conv(), nn.Conv2d(8, 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            sides = [self.conv2(self.conv1(x)), self.project(x)]
            return sides[swap] + sides[not swap]

    report = inspect(nn.Sequential(conv(3), Block()), (3, 8, 8))
    (merge,) = report.merges
    assert [report.trace.ops[i].path for i in merge.branch] == ["1.conv1", "1.conv2"]
    assert [report.trace.ops[i].path for i in merge.shortcut] == ["1.project"]
    assert merge.kind == "projection"


def test_option_a_is_told_from_identity():
    report = inspect(PRESETS["cifar_resnet20"])
    assert Counter(m.kind for m in report.merges) == {"identity": 7, "zero_pad": 2}
    (first, second) = (m for m in report.merges if m.kind == "zero_pad")
    assert (first.path, second.path) == ("layer2.0", "layer3.0")
    assert [report.trace.ops[i].name for i in first.shortcut] == ["slice", "slice", "pad"]


@pytest.mark.parametrize(
    "add",
    [
        lambda f, x: f(x) * x,
        lambda f, x: x + x,
        lambda f, x: f(x) + 1,
        lambda f, x: f(x) + f[0].bias[:, None, None],
        lambda f, x: f(x) + torch.ones(8, 1, 1, device=x.device),
        lambda f, x: torch.cat([f(x)[:, :4], x[:, :4]], 1),
        lambda f, x: in_place(f(x), f[0].bias[:, None, None]),
    ],
    ids=["F * x", "x + x", "F + 1", "F + parameter", "F + constant", "cat", "F += parameter"],
)
def test_what_is_no_merge(add):
    assert foreign(add).merges == ()


def test_x_plus_a_parameter_of_the_block():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.position = nn.Parameter(torch.zeros(1, 8, 8, 8))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.position

    assert inspect(nn.Sequential(conv(3), Block()), (3, 8, 8)).merges == ()


def test_a_constant_made_like_x_is_no_path():
    assert foreign(lambda f, x: f(x) + x.new_zeros(8, 1, 1)).merges == ()


@pytest.mark.parametrize("name", ["vgg11", "densenet121"])
def test_no_merge_is_invented(name):
    with torch.device("meta"):
        model = torchvision.models.get_model(name, weights=None)
    report = inspect(model)
    assert report.merges == ()
    weights = torchvision.models.get_model_weights(name).DEFAULT
    assert report.params == weights.meta["num_params"]
    assert round(report.macs / 1e9, 3) == weights.meta["_ops"]


def test_foreign_residual_networks():
    """mobilenet_v2 adds wherever stride is 1 and channels stay: 10 of its 17 blocks (Sandler et al. 2018, Table 2)."""
    with torch.device("meta"):
        model = torchvision.models.mobilenet_v2(weights=None)
    report = inspect(model)
    assert [(m.kind, m.verdict) for m in report.merges] == [("identity", Verdict.MATCH)] * 10
    assert report.name == "MobileNetV2"
    assert report.spec is None


def test_torchvisions_own_resnet_gives_our_report(report_of: Inspect):
    with torch.device("meta"):
        model = torchvision.models.resnet18(weights=None)
    theirs, ours = inspect(model), report_of("resnet18")
    assert theirs.merges == ours.merges
    assert (theirs.params, theirs.macs, theirs.receptive_field) == (ours.params, ours.macs, ours.receptive_field)
    assert [(o.name, o.path, o.shape) for o in theirs.trace.ops] == [(o.name, o.path, o.shape) for o in ours.trace.ops]
