"""The one value everything is computed from: what it accepts, and what it derives."""

from __future__ import annotations

import math
import re
import time
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given

from explorer.errors import SpecError
from explorer.spec import (
    DEPTHS,
    FIELDS,
    PRESETS,
    Activation,
    Block,
    Init,
    Norm,
    Option,
    ResNetSpec,
    Shortcut,
    Stem,
    StrideOn,
    ZeroPlacement,
    from_dict,
    preset_of,
    title,
    to_dict,
)
from tests.support.refusals import SHORTCUTS, refused
from tests.support.strategies import described, specs

A, B, C = Shortcut.ZERO_PAD, Shortcut.PROJECTION, Shortcut.PROJECTION_ALL
BOUNDS = {
    "groups": (1, 1024),
    "width_per_group": (1, 4096),
    "num_classes": (1, 100_000),
    "in_channels": (1, 256),
    "image_size": (1, 2048),
}
TUPLES = {"depths": (1, 512), "widths": (1, 8192)}
ENUMS: dict[str, type[Option]] = {
    "block": Block,
    "shortcut": Shortcut,
    "stem": Stem,
    "stride_on": StrideOn,
    "norm": Norm,
    "activation": Activation,
    "init": Init,
    "zero_pad": ZeroPlacement,
}
# What BAD_INPUTS lists, and how an error shows it.
NO_INTEGERS: list[tuple[Any, str]] = [
    (-1, "-1"),
    (0, "0"),
    (1.5, "1.5"),
    (2.0, "2.0"),
    (True, "True"),
    ("3", "'3'"),
    (None, "None"),
    (math.nan, "nan"),
    (math.inf, "inf"),
    (-math.inf, "-inf"),
    (2**31, "2147483648"),
    (10**30, "an integer of more than 18 digits"),
    (10**5000, "an integer of more than 18 digits"),
    ("\ud800", r"'\ud800'"),
    ("\u202e\u05d0", r"'\u202e\u05d0'"),
    ("x" * 100_000, "'" + "x" * 38 + "…"),
]


# ---- bounds ------------------------------------------------------------------------------------------------


def test_every_field_is_of_a_kind_tested_here():
    assert {*BOUNDS, *TUPLES, *ENUMS, "zero_init_residual", "shortcut_overrides"} == set(FIELDS)


@pytest.mark.parametrize(("value", "shown"), NO_INTEGERS, ids=[s[:20] for _, s in NO_INTEGERS])
@pytest.mark.parametrize("name", BOUNDS)
def test_integers_are_bounded_and_never_coerced(name, value, shown):
    low, high = BOUNDS[name]
    with refused(name, f"got {shown}; a whole number from {low} to {high} is allowed"):
        ResNetSpec(**{name: value})


@pytest.mark.parametrize(("value", "shown"), NO_INTEGERS, ids=[s[:20] for _, s in NO_INTEGERS])
@pytest.mark.parametrize("name", TUPLES)
def test_each_stage_is_bounded_and_named(name, value, shown):
    low, high = TUPLES[name]
    with refused(f"{name}[2]", f"got {shown}; a whole number from {low} to {high} is allowed"):
        described(**{name: (2, 2, value, 2)})


@pytest.mark.parametrize("name", BOUNDS)
def test_the_bounds_themselves_are_allowed(name):
    for bound in BOUNDS[name]:
        spec = ResNetSpec(depths=(1,), widths=(64,), block=Block.BOTTLENECK, image_size=32, num_classes=1).with_(
            **{name: bound}
        )
        assert getattr(spec, name) == bound
    for outside in (BOUNDS[name][0] - 1, BOUNDS[name][1] + 1):
        with pytest.raises(SpecError, match=rf"\A{name}: got {outside};"):
            described(**{name: outside})


@pytest.mark.parametrize("name", TUPLES)
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ((), "()"),
        ((1,) * 9, "(1, 1, 1, 1, 1, 1, 1, 1, 1)"),
        (3, "3"),
        ("2222", "'2222'"),
        (None, "None"),
        ({1, 2}, "{1, 2}"),
        ({"1": 2}, "{'1': 2}"),
    ],
)
def test_stages_come_as_one_to_eight_numbers(name, value, shown):
    with refused(name, f"got {shown}; 1 to 8 whole numbers are allowed, one for each stage"):
        ResNetSpec(**{name: value})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("bottle", "'bottle'"),
        ("BASIC", "'BASIC'"),
        ("", "''"),
        (1, "1"),
        (True, "True"),
        (None, "None"),
        (math.nan, "nan"),
        ([], "[]"),
        ({}, "{}"),
        ([10**5000], "a list"),
        ("\ud800", r"'\ud800'"),
        ("\u202ecisab", r"'\u202ecisab'"),
    ],
)
@pytest.mark.parametrize("name", ENUMS)
def test_choices_name_what_is_allowed(name, value, shown):
    allowed = ", ".join(option.value for option in ENUMS[name])
    with refused(name, f"got {shown}; allowed: {allowed}"):
        ResNetSpec(**{name: value})


