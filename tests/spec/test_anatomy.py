"""What a spec says a network consists of, held against the networks themselves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.inspection import Verdict, inspect
from explorer.network import build
from explorer.spec import PRESETS, Block, Norm, ResNetSpec, Shortcut, Stem, StrideOn
from explorer.spec.anatomy import (
    Conv,
    NormLayer,
    branch_convs,
    convolutions,
    last_of_branch,
    mismatches,
    norms,
    shortcut_shape,
    sizes,
)
from explorer.spec.options import mode_that_builds, modes_of_block
from tests.support.strategies import derails, described, merges, normalisable, small_specs, specs

SMALL = described(depths=(1, 2), widths=(8, 12), stem="cifar", num_classes=5, image_size=9)
SIDES = st.integers(1, 40)


def built_convolutions(spec: ResNetSpec) -> list[Conv]:
    return [
        Conv(path, m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0], m.groups)
        for path, m in build(spec, device="meta").named_modules()
        if isinstance(m, nn.Conv2d)
    ]


def built_norms(spec: ResNetSpec) -> list[NormLayer]:
    modules = build(spec, device="meta").named_modules()
    return [NormLayer(path, m.weight.numel()) for path, m in modules if isinstance(m, (nn.BatchNorm2d, nn.GroupNorm))]


# ---- layers ----------------------------------------------------------------------------------------------------------


def assert_layers(spec: ResNetSpec) -> None:
    assert sorted(convolutions(spec)) == sorted(built_convolutions(spec))
    assert sorted(norms(spec)) == sorted(built_norms(spec))


@given(specs())
@settings(max_examples=60)
def test_layers_are_those_of_the_network(spec):
    """Every convolution's kernel, stride, groups and channels, and every norm's channels, by the name of its module."""
    assert_layers(spec)


@pytest.mark.parametrize("norm", Norm)
@pytest.mark.parametrize("stem", Stem)
@pytest.mark.parametrize("block", Block)
def test_layers_of_every_block_and_stem(block, stem, norm):
    for stride_on in StrideOn:
        assert_layers(SMALL.with_(block=block, stem=stem, norm=norm, stride_on=stride_on))


@pytest.mark.parametrize("shortcut", Shortcut)
@pytest.mark.parametrize("block", Block)
def test_layers_of_every_shortcut(block, shortcut):
    assert_layers(SMALL.with_(block=block, shortcut=shortcut))


def test_a_bottleneck_of_resnet50():
    """torchvision's: the 3×3 has the stride."""
    plan = next(plan for plan in PRESETS["resnet50"].blocks if plan.path == "layer2.0")
    assert branch_convs(PRESETS["resnet50"], plan) == (
        Conv("conv1", 256, 128, 1),
        Conv("conv2", 128, 128, 3, stride=2),
        Conv("conv3", 128, 512, 1),
    )


@pytest.mark.parametrize("norm", Norm)
@pytest.mark.parametrize("block", Block)
def test_zero_in_the_last_layer_of_a_branch_makes_the_branch_zero(block, norm):
    model = build(SMALL.with_(block=block, norm=norm)).eval()
    first: Any = model.get_submodule("layer1.0")
    x = torch.rand(1, 8, 9, 9)
    assert first.branch(x).any()
    nn.init.zeros_(first.get_parameter(f"{last_of_branch(model.spec)}.weight"))
    assert not first.branch(x).any()


# ---- sizes and additions ---------------------------------------------------------------------------------------------


@given(small_specs(), SIDES, SIDES)
@settings(max_examples=60)
def test_sizes_along_the_branches_are_those_of_the_trace(spec, height, width):
    """With projections every block has the size of its branch."""
    spec = spec.with_(shortcut="projection", shortcut_overrides=(), norm="none")
    trace = inspect(spec, (spec.in_channels, height, width)).trace
    found = {op.path.rpartition(".")[0]: op.shape[2:] for op in trace.ops if op.path.endswith(".relu")}
    found |= {op.path: op.shape[2:] for op in trace.ops if op.name == "add"}
    assert {plan.path: after for plan, _, after in sizes(spec, height, width)} == {
        plan.path: found[plan.path] for plan in spec.blocks
    }
    first = next(sizes(spec, height, width))
    assert first.before == next(op.in_shapes[0][2:] for op in trace.ops if op.path.startswith("layer1.0."))


@given(small_specs(), SIDES, SIDES)
@settings(max_examples=80)
def test_mismatches_are_those_of_the_trace(spec, height, width):
    spec = spec.with_(norm="none")
    if derails_at(spec, height, width):
        return
    report = inspect(spec, (spec.in_channels, height, width))
    expected = [(m.path, m.branch_shape, m.shortcut_shape, m.verdict is Verdict.BROADCAST) for m in report.broken]
    found = [(m.plan.path, m.branch, m.shortcut, m.broadcasts) for m in mismatches(spec, height, width)]
    assert found == expected


def derails_at(spec: ResNetSpec, height: int, width: int) -> bool:
    """Whether the sum of a mismatch has more channels than the next layer reads, so that the trace ends there."""
    return any(m.broadcasts and m.branch[0] < m.shortcut[0] for m in mismatches(spec, height, width))


@given(specs().filter(lambda spec: normalisable(spec) and not derails(spec)))
@settings(max_examples=40)
def test_shapes_of_shortcuts_are_those_of_their_definitions(spec):
    """An x of the size at which F(x) and s(x) meet, as ``strategies.merges`` says it."""
    found = {m.plan.path: (m.branch, m.shortcut) for m in mismatches(spec, spec.image_size, spec.image_size)}
    assert found == {path: sides for path, sides in merges(spec).items() if sides[0] != sides[1]}


def test_a_plain_block_adds_nothing():
    assert shortcut_shape(SMALL.plain().blocks[1], (9, 9)) is None
    assert not list(mismatches(SMALL.plain(), 9, 9))


# ---- kinds of shortcuts ----------------------------------------------------------------------------------------------


def test_modes_that_build_different_things():
    """Where x fits, options A and B are the identity; where it does not, option C is option B."""
    every = [mode for mode in Shortcut if mode is not Shortcut.PROJECTION_ALL]
    assert modes_of_block(changes_shape=True) == tuple(every)
    assert modes_of_block(changes_shape=False) == (Shortcut.IDENTITY, Shortcut.PROJECTION_ALL, Shortcut.NONE)


@pytest.mark.parametrize("changes_shape", [False, True])
@pytest.mark.parametrize("mode", Shortcut)
def test_a_mode_builds_what_the_mode_for_its_kind_builds(mode, changes_shape):
    kind = mode.kind(changes_shape)
    assert mode_that_builds(kind, changes_shape).kind(changes_shape) is kind
