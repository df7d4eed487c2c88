"""Shapes without weights: torchvision's costs, the literature's receptive fields, and the pass that records them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from explorer.compat import torchvision
from explorer.errors import TraceError
from explorer.inspection import ReceptiveField, Report, inspect
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec, Shortcut
from explorer.spec.budget import estimate
from tests.conftest import Allocations
from tests.support.foreign import Residual, conv
from tests.support.strategies import fits, normalisable, small_specs, specs

pytestmark = pytest.mark.usefixtures("one_thread")

TORCHVISION = sorted(name for name in PRESETS if name.startswith(("resnet", "resnext", "wide")))
Inspect = Callable[[str], Report]


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
        inspect(lived_in, inputs=[None])
    assert everything_about(lived_in) == before
    torch.empty(3) + torch.empty(3)  # and no recorder is left behind
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None


def test_a_failing_forward_names_its_layer():
    class Fails(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.missing  # type: ignore[attr-defined]

    with pytest.raises(TraceError, match=r"\A1\.1 failed on an input of 8×10×10: [^\n]*'missing'\Z"):
        inspect(nn.Sequential(conv(3), nn.Sequential(nn.ReLU(), Fails())), (3, 10, 10))


def test_a_window_or_a_view_that_pytorch_refuses_is_a_finding():
    net = nn.Sequential(conv(3), nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 11)))
    (finding,) = inspect(net, (3, 10, 10)).findings
    assert (finding.rule, finding.path) == ("kernel-too-large", "1.1")
    assert finding.sentence == (
        "1.1 has a window of 11×11, but 0 gives a map of 10×10: use a larger input, fewer strides or a smaller window."
    )
    flat = nn.Sequential(conv(3), nn.Flatten(), nn.Unflatten(1, (3, 9)))
    (finding,) = inspect(flat, (3, 10, 10)).findings
    assert finding.sentence == "2 views what 0 gives, 800 numbers (1×800), as 1×3×9, but that holds 27."


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

    report = inspect(Net(), (3, 8, 8))
    assert report.findings == ()
    assert report.trace.note == "Its forward pass reads values, so it was run with real tensors."


def test_modules_that_cannot_be_copied():
    class Holds(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = conv(3)
            self.lock = Lock()

    with pytest.raises(TraceError, match=r"\AHolds cannot be copied without its weights: cannot pickle '_thread.lock'"):
        inspect(Holds(), (3, 8, 8))
    assert inspect(nn.Sequential(nn.LazyConv2d(3, 3)), (3, 8, 8)).params == 3 * 3 * 9 + 3


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