@pytest.mark.parametrize("value", [0, 1, "true", None, 1.0])
def test_only_booleans_are_booleans(value):
    with refused("zero_init_residual", f"got {value!r}; true or false is allowed"):
        ResNetSpec(zero_init_residual=value)


def test_ten_thousand_blocks():
    with refused("depths[0]", "got 10000; a whole number from 1 to 512 is allowed"):
        ResNetSpec(depths=(10_000,), widths=(16,))
    with refused("depths", "got 1025 blocks in total; at most 1024 are allowed"):
        ResNetSpec(depths=(512, 512, 1), widths=(4, 4, 4))
    assert len(ResNetSpec(depths=(512, 512), widths=(4, 4)).blocks) == 1024


def test_one_width_for_each_stage():
    with refused("widths", "got 3 widths for 4 stages; give one width for each stage"):
        ResNetSpec(widths=(64, 128, 256))


@pytest.mark.parametrize("block", [Block.BASIC, Block.PREACT_BASIC])
@pytest.mark.parametrize(("name", "value", "usual"), [("groups", 2, 1), ("width_per_group", 4, 64)])
def test_basic_blocks_have_no_groups(block, name, value, usual):
    with refused(
        name,
        f"got {value} with block={block.value}; basic blocks take {usual} only: "
        f"set {name}={usual} or choose a bottleneck block",
    ):
        ResNetSpec(block=block, **{name: value})


def test_a_width_per_group_that_leaves_no_channels():
    with refused(
        "width_per_group",
        "got 3, which leaves layer2.0 no channels; width × width_per_group ÷ 64 must be at least 1",
    ):
        described(block="bottleneck", depths=(1, 1), widths=(64, 16), width_per_group=3)


def test_groups_that_blow_up_the_inside():
    with refused("groups", "layer1.0 would have 65,600 channels inside; at most 65,536 are allowed"):
        described(block="bottleneck", depths=(1,), widths=(1025,), groups=64)


@given(spec=specs())
def test_groups_always_divide(spec):
    """A bottleneck's inside is a multiple of its groups by construction: no grouping can fail to build."""
    assert all(plan.width >= 1 and plan.width % spec.groups == 0 for plan in spec.blocks)


@pytest.mark.parametrize("value", [3, "layer1.0", [1], [("a", "b", "c")], None])
def test_overrides_are_a_mapping(value):
    with refused(
        "shortcut_overrides",
        f"got {value!r}; a mapping from block to shortcut is allowed, for example layer2.0: identity",
    ):
        ResNetSpec(shortcut_overrides=value)


def test_spellings_stay():
    """Addresses and files hold them."""
    assert {"basic", "bottleneck", "preact_basic", "preact_bottleneck"} <= set(Block)
    assert {"zero_pad", "projection", "projection_all", "identity", "none"} <= set(Shortcut)


def test_overrides_name_blocks_and_modes():
    with refused(
        "shortcut_overrides.layer2.0",
        f"got 'b'; allowed: {SHORTCUTS}",
    ):
        described(shortcut_overrides={"layer2.0": "b"})
    for path in ("layer2.2", "layer0.0", "layer5.0", "layer1", "", "\u202e", "\ud800", "layer1.00"):
        with refused("shortcut_overrides", f"no block is named {path!a}; blocks run from layer1.0 to layer4.1"):
            described(shortcut_overrides={path: "identity"})
    keys = "block names such as layer2.0 are allowed as keys, at most 2048 of them"
    with refused("shortcut_overrides", keys):
        described(shortcut_overrides={1: "identity"})
    with refused("shortcut_overrides", keys):
        described(shortcut_overrides={f"layer1.{i}": "identity" for i in range(2049)})


# ---- the budget --------------------------------------------------------------------------------------------


