"""A sweep's points are probes of the published networks, four of each depth."""

import csv
import io
from math import inf, isnan

import pytest
import torch

from explorer.errors import ExplorerError
from explorer.gradients import (
    ProbeCancelled,
    SweepPoint,
    depth_sweep,
    probe_gradients,
    sweep_csv,
    sweep_depths,
    sweep_specs,
)
from explorer.gradients.sweep import _ratio
from explorer.spec import PRESETS, Block, ResNetSpec

CIFAR = PRESETS["cifar_resnet20"]
SMALL = CIFAR.with_(widths=(4, 8, 8), image_size=8)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_depths_are_those_of_the_papers() -> None:
    assert sweep_depths(CIFAR) == (20, 32, 44, 56, 110)
    assert sweep_depths(PRESETS["resnet50"]) == (18, 34, 50, 101, 152)
    assert sweep_depths(PRESETS["preact_resnet164"]) == (29, 47, 65, 83, 164)


@pytest.mark.parametrize("family", ["cifar_resnet", "resnet"])
def test_the_residual_networks_with_norm_are_the_presets(family: str) -> None:
    specs = sweep_specs(PRESETS[f"{family}{'20' if family.startswith('cifar') else '50'}"])
    known = [PRESETS.get(f"{family}{depth}") for depth in sweep_depths(specs[0])]
    assert list(specs[::4]) == known


def test_each_depth_comes_with_and_without_shortcuts_and_norm() -> None:
    specs = sweep_specs(CIFAR.with_(shortcut="none", norm="none"), (20,))
    assert [(str(s.shortcut), str(s.norm)) for s in specs] == [
        ("zero_pad", "batch"),
        ("none", "batch"),
        ("zero_pad", "none"),
        ("none", "none"),
    ]


def test_what_else_was_chosen_stays() -> None:
    spec = PRESETS["resnext50_32x4d"].with_(activation="gelu", shortcut_overrides={"layer1.2": "identity"})
    basic, *_, deep = sweep_specs(spec, (18, 152))
    assert (basic.block, basic.groups, deep.block, deep.groups) == (Block.BASIC, 1, Block.BOTTLENECK, 32)
    assert {s.activation for s in (basic, deep)} == {"gelu"}
    assert basic.shortcut_overrides == ()
    (preact, *_) = sweep_specs(spec.with_(block="preact_bottleneck"), (34,))
    assert preact.block is Block.PREACT_BASIC


@pytest.mark.parametrize(
    ("spec", "depths", "message"),
    [
        (CIFAR, (21,), r"^depths: got 21; .* this family has 6n \+ 2 layers, as 8, 14 or 20$"),
        (CIFAR, (2,), r"^depths: got 2; "),
        (PRESETS["resnet18"], (19,), r"^depths: got 19; allowed: 18, 34, 50, 101, 152$"),
        (CIFAR, (), r"^depths: none was given$"),
        (CIFAR.with_(shortcut="identity"), None, r"^layer2\.0: "),
    ],
)
def test_what_cannot_be_swept_is_said_at_once(spec: ResNetSpec, depths: tuple[int, ...] | None, message: str) -> None:
    with pytest.raises(ExplorerError, match=message):
        depth_sweep(spec, depths)


def test_a_point_is_a_probe_of_that_network() -> None:
    points = list(depth_sweep(SMALL, (14, 8), batch_size=3, batches=2, seed=2, dtype=torch.float64))
    assert [(p.depth, p.plain, p.normalised) for p in points[:5]] == [
        (8, False, True),
        (8, True, True),
        (8, False, False),
        (8, True, False),
        (14, False, True),
    ]
    assert points[3].name == "plain, without normalisation"
    for point in points:
        probe = probe_gradients(point.spec, batch_size=3, batches=2, seed=2, dtype=torch.float64)
        first, last = probe.layers[0], probe.layers[-1]
        ratios = [a / b for a, b in zip(first.norms, last.norms, strict=True)]
        assert (point.first, point.last, point.ratio) == (first.norm, last.norm, first.norm / last.norm)
        assert (point.low, point.high) == (min(ratios), max(ratios))
        assert point.low <= point.ratio <= point.high


def test_all_points_share_the_setting_of_the_largest() -> None:
    points = list(depth_sweep(SMALL, (8, 14), batch_size=2, batches=1))
    assert len({point.setting for point in points}) == 1


def test_without_norm_the_ratio_of_plain_networks_leaves_that_of_residual_ones() -> None:
    """With Xavier's initialisation, half of He's variance, a plain stack halves the signal's square a layer (He et al.
    2015b §2.2): outputs and with them the last layer's gradient vanish, which shortcuts prevent."""
    spec = SMALL.with_(init="xavier", widths=(16, 16, 16))
    points = list(depth_sweep(spec, (8, 32), batch_size=4, batches=1))
    residual, plain = (
        {p.depth: p.last for p in points if not p.normalised and p.plain is kind} for kind in (False, True)
    )
    assert plain[32] < plain[8] / 100
    assert residual[32] > residual[8]


def test_points_come_one_by_one_and_cancel_stops_between_batches() -> None:
    seen: list[tuple[int, int]] = []
    asked = iter(range(100))
    sweep = depth_sweep(
        SMALL,
        (8,),
        batch_size=2,
        batches=2,
        on_progress=lambda *at: seen.append(at),
        cancelled=lambda: next(asked) == 3,
    )
    assert isinstance(next(sweep), SweepPoint)
    assert seen == [(1, 4)]
    with pytest.raises(ProbeCancelled, match=r"^Stopped after 3 of 8 batches\.$"):
        next(sweep)
    assert seen == [(1, 4)]


def test_csv_has_all_digits() -> None:
    points = list(depth_sweep(SMALL, (8,), batch_size=2, batches=1))
    rows = list(csv.DictReader(io.StringIO(sweep_csv(points))))
    assert [(row["depth"], row["plain"], row["norm"]) for row in rows] == [
        ("8", "0", "batch"),
        ("8", "1", "batch"),
        ("8", "0", "none"),
        ("8", "1", "none"),
    ]
    assert [float(row["ratio"]) for row in rows] == [point.ratio for point in points]


def test_a_ratio_over_nothing() -> None:
    assert _ratio(1.0, 0.0) == inf
    assert isnan(_ratio(0.0, 0.0))
    assert isnan(_ratio(inf, inf))
    assert _ratio(3.0, 2.0) == 1.5
