"""Measured gradients must equal a loop written by hand, and what theory says where it says something."""

from collections.abc import Iterator
from dataclasses import replace
from math import isfinite, isnan, log, prod
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.errors import ExplorerError
from explorer.gradients import (
    Budget,
    ProbeCancelled,
    Setting,
    budget,
    probe,
    probe_beside,
    probe_gradients,
    probe_with_twin,
)
from explorer.gradients.stats import l2_norm, std
from explorer.network import ResNet, build
from explorer.spec import PRESETS, ResNetSpec
from explorer.spec.anatomy import mismatches
from tests.support.probed import SMALL, VARIETY

# Networks this small only wait for a second thread.
pytestmark = pytest.mark.usefixtures("one_thread")

ONE_STAGE = SMALL.with_(depths=(10,), widths=(64,), shortcut="identity", block="preact_basic", norm="none")
TIGHT = Budget(macs=10**9)


def batches_by_hand(spec: ResNetSpec, setting: Setting) -> Iterator[tuple[Tensor, Tensor]]:
    dice = torch.Generator().manual_seed(setting.seed)
    for _ in range(setting.batches):
        images = torch.randn(setting.batch_size, spec.in_channels, setting.height, setting.width, generator=dice)
        yield images.double(), torch.randint(spec.num_classes, (setting.batch_size,), generator=dice)


def outputs_of_layers(model: nn.Module) -> dict[str, Tensor]:
    """Filled in the forward pass: what every convolution and linear layer gives."""
    given: dict[str, Tensor] = {}
    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(lambda _m, _x, y, name=name: given.update({name: y.detach()}))
    return given


def forward_by_hand(model: ResNet, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits, and every block's output with its gradient kept."""
    x = model.maxpool(model.relu(model.bn1(model.conv1(images))))
    outputs = {}
    for plan in model.spec.blocks:
        x = model.get_submodule(plan.path)(x)
        x.retain_grad()
        outputs[plan.path] = x
    return model.fc(model.post(x).mean((2, 3))), outputs


@pytest.mark.parametrize("changes", VARIETY.values(), ids=VARIETY)
def test_equals_a_loop_by_hand(changes: dict[str, object]) -> None:
    spec = SMALL.with_(**changes)
    result = probe_gradients(spec, batch_size=3, batches=2, seed=5, dtype=torch.float64)
    model = build(spec, seed=5).double()
    given = outputs_of_layers(model)
    layer_stds: dict[str, list[float]] = {}
    weights: dict[str, list[float]] = {}
    outputs: dict[str, list[float]] = {}
    stds: dict[str, list[float]] = {}
    losses = []
    for images, labels in batches_by_hand(spec, result.setting):
        model.zero_grad()
        logits, kept = forward_by_hand(model, images)
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        losses.append(loss.item())
        for path, y in given.items():
            layer_stds.setdefault(path, []).append((y - y.mean()).square().mean().sqrt().item())
        for path, y in kept.items():
            assert y.grad is not None
            outputs.setdefault(path, []).append(y.grad.square().sum().sqrt().item())
            stds.setdefault(path, []).append((y - y.mean()).square().mean().sqrt().item())
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                weights.setdefault(name, []).append(parameter.grad.square().sum().sqrt().item())

    close = pytest.approx
    assert result.loss == close(sum(losses) / 2, rel=1e-10)
    for layer in result.layers:
        norms = weights[f"{layer.path}.weight"]
        assert (layer.norm, layer.low, layer.high) == close((sum(norms) / 2, min(norms), max(norms)), rel=1e-10)
        assert layer.norms == close(tuple(norms), rel=1e-10)
        assert layer.weight_norm == close(model.get_parameter(f"{layer.path}.weight").norm().item(), rel=1e-10)
        assert layer.output_stds == close(tuple(layer_stds[layer.path]), rel=1e-10)
        assert layer.output_std == close(sum(layer_stds[layer.path]) / 2, rel=1e-10)
    for block in result.blocks:
        assert block.norm == close(sum(outputs[block.path]) / 2, rel=1e-10)
        assert (block.low, block.high) == close((min(outputs[block.path]), max(outputs[block.path])), rel=1e-10)
        assert (block.std_low, block.std_high) == close((min(stds[block.path]), max(stds[block.path])), rel=1e-10)
        assert block.activation_std == close(sum(stds[block.path]) / 2, rel=1e-10)
    assert [b.path for b in result.blocks] == [plan.path for plan in spec.blocks]


def test_the_norm_is_the_slope_of_the_loss_along_the_gradient() -> None:
    """Independent of autograd: (L(W + εg/|g|) − L(W − εg/|g|)) / 2ε = |g| for a smooth network."""
    spec = SMALL.with_(norm="group", activation="gelu")
    result = probe_gradients(spec, batch_size=2, batches=1, dtype=torch.float64)
    model = build(spec).double()
    images, labels = next(batches_by_hand(spec, result.setting))
    for layer in (result.layers[0], result.layers[3], result.layers[-1]):
        weight = model.get_parameter(f"{layer.path}.weight")
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(images), labels), weight)
        step = 1e-5 * gradient / gradient.norm()
        with torch.no_grad():
            weight.add_(step)
            above = F.cross_entropy(model(images), labels)
            weight.sub_(2 * step)
            below = F.cross_entropy(model(images), labels)
            weight.add_(step)
        assert layer.norm == pytest.approx(((above - below) / 2e-5).item(), rel=1e-6)


