"""Shapes without weights: torchvision's costs, the literature's receptive fields, and every sum's verdict."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

import pytest
import torch
from hypothesis import assume, example, given, settings
from torch import Tensor, nn

from explorer.compat import torchvision
from explorer.errors import SpecError, TraceError
from explorer.inspection import ReceptiveField, Report, Verdict, inspect
from explorer.network import build
from explorer.spec import PRESETS, Norm, ResNetSpec, Shortcut
from explorer.spec.budget import estimate
from tests.conftest import Allocations
from tests.strategies import derails, described, fits, merges, normalisable, repeats, small_specs, specs

pytestmark = pytest.mark.usefixtures("one_thread")

TORCHVISION = sorted(name for name in PRESETS if name.startswith(("resnet", "resnext", "wide")))
BLOCKS_OF_50 = (3, 4, 6, 3)
Inspect = Callable[[str], Report]


def conv(inputs: int = 8, outputs: int = 8, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1)


class Residual(nn.Module):
    """A foreign network: stem, one block whose sum is ``add(branch, x)``, and a layer that reads the sum."""

    def __init__(
        self, add: Callable[[nn.Module, Tensor], Tensor], branch: nn.Module | None = None, outputs: int = 8
    ) -> None:
        super().__init__()
        self.stem = conv(3)
        self.block = _Block(add, branch or nn.Sequential(conv(), nn.BatchNorm2d(8)))
        self.tail = conv(outputs, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.block(self.stem(x)))


class _Block(nn.Module):
    def __init__(self, add: Callable[[nn.Module, Tensor], Tensor], branch: nn.Module) -> None:
        super().__init__()
        self.add, self.branch = add, branch
        self.scale = nn.Parameter(torch.ones(8, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.add(self.branch, x)


def in_place(total: Tensor, other: Tensor) -> Tensor:
    total += other
    return total


def foreign(add: Callable[[Any, Tensor], Tensor], **changes: Any) -> Report:
    return inspect(Residual(add, **changes), (3, 8, 8))


# ---- totals ----------------------------------------------------------------------------------------------


def test_all_ten_are_compared():
    assert len(TORCHVISION) == 10


@pytest.mark.parametrize("name", TORCHVISION)
def test_costs_are_torchvisions(name, report_of: Inspect):
    report = report_of(name)
    for weights in torchvision.models.get_model_weights(name):
        assert report.params == weights.meta["num_params"]
        assert round(report.macs / 1e9, 3) == weights.meta["_ops"]
    assert report.broken == ()
    assert len(report.merges) == len(PRESETS[name].blocks)


@pytest.mark.parametrize("name", PRESETS)
def test_the_estimate_is_the_count(name, report_of: Inspect):
    report = report_of(name)
    assert estimate(PRESETS[name]) == (report.params, report.macs)


@settings(max_examples=20)
@given(spec=specs(stages=4, blocks=6).filter(fits).filter(normalisable))
def test_the_estimate_is_the_count_of_random_specs(spec):
    report = inspect(spec)
    assert estimate(spec) == (report.params, report.macs)
    assert report.broken == ()


def test_costs_add_up_by_module(report_of: Inspect):
    report = report_of("resnet50")
    by_module = report.macs_by_module
    top = [path for path in by_module if "." not in path]
    assert sum(by_module[path] for path in top) == report.macs
    assert by_module["conv1"] == 3 * 64 * 7**2 * 112**2
    assert by_module["fc"] == 2048 * 1000
    assert by_module["layer1.0.conv2"] == 64 * 64 * 3**2 * 56**2
    inside = [path for path in by_module if re.fullmatch(r"layer3\.\d", path)]
    assert sum(by_module[path] for path in inside) == by_module["layer3"]


def test_costs_grow_with_the_batch_and_the_image():
    spec = PRESETS["cifar_resnet20"]
    one, four = inspect(spec), inspect(spec, (4, 3, 32, 32))
    assert (four.params, four.macs) == (one.params, 4 * one.macs)
    assert four.activation_bytes == 4 * one.activation_bytes
    assert inspect(spec, (3, 64, 64)).macs == 4 * (one.macs - 640) + 640  # 640: the classifier reads no map


def test_activations_are_every_operations_output():
    report = inspect(nn.Sequential(conv(3), nn.ReLU(), nn.MaxPool2d(2)), (2, 3, 8, 8))
    assert report.activation_bytes == 4 * 2 * (3 * 64 + 8 * 64 + 8 * 64 + 8 * 16)


def test_transposed_and_grouped_convolutions_and_matrix_products():
    with torch.device("meta"):
        up = nn.ConvTranspose2d(8, 6, 3, stride=2)
        grouped = nn.Conv2d(6, 12, 3, groups=3)
        net = nn.Sequential(up, grouped, nn.Flatten(), nn.Linear(12 * 15 * 15, 4))
    assert inspect(net, (8, 8, 8)).macs == 8 * 6 * 9 * 64 + 12 * 2 * 9 * 15**2 + 12 * 15**2 * 4


def test_shared_weights_are_counted_once_and_used_twice():
    one = conv(3, 3)
    report = inspect(nn.Sequential(one, one), (3, 8, 8))
    assert report.params == 3 * 3 * 9 + 3
    assert report.macs == 2 * 3 * 3 * 9 * 64


# ---- receptive fields ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), [("resnet18", 435), ("resnet34", 899), ("resnet50", 427)])
def test_receptive_fields_are_the_literatures(name, size, report_of: Inspect):
    """Araujo et al. 2019, Distill: ResNet-18, -34 and -50 (v1.5) after the last stage."""
    assert report_of(name).receptive_field == ReceptiveField(size, 32)


def test_receptive_field_of_v1():
    """The stride moves before the 3×3, which then takes larger steps: Araujo et al. give 483 for ResNet-50 v1."""
    assert inspect(PRESETS["resnet50"].with_(stride_on="v1")).receptive_field == ReceptiveField(483, 32)


def test_receptive_fields_step_by_step():
    net = nn.Sequential(nn.Conv2d(3, 4, 7, 2, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 3, dilation=2))
    report = inspect(net, (3, 64, 64))
    found = [(f.size, f.jump) for f in report.receptive_fields if f]
    assert found == [(1, 1), (7, 2), (11, 4), (27, 4)]


def test_sums_see_what_their_wider_side_sees():
    report = inspect(PRESETS["cifar_resnet20"])
    for merge in report.merges:
        before = report.receptive_fields[merge.fork or 0]
        after = report.receptive_fields[merge.op]
        assert before
        assert after
        assert after.size > before.size
        assert after == report.receptive_fields[merge.branch[-1]]


def test_nothing_spatial_is_behind_global_pooling():
    report = inspect(PRESETS["resnet18"])
    names = [op.name for op in report.trace.ops]
    assert all(f is None for f in report.receptive_fields[names.index("mean") :])


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
        "layer1.0: the branch gives 256×56×56, the shortcut 64×56×56: channels 64 against 256. "
        "A 1×1 projection with stride 1 would fit (+16,896 parameters).",
        "layer2.0: the branch gives 512×28×28, the shortcut 256×56×56: channels 256 against 512 and map 56×56 "
        "against 28×28. A 1×1 projection with stride 2 would fit (+132,096 parameters).",
        "layer3.0: the branch gives 1024×14×14, the shortcut 512×28×28: channels 512 against 1024 and map 28×28 "
        "against 14×14. A 1×1 projection with stride 2 would fit (+526,336 parameters).",
        "layer4.0: the branch gives 2048×7×7, the shortcut 1024×14×14: channels 1024 against 2048 and map 14×14 "
        "against 7×7. A 1×1 projection with stride 2 would fit (+2,101,248 parameters).",
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
    assert merge.explanation == "block: the branch gives 8×5×5, the shortcut 8×8×8: map 8×8 against 5×5."


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
        "block: the branch gives 12×4×4, the shortcut 8×8×8: channels 8 against 12 and map 8×8 against 4×4. "
        "A 1×1 projection with stride 2 would fit (+96 weights)."
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
        lambda f, x: f(x) - x,
        lambda f, x: x + x,
        lambda f, x: f(x) + 1,
        lambda f, x: f(x) + f[0].bias[:, None, None],
        lambda f, x: f(x) + torch.ones(8, 1, 1, device=x.device),
        lambda f, x: torch.cat([f(x)[:, :4], x[:, :4]], 1),
        lambda f, x: in_place(f(x), f[0].bias[:, None, None]),
    ],
    ids=["F * x", "F - x", "x + x", "F + 1", "F + parameter", "F + constant", "cat", "F += parameter"],
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


# ---- the pass itself -------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(spec=small_specs().filter(fits).filter(normalisable))
@torch.no_grad()
def test_recorded_shapes_are_those_of_a_real_pass(spec):
    report = inspect(spec)
    model = build(spec).eval()
    calls: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = []
    for path, module in model.named_modules():
        module.register_forward_hook(
            lambda _, args, out, path=path: calls.append((path, tuple(args[0].shape), tuple(out.shape)))
        )
    model(torch.zeros(1, spec.in_channels, spec.image_size, spec.image_size))

    assert Counter(calls) == Counter((row.path, row.in_shape, row.out_shape) for row in report.layers)
    leaves = {path: module for path, module in model.named_modules() if not list(module.children())}
    for path, module in leaves.items():
        ops = [op for op in report.trace.ops if op.path == path]
        shapes = [out for called, _, out in calls if called == path]
        if ops:
            each = len(ops) // len(shapes)
            assert [op.shape for op in ops[each - 1 :: each]] == shapes
        else:
            assert isinstance(module, nn.Identity) or spec.blocks[-1].shortcut is Shortcut.NONE
    for merge in report.merges:
        outs = [out for called, _, out in calls if called == merge.path]
        assert outs == [(1, *merge.branch_shape)]


def test_resnet_1202_is_inspected_without_its_weights(resnet_1202: tuple[Report, dict[str, int]]):
    """No operation of the pass returns memory: neither 78 MB of parameters nor 161 MB of activations. Nor does the pass
    walk through all of them: its different blocks hold a hundredth."""
    report, allocated = resnet_1202
    assert report.params == 19_421_274
    assert len(report.merges) == 600
    # The witness saw all of it on the meta device; unless it did, the rest would prove nothing.
    run = report.trace.recording
    activations = sum(op.bytes for op in run.ops)
    assert allocated["meta"] > 4 * sum(run.params.values()) + activations / 2
    assert allocated["meta"] < (4 * report.params + report.activation_bytes) / 10
    assert sum(count for device, count in allocated.items() if device != "meta") < 64 * 1024


def test_the_witness_of_the_test_above_sees_memory():
    with Allocations() as allocations:
        build(PRESETS["cifar_resnet20"])
    assert allocations.bytes["cpu"] > 4 * 269_722


def test_specs_are_inspected_once():
    spec = ResNetSpec(depths=(1,), widths=(4,), image_size=32)
    assert inspect(spec) is inspect(ResNetSpec(depths=[1], widths=[4], image_size=32))  # type: ignore[arg-type]


def everything_about(model: nn.Module) -> dict[str, Any]:
    """Modes, hooks, tensors (identity, version, place, content) of a module and all below it."""
    found: dict[str, Any] = {}
    for path, module in model.named_modules():
        found[path] = (
            id(module),
            module.training,
            sorted(module.__dict__),
            *(
                list(getattr(module, name).items())
                for name in sorted(module.__dict__)
                if "hooks" in name and isinstance(getattr(module, name), dict)
            ),
            sorted(module._non_persistent_buffers_set),
        )
    for kind in ("parameters", "buffers"):
        for path, tensor in getattr(model, f"named_{kind}")():
            found[f"{kind}:{path}"] = (
                id(tensor),
                tensor.data_ptr(),
                tensor._version,
                tensor.device,
                tensor.dtype,
                tensor.requires_grad,
                id(tensor.grad),
                tensor.detach().flatten().tolist(),
            )
    return found


@pytest.fixture
def lived_in() -> Residual:
    """A network with mixed modes, hooks of its owner, a buffer, a frozen layer and gradients."""
    torch.manual_seed(0)
    model = Residual(lambda f, x: f(x) + x)
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    model.train()
    model.block.branch.eval()
    model.stem.requires_grad_(False)
    model.register_buffer("seen", torch.arange(3.0))
    model.block.register_buffer("scratch", torch.ones(2), persistent=False)
    model.stem.register_forward_hook(lambda *_: None)
    model.tail.register_forward_pre_hook(lambda *_: None)
    model.tail.register_full_backward_hook(lambda *_: None)
    return model


def test_the_inspected_module_comes_back_untouched(lived_in):
    before = everything_about(lived_in)
    inspect(lived_in, (3, 8, 8))
    assert everything_about(lived_in) == before


def test_it_comes_back_untouched_from_a_failure_too(lived_in):
    before = everything_about(lived_in)
    with pytest.raises(TraceError):
        inspect(lived_in, inputs=[(3, 8)])
    assert everything_about(lived_in) == before
    torch.empty(3) + torch.empty(3)  # and no recorder is left behind
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None


def test_a_failing_forward_names_its_layer():
    net = nn.Sequential(conv(3), nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 11)))
    with pytest.raises(TraceError, match=r"\A1\.1 failed on an input of 8×10×10: [^\n]*11 x 11[^\n]*\Z"):
        inspect(net, (3, 10, 10))
    flat = nn.Sequential(conv(3), nn.Flatten(), nn.Unflatten(1, (3, 9)))
    with pytest.raises(TraceError, match=r"\A2 failed on an input of 800: .*\b800\b"):
        inspect(flat, (3, 10, 10))


def test_a_failing_forward_of_the_network_itself():
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise KeyError("no such head\nsecond line")

    with pytest.raises(TraceError, match=r"\Athe network failed on an input of 3×8×8: [^\n]{1,200}\Z"):
        inspect(Net(), (3, 8, 8))


def test_a_forward_that_asks_for_values():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = _Asks()

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x)

    class _Asks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(TraceError, match=r"\Alayer failed on an input of "):
        inspect(Net(), (3, 8, 8))


def test_modules_that_cannot_be_copied():
    class Holds(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = conv(3)
            self.lock = Lock()

    with pytest.raises(TraceError, match=r"\AHolds cannot be copied without its weights: cannot pickle '_thread.lock'"):
        inspect(Holds(), (3, 8, 8))
    with pytest.raises(TraceError, match=r"\ASequential cannot be copied without its weights: Attempted to use an"):
        inspect(nn.Sequential(nn.LazyConv2d(3, 3)), (3, 8, 8))


def test_report_as_plain_values():
    report = inspect(PRESETS["cifar_resnet20"].with_(shortcut="identity"))
    data = report.to_dict()
    assert {k: v for k, v in data.items() if k != "merges"} == {
        "name": "ResNet-20",
        "input_size": [1, 3, 32, 32],
        "params": 269_722,
        "macs": 40_551_040,
        "activation_bytes": report.activation_bytes,
        "receptive_field": 81,
    }
    assert [m["path"] for m in data["merges"] if m["verdict"] == "mismatch"] == ["layer2.0", "layer3.0"]