def test_too_many_parameters_are_refused_before_anything_is_built():
    started = time.process_time()
    convs = 3 * 8192 * 3**2 + 4 * 8192**2 * 3**2
    params = convs + 5 * 2 * 8192 + (8192 + 1) * 1000
    with refused(
        "widths",
        f"about {params:,} parameters; at most 2,000,000,000 are allowed: lower widths, groups or depths",
    ):
        described(depths=(2,), widths=(8192,), stem="cifar", image_size=32)
    with pytest.raises(SpecError, match=r"\Awidths: about [\d,]{15,} parameters;"):
        described(depths=(512, 512), widths=(8192, 8192), block="bottleneck")
    assert time.process_time() - started < 1


def test_too_many_macs_are_refused_before_anything_is_built():
    started = time.process_time()
    macs = 2048**2 * (3 * 512 * 3**2 + 4 * 512**2 * 3**2) + 512 * 1000
    with refused(
        "image_size",
        f"about {macs:,} MACs; at most 20,000,000,000,000 are allowed: lower image_size, widths or depths",
    ):
        described(depths=(2,), widths=(512,), stem="cifar", image_size=2048)
    assert time.process_time() - started < 1


# ---- the value ---------------------------------------------------------------------------------------------


def test_frozen():
    spec = ResNetSpec()
    with pytest.raises(FrozenInstanceError):
        spec.image_size = 32  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del spec.depths


@given(spec=specs())
def test_equal_specs_are_one_key(spec):
    """Lists, plain words and mappings become the one canonical value, so that caches hit."""
    again = ResNetSpec(**{f.name: getattr(spec, f.name) for f in fields(spec)})
    loose = from_dict(to_dict(spec))
    assert spec == again == loose
    assert hash(spec) == hash(again) == hash(loose)
    assert len({spec, again, loose}) == 1
    for f in fields(spec):
        assert type(getattr(loose, f.name)) is type(getattr(spec, f.name))


def test_overrides_are_sorted_and_canonical():
    one = described(shortcut_overrides={"layer2.0": "identity", "layer1.1": "none"})
    other = described(shortcut_overrides=[("layer1.1", Shortcut.NONE), ("layer2.0", Shortcut.IDENTITY)])
    assert one == other
    assert one.shortcut_overrides == (("layer1.1", Shortcut.NONE), ("layer2.0", Shortcut.IDENTITY))


def test_with_checks_again():
    with refused("image_size", "got 0; a whole number from 1 to 2048 is allowed"):
        ResNetSpec().with_(image_size=0)
    assert ResNetSpec().with_(image_size=32).image_size == 32


def test_every_option_has_its_own_label():
    """Shortcut.NONE and Norm.NONE are spelled alike; each keeps its words."""
    for options in ENUMS.values():
        labels = [option.label for option in options]
        assert all(labels)
        assert len(set(labels)) == len(labels)
        assert [str(option) for option in options] == [option.value for option in options]
    assert (Shortcut.NONE.label, Norm.NONE.label) == ("None (plain)", "None")


# ---- what it derives ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depth", "repeats"),
    [
        (18, (2, 2, 2, 2)),
        (34, (3, 4, 6, 3)),
        (50, (3, 4, 6, 3)),
        (101, (3, 4, 23, 3)),
        (152, (3, 8, 36, 3)),
    ],
)
def test_depth_names_the_repeats(depth, repeats):
    """He et al. 2015, Table 1."""
    assert DEPTHS[depth] == repeats
    assert PRESETS[f"resnet{depth}"].depths == repeats
    assert PRESETS[f"resnet{depth}"].block is (Block.BASIC if depth < 50 else Block.BOTTLENECK)
    assert len(DEPTHS) == 5


def test_presets_have_the_layers_in_their_names():
    found = {
        name: int(re.search(r"resne[x]?t(\d+)", name)[1])  # type: ignore[index]
        for name in PRESETS
    }
    assert found == {name: spec.weighted_layers for name, spec in PRESETS.items()}
    assert sorted(found.values()) == sorted(
        [18, 34, 50, 101, 152]  # He et al. 2015, Table 1
        + [50, 101, 101, 50, 101]  # ResNeXt, wide
        + [20, 32, 44, 56, 110, 1202]  # He et al. 2015, Table 6
        + [164, 1001]  # He et al. 2016, Table 4
    )