@pytest.mark.parametrize("changes", VARIETY.values(), ids=VARIETY)
def test_layers_come_in_the_order_of_execution_and_are_counted_along_the_main_path(
    changes: dict[str, object],
) -> None:
    spec = SMALL.with_(**changes)
    result = probe_gradients(spec, batch_size=2, batches=1)
    executed = []
    model = build(spec)
    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(lambda *_, name=name: executed.append(name))
    model(torch.randn(2, 3, spec.image_size, spec.image_size))
    assert [layer.path for layer in result.layers] == executed
    assert [layer.depth for layer in result.main_path] == list(range(1, spec.weighted_layers + 1))
    for layer in result.layers:
        assert layer.is_projection == ("downsample" in layer.path)
    last = {layer.path.rpartition(".")[0]: layer.depth for layer in result.main_path}
    assert [block.depth for block in result.blocks] == [last[block.path] for block in result.blocks]


def test_an_identity_block_passes_gradients_exactly() -> None:
    """Every pre-activation branch starts at 0, so each block of a stage is the identity, both ways."""
    spec = SMALL.with_(block="preact_basic", depths=(4, 4), zero_init_residual=True)
    result = probe_gradients(spec, batch_size=4)
    for stage in (1, 2):
        along = [(b.norm, b.activation_std) for b in result.blocks if b.stage == stage]
        assert len(along) == 4
        assert len(set(along)) == 1, "equal to the last digit"


def test_a_zeroed_branch_hands_the_gradient_through_unchanged() -> None:
    """y = x + 0: ∂L/∂x is ∂L/∂y, to the last digit (He et al. 2016 §3)."""
    spec = SMALL.with_(block="preact_basic", zero_init_residual=True)
    block = build(spec).get_submodule("layer1.0")
    x = torch.randn(2, 8, 6, 6, requires_grad=True)
    y = block(x)
    upstream = torch.randn_like(y)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    assert torch.equal(y, x)
    assert torch.equal(gradient, upstream)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_a_zero_initialised_branch_makes_a_block_the_identity_of_what_relu_gives(block: str) -> None:
    """relu(x + 0) = x for x ≥ 0 (Goyal et al. 2017 §5.1); for x > 0 gradients pass unchanged too."""
    spec = SMALL.with_(block=block, zero_init_residual=True)
    channels = 8 * spec.block.expansion
    x = torch.rand(2, channels, 6, 6).add(0.1).requires_grad_()
    y = build(spec).get_submodule("layer1.1")(x)
    upstream = torch.randn_like(y)
    (gradient,) = torch.autograd.grad(y, x, upstream)
    assert torch.equal(y, x)
    assert torch.equal(gradient, upstream)


def test_without_normalisation_each_residual_block_about_doubles_the_variance() -> None:
    """He initialisation keeps a branch's variance, and a sum of independent parts adds theirs (Hanin &
    Rolnick 2018); the gradient's square doubles likewise, backwards. Zero padding takes some off: over
    eight seeds 1.7 to 2.2 were measured, 1.9 on average, both ways."""
    forward, backward = [], []
    for seed in range(3):
        blocks = probe_gradients(ONE_STAGE, batch_size=4, batches=1, seed=seed).blocks
        steps = len(blocks) - 1
        forward.append((blocks[-1].activation_std / blocks[0].activation_std) ** (2 / steps))
        backward.append((blocks[0].norm / blocks[-1].norm) ** (2 / steps))
    assert 1.6 < prod(forward) ** (1 / 3) < 2.3
    assert 1.6 < prod(backward) ** (1 / 3) < 2.3


def test_with_batch_norm_the_variance_of_a_residual_stream_grows_by_addition() -> None:
    """Each normalised branch adds a variance of about 1 to the stream (De & Smith 2020)."""
    blocks = probe_gradients(ONE_STAGE.with_(norm="batch"), batch_size=4, batches=1).blocks
    first, middle, last = (blocks[i].activation_std ** 2 for i in (0, 4, 9))
    assert 0.7 < (middle - first) / 4 < 1.3
    assert 0.7 < (last - middle) / 5 < 1.3


def test_a_run_reproduces_to_the_digit_and_another_seed_differs() -> None:
    first = probe_gradients(SMALL, batch_size=4, seed=3)
    assert probe_gradients(SMALL, batch_size=4, seed=3) == first
    assert probe_gradients(SMALL, batch_size=4, seed=4).loss != first.loss


def test_the_twin_sees_the_same_setting_and_equals_a_probe_of_its_own() -> None:
    here, twin = probe_with_twin(SMALL, batch_size=4, batches=2)
    assert twin == probe_gradients(SMALL.plain(), batch_size=4, batches=2)
    assert here == probe_gradients(SMALL, batch_size=4, batches=2)
    assert twin is not None
    for ours, theirs in zip(here.main_path, twin.main_path, strict=True):
        assert (ours.path, ours.weight_norm) == (theirs.path, theirs.weight_norm)


def test_seeds_are_of_the_weights_alone() -> None:
    images, labels = torch.randn(6, 3, 16, 16), torch.tensor([0, 1, 2, 3, 4, 0])
    options: dict[str, Any] = {"inputs": images, "labels": labels, "batch_size": 3, "batches": 2}
    both = probe_gradients(SMALL, seed=4, seeds=2, **options)
    each = [probe_gradients(SMALL, seed=seed, **options) for seed in (4, 5)]
    assert (both.seeds, both.spread, each[0].spread) == (2, "seeds", "batches")
    for i, layer in enumerate(both.layers):
        norms = tuple(one.layers[i].norm for one in each)
        assert layer.norms == pytest.approx(norms, rel=1e-6)
        assert (layer.norm, layer.low, layer.high) == pytest.approx((sum(norms) / 2, min(norms), max(norms)), rel=1e-6)
        assert layer.weight_norm == pytest.approx(sum(one.layers[i].weight_norm for one in each) / 2)
    for i, block in enumerate(both.blocks):
        assert block.stds == pytest.approx([one.blocks[i].activation_std for one in each], rel=1e-6)
    assert both.loss == pytest.approx((each[0].loss + each[1].loss) / 2)


def test_noise_and_labels_are_the_same_for_all_seeds() -> None:
    """The first of several seeds is the one measured alone."""
    both, alone = (probe_gradients(SMALL, batch_size=2, batches=1, seeds=n) for n in (2, 1))
    assert [layer.norms[0] for layer in both.layers] == [layer.norm for layer in alone.layers]
    assert both.layers[0].norms[1] != both.layers[0].norms[0]


def test_seeds_count_in_progress_and_in_the_budget() -> None:
    seen: list[tuple[int, int]] = []
    probe_gradients(SMALL, batch_size=2, batches=2, seeds=2, on_progress=lambda *at: seen.append(at))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    once, thrice = (Setting(batch_size=2, batches=2, height=16, width=16, seed=0, seeds=n) for n in (1, 3))
    assert budget.cost(SMALL, thrice, 4).macs == 3 * budget.cost(SMALL, once, 4).macs


def test_any_other_network_may_be_the_twin() -> None:
    other = SMALL.with_(norm="group", init="orthogonal")
    here, twin = probe_with_twin(SMALL, twin=other, batch_size=4, batches=2)
    assert twin == probe_gradients(other, batch_size=4, batches=2)
    assert here == probe_gradients(SMALL, batch_size=4, batches=2)


def test_several_twins_share_one_setting_that_fits_the_largest() -> None:
    large = PRESETS["resnet18"].with_(num_classes=5)
    here, (plain, larger) = probe_beside(SMALL, (SMALL.plain(), large), batch_size=2, image_size=128, budget=TIGHT)
    assert here.setting.side == 64
    assert here.notes[0].startswith("128 → 64 px")
    assert replace(here.setting, notes=()) == plain.setting == larger.setting
    assert (plain.spec, larger.spec) == (SMALL.plain(), large)