def test_weighted_layers():
    assert ResNetSpec(depths=(3, 4, 6, 3)).weighted_layers == 34
    assert described(stem="deep").weighted_layers == 20  # three convolutions instead of one
    assert described(depths=(3, 4, 6, 3), block="bottleneck", shortcut="none").weighted_layers == 50
    for n in (1, 3, 200):
        cifar = PRESETS["cifar_resnet20"].with_(depths=(n, n, n))
        assert cifar.weighted_layers == 6 * n + 2
        assert cifar.with_(block="preact_bottleneck").weighted_layers == 9 * n + 2


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ResNetSpec(), "ResNet-18"),
        (described(shortcut="none"), "Plain-18"),
        (described(depths=(2, 2, 2, 2), block="bottleneck"), "ResNet-26"),
        (PRESETS["resnext50_32x4d"], "ResNeXt-50 32×4d"),
        (PRESETS["wide_resnet101_2"], "Wide ResNet-101 ×2"),
        (PRESETS["cifar_resnet1202"], "CIFAR ResNet-1202"),
        (PRESETS["preact_resnet164"], "Pre-act ResNet-164"),
    ],
)
def test_titles(spec, words):
    assert title(spec) == words


def test_presets_are_told_apart():
    assert [preset_of(spec) for spec in PRESETS.values()] == list(PRESETS)
    assert preset_of(ResNetSpec(image_size=225)) is None


def test_block_geometry():
    """ResNet-50, He et al. 2015, Table 1: stage widths ×4, halved where a stage begins, except the first."""
    blocks = PRESETS["resnet50"].blocks
    assert [b.path for b in blocks[:5]] == ["layer1.0", "layer1.1", "layer1.2", "layer2.0", "layer2.1"]
    assert [(b.in_channels, b.width, b.out_channels, b.stride) for b in blocks if b.index == 0] == [
        (64, 64, 256, 1),
        (256, 128, 512, 2),
        (512, 256, 1024, 2),
        (1024, 512, 2048, 2),
    ]
    assert all(b.stride == 1 and b.in_channels == b.out_channels for b in blocks if b.index)
    assert {b.width for b in PRESETS["resnext50_32x4d"].blocks} == {128, 256, 512, 1024}
    assert {b.width for b in PRESETS["wide_resnet50_2"].blocks} == {128, 256, 512, 1024}


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        # resnet50: the first block of stage 1 changes channels only, that of the others size too
        (A, {"layer1.0": A, "layer1.1": Shortcut.IDENTITY, "layer2.0": A, "layer2.1": Shortcut.IDENTITY}),
        (B, {"layer1.0": B, "layer1.1": Shortcut.IDENTITY, "layer2.0": B, "layer2.1": Shortcut.IDENTITY}),
        (C, dict.fromkeys(("layer1.0", "layer1.1", "layer2.0", "layer2.1"), B)),
        (
            Shortcut.IDENTITY,
            dict.fromkeys(("layer1.0", "layer1.1", "layer2.0", "layer2.1"), Shortcut.IDENTITY),
        ),
        (Shortcut.NONE, dict.fromkeys(("layer1.0", "layer1.1", "layer2.0", "layer2.1"), Shortcut.NONE)),
    ],
)
def test_what_each_shortcut_option_builds(mode, kinds):
    """He et al. 2015 §3.3: A pads and B projects only on change, C projects everywhere."""
    built = {b.path: b.shortcut_kind for b in PRESETS["resnet50"].with_(shortcut=mode).blocks}
    assert {path: built[path] for path in kinds} == kinds


def test_basic_blocks_of_the_first_stage_need_no_shortcut():
    assert PRESETS["resnet18"].blocks[0].shortcut_kind is Shortcut.IDENTITY
    assert PRESETS["resnet50"].blocks[0].shortcut_kind is Shortcut.PROJECTION


def test_overrides_win_in_their_block_only():
    overrides = {
        "layer1.1": "projection_all",
        "layer2.0": "identity",
        "layer3.0": "zero_pad",
        "layer3.1": "none",
    }
    kinds = {b.path: b.shortcut_kind for b in described(shortcut_overrides=overrides).blocks}
    assert kinds == {
        "layer1.0": Shortcut.IDENTITY,
        "layer1.1": Shortcut.PROJECTION,
        "layer2.0": Shortcut.IDENTITY,
        "layer2.1": Shortcut.IDENTITY,
        "layer3.0": Shortcut.ZERO_PAD,
        "layer3.1": Shortcut.NONE,
        "layer4.0": Shortcut.PROJECTION,
        "layer4.1": Shortcut.IDENTITY,
    }


@given(spec=specs())
def test_plain_loses_its_shortcuts_and_nothing_else(spec):
    plain = spec.plain()
    assert plain.is_plain
    assert all(plan.shortcut_kind is Shortcut.NONE for plan in plain.blocks)
    assert plain.shortcut_overrides == ()
    assert plain == replace(spec, shortcut=Shortcut.NONE, shortcut_overrides=())
    assert plain.plain() == plain
    assert spec.is_plain == all(b.shortcut is Shortcut.NONE for b in spec.blocks)