def test_a_twin_gets_the_networks_classes_and_channels_and_says_so() -> None:
    here, twin = probe_with_twin(SMALL.with_(in_channels=1), twin=PRESETS["cifar_resnet20"], batch_size=2, batches=1)
    assert twin is not None
    assert (twin.spec.num_classes, twin.spec.in_channels) == (5, 1)
    assert here.notes == ()
    assert twin.notes == (
        "10 → 5 classes, as many as the network beside it has.",
        "3 → 1 image channels, as many as the network beside it has.",
    )


def test_the_twin_is_reduced_as_far_as_its_network() -> None:
    spec = PRESETS["resnet18"].with_(shortcut="projection_all")
    inputs = torch.randn(4, 3, 96, 64)
    here, twin = probe_with_twin(spec, inputs=inputs, batches=2, budget=TIGHT)
    assert twin is not None
    assert [note.partition(":")[0] for note in here.notes] == ["96 → 64 px", "4 → 3 images in a batch"]
    assert replace(here.setting, notes=()) == twin.setting


def test_a_plain_network_has_no_twin() -> None:
    seen: list[tuple[int, int]] = []
    here, twin = probe_with_twin(SMALL.plain(), batch_size=2, batches=2, on_progress=lambda *at: seen.append(at))
    assert twin is None
    assert here.spec.is_plain
    assert seen == [(0, 2), (1, 2), (2, 2)]


def test_progress_counts_both_networks() -> None:
    seen: list[tuple[int, int]] = []
    probe_with_twin(SMALL, batch_size=2, batches=2, on_progress=lambda *at: seen.append(at))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_cancel_stops_before_the_next_batch() -> None:
    seen: list[tuple[int, int]] = []
    with pytest.raises(ProbeCancelled, match="after 2 of 9 batches"):
        probe_gradients(
            SMALL,
            batch_size=2,
            batches=9,
            on_progress=lambda *at: seen.append(at),
            cancelled=lambda: len(seen) == 3,
        )
    assert seen == [(0, 9), (1, 9), (2, 9)]


def hooks_of(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in model.modules())


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[ResNet]:
    """Every network the probe builds."""
    networks: list[ResNet] = []

    def remembered(*args, **kwargs) -> ResNet:
        networks.append(build(*args, **kwargs))
        return networks[-1]

    monkeypatch.setattr(probe, "build", remembered)
    return networks


def test_no_hook_and_no_gradient_stays_behind(built: list[ResNet]) -> None:
    probe_gradients(SMALL, batch_size=2)
    assert hooks_of(built[0]) == 0
    assert built[0].training
    assert all(parameter.grad is None for parameter in built[0].parameters())


def test_a_failing_block_is_named_and_leaves_no_hook(built: list[ResNet]) -> None:
    """Batch normalisation of one value; a group has two channels, and so two values, on any map."""
    spec = SMALL.with_(depths=(1, 1, 1), widths=(8, 16, 16), image_size=4)
    with pytest.raises(ExplorerError, match=r"^layer3\.0: .*two\. Take more images in a batch, or larger ones\.$"):
        probe_gradients(spec, batch_size=1, batches=1)
    assert hooks_of(built[0]) == 0


def test_any_other_failure_is_a_sentence_too(built: list[ResNet], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> Tensor:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes.\nTrace")

    monkeypatch.setattr(torch.autograd, "grad", fails)
    with pytest.raises(ExplorerError, match=r"^backward pass: memory ran out\. Take fewer or smaller images\.$"):
        probe_gradients(SMALL, batch_size=2)
    assert hooks_of(built[0]) == 0


# — Shortcuts that don't fit —


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"shortcut": "identity"},
            "layer2.0: the branch gives 16×8×8, the shortcut 8×16×16; gradients need a network that runs. "
            "Choose a projection or zero-pad shortcut.",
        ),
        (
            {"widths": (16, 8)},
            "layer2.0: the branch gives 8×8×8, the shortcut 16×8×8; gradients need a network that runs. "
            "Choose a projection shortcut.",
        ),
        (
            {"widths": (8, 8), "image_size": 2, "shortcut": "identity"},
            "layer2.0: the branch gives 8×1×1, the shortcut 8×2×2 (PyTorch would add them by broadcasting, "
            "without an error); gradients need a network that runs. "
            "Choose a projection or zero-pad shortcut.",
        ),
        (
            {"shortcut": "projection", "shortcut_overrides": {"layer2.0": "identity"}},
            "layer2.0: the branch gives 16×8×8, the shortcut 8×16×16; gradients need a network that runs. "
            "Choose a projection or zero-pad shortcut.",
        ),
        (
            {"block": "bottleneck", "shortcut": "identity"},
            "layer1.0: the branch gives 32×16×16, the shortcut 8×16×16; gradients need a network that runs. "
            "Choose a projection or zero-pad shortcut.",
        ),
    ],
)
def test_a_shortcut_that_does_not_fit_is_a_sentence(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ExplorerError) as caught:
        probe_gradients(SMALL.with_(**changes), batch_size=2)
    assert str(caught.value) == sentence


def shapes_by_running(spec: ResNetSpec, height: int, width: int) -> str | None:
    """The first block whose two operands differ, found by running every part without storage."""
    model = build(spec, device="meta")
    x = model.maxpool(model.conv1(torch.empty(2, spec.in_channels, height, width, device="meta")))
    for plan in spec.blocks:
        block: Any = model.get_submodule(plan.path)
        a = block.relu(block.bn1(x)) if spec.block.is_preact else x
        branch = block.branch(a)
        shortcut = block.shortcut(a if getattr(block, "shared", False) else x)
        if not block.plain and branch.shape != shortcut.shape:
            return plan.path
        x = branch
    return None


SHORTCUTS = st.sampled_from(["identity", "zero_pad", "projection", "projection_all", "none"])


@settings(max_examples=60, deadline=None)
@given(
    widths=st.lists(st.sampled_from([1, 2, 4, 8]), min_size=3, max_size=3).map(tuple),
    block=st.sampled_from(["basic", "bottleneck", "preact_basic", "preact_bottleneck"]),
    stem=st.sampled_from(["cifar", "imagenet", "deep"]),
    shortcut=SHORTCUTS,
    overrides=st.dictionaries(st.sampled_from(["layer1.0", "layer2.0", "layer2.1", "layer3.0"]), SHORTCUTS),
    sides=st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_the_first_mismatch_is_that_of_the_network_itself(widths, block, stem, shortcut, overrides, sides) -> None:
    spec = SMALL.with_(
        depths=(1, 2, 1),
        widths=widths,
        block=block,
        stem=stem,
        shortcut=shortcut,
        shortcut_overrides=overrides,
        norm="none",
    )
    mismatch = next(mismatches(spec, *sides), None)
    assert (mismatch.plan.path if mismatch else None) == shapes_by_running(spec, *sides)


# — Sums in single precision —


@pytest.mark.parametrize("scale", [1e-24, 1e-3, 1.0, 1e6, 1e24])
@pytest.mark.parametrize("shape", [(1000,), (7, 3, 61, 53), (8, 16, 32, 32)])
def test_norm_and_spread_are_those_of_doubles(scale: float, shape: tuple[int, ...]) -> None:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(0)).relu() * scale
    assert l2_norm(values) == pytest.approx(values.double().norm().item(), rel=1e-6)
    assert std(values) == pytest.approx(values.double().std(correction=0).item(), rel=1e-5)


def test_the_spread_about_a_mean_far_above_it_keeps_its_digits() -> None:
    values = torch.randn(2**17, generator=torch.Generator().manual_seed(0)) + 1000
    assert std(values) == pytest.approx(values.double().std(correction=0).item(), rel=1e-9)


@pytest.mark.parametrize("wrong", [torch.inf, -torch.inf, torch.nan])
def test_what_is_not_finite_has_no_spread(wrong: float) -> None:
    values = torch.ones(2**16)
    values[5] = wrong
    assert not isfinite(l2_norm(values))
    assert isnan(std(values))


# — What the numbers need said —


def test_a_branch_that_starts_at_zero_is_said() -> None:
    here, twin = probe_with_twin(SMALL.with_(zero_init_residual=True), batch_size=4, batches=1)
    assert here.notes[0] == "8 of 10 layers have a gradient of exactly 0."
    assert twin is not None
    assert twin.notes[0] == "10 of 10 layers have a gradient of exactly 0."
    assert twin.notes[1].startswith("zero_init_residual multiplies every branch by 0")
    assert twin.loss == pytest.approx(log(5), abs=0.5)


def test_one_class_has_no_gradient_and_says_so() -> None:
    result = probe_gradients(SMALL.with_(num_classes=1), batch_size=2, batches=1)
    assert {layer.norm for layer in result.layers} == {0}
    assert result.notes[0] == "With one class the loss is always 0, and so is every gradient."


def test_an_overflow_is_said_and_where_it_begins() -> None:
    images = torch.full((2, 3, 16, 16), 3e38)
    result = probe_gradients(SMALL.with_(norm="none"), inputs=images, batches=2)
    path = next(b.path for b in result.blocks if not isfinite(b.activation_std))
    assert isnan(result.loss)
    assert result.notes == (f"The activations overflow from {path} on, so that there is no gradient to measure.",)
