"""The networks themselves: torchvision's to the last bit, the papers' to the last parameter."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.compat import torchvision
from explorer.network import ResNet, build
from explorer.network.blocks import BasicBlock, ResidualBlock
from explorer.network.layers import activation
from explorer.network.shortcuts import ZeroPad
from explorer.spec import PRESETS, Activation, Block, Init, Norm, ResNetSpec, Shortcut, StrideOn, ZeroPlacement
from explorer.spec.budget import estimate
from tests.support.strategies import described, fits, normalisable, small_specs, specs

pytestmark = pytest.mark.usefixtures("one_thread")

TORCHVISION = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]
TINY = described(depths=(1, 1), widths=(8, 12), stem="cifar", num_classes=5, image_size=8)


Pair = tuple[ResNet, nn.Module]


@pytest.fixture(scope="module", params=TORCHVISION)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def pair(name) -> Pair:
    """The network as built here and as torchvision builds it, both without memory."""
    with torch.device("meta"):
        theirs = torchvision.models.get_model(name, weights=None)
    return build(PRESETS[name], device="meta"), theirs


@pytest.fixture(scope="module")
def pool() -> Tensor:
    """Random numbers, more than the largest layer has weights."""
    return noise(10_000_000)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# ---- torchvision -------------------------------------------------------------------------------------------


def test_all_of_torchvisions_residual_networks_are_here():
    theirs = {
        name for name in torchvision.models.list_models() if name.startswith(("resnet", "resnext", "wide_resnet"))
    }
    assert theirs == set(TORCHVISION)
    assert theirs < set(PRESETS)


def test_state_dict_is_torchvisions(pair: Pair):
    ours, theirs = ([(key, tuple(t.shape), t.dtype) for key, t in model.state_dict().items()] for model in pair)
    assert ours == theirs


def test_parameters_are_those_of_the_weights(name, pair: Pair):
    published = {weights.meta["num_params"] for weights in torchvision.models.get_model_weights(name)}
    assert published == {parameters(pair[0])}


def random_state(model: nn.Module, pool: Tensor) -> dict[str, Tensor]:
    """Weights for ``model``: convolutions as He et al. start them, norms and their statistics not neutral."""
    state: dict[str, Tensor] = {}
    for start, (key, t) in enumerate(model.state_dict().items()):
        values = pool[start : start + t.numel()].reshape(t.shape)
        if t.dim() == 4:
            values = values * (2 / (t[:, 0].numel())) ** 0.5
        elif not t.is_floating_point():
            values = torch.tensor(start)
        elif "fc" not in key:
            values = 0.5 + values.abs() / 4
        state[key] = values.to(t.dtype)
    return state


@torch.no_grad()
def test_outputs_are_torchvisions_to_the_last_bit(pair: Pair, pool):
    """In training and in evaluation, with weights that load strictly both ways."""
    ours, theirs = pair
    ours.load_state_dict(random_state(ours, pool), strict=True, assign=True)
    # Norm statistics are written to in training, so that each network needs its own; weights can be shared.
    theirs.load_state_dict({k: _own(k, t) for k, t in ours.state_dict().items()}, strict=True, assign=True)
    x = noise(2, 3, 33, 33)

    trained = ours.train()(x)
    assert torch.equal(trained, theirs.train()(x))
    assert all(torch.equal(a, b) for a, b in zip(ours.buffers(), theirs.buffers(), strict=True))
    evaluated = theirs.eval()(x)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert torch.equal(ours.eval()(x), evaluated)

    for out in (trained, evaluated):
        assert out.shape == (2, 1000)
        assert torch.isfinite(out).all()
        assert out.std() > 1e-3
    assert not torch.equal(trained, evaluated)


def _own(key: str, tensor: Tensor) -> Tensor:
    return tensor.clone() if "running" in key or "tracked" in key else tensor


# ---- the papers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "millions", "digits"),
    [
        ("cifar_resnet20", 0.27, 2),  # He et al. 2015, Table 6
        ("cifar_resnet32", 0.46, 2),
        ("cifar_resnet44", 0.66, 2),
        ("cifar_resnet56", 0.85, 2),
        ("cifar_resnet110", 1.7, 1),
        ("cifar_resnet1202", 19.4, 1),
        ("preact_resnet164", 1.7, 1),  # He et al. 2016
        ("preact_resnet1001", 10.3, 1),
    ],
)
def test_parameters_are_the_papers(name, millions, digits):
    assert round(parameters(build(PRESETS[name], device="meta")) / 1e6, digits) == millions


def test_v1_strides_the_first_convolution_and_v1_5_the_second():
    def strides(spec: ResNetSpec) -> list[int]:
        block = build(spec, device="meta").get_submodule("layer2.0")
        return [conv.stride[0] for conv in block.children() if isinstance(conv, nn.Conv2d)]

    for block in (Block.BOTTLENECK, Block.PREACT_BOTTLENECK):
        spec = PRESETS["resnet50"].with_(block=block)
        assert strides(spec.with_(stride_on=StrideOn.V1)) == [2, 1, 1]
        assert strides(spec.with_(stride_on=StrideOn.V1_5)) == [1, 2, 1]


def test_v1_and_v1_5_share_every_weight_but_not_the_cost():
    v1_5 = PRESETS["resnet50"]
    v1 = v1_5.with_(stride_on="v1")
    assert estimate(v1)[0] == estimate(v1_5)[0] == 25_557_032
    assert round(estimate(v1)[1] / 1e9, 1) == 3.9  # "3.8 billion FLOPs", He et al. 2015, Table 1, without projections
    assert round(estimate(v1_5)[1] / 1e9, 1) == 4.1


def test_deep_stem():
    """ResNet-C: the 7×7 as three 3×3, the first one strides, the last one widens."""
    model = build(described(stem="deep"), device="meta")
    convs = [m for m in model.conv1.modules() if isinstance(m, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel_size, c.stride[0]) for c in convs] == [
        (3, 32, (3, 3), 2),
        (32, 32, (3, 3), 1),
        (32, 64, (3, 3), 1),
    ]
    assert model.features(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 512, 7, 7)


@pytest.mark.parametrize(("stem", "side"), [("imagenet", 8), ("deep", 8), ("cifar", 32)])
def test_stems_divide_the_map_by_four_or_not_at_all(stem, side):
    spec = ResNetSpec(depths=(1,), widths=(4,), stem=stem)
    x = torch.empty(1, 3, 32, 32, device="meta")
    assert build(spec, device="meta").features(x).shape == (1, 4, side, side)
    assert spec.stem_stride == 32 // side


def test_pre_activation_ends_in_norm_and_activation():
    """He et al. 2016: none behind the first convolution, one behind the last block, none in projections."""
    model = build(PRESETS["preact_resnet164"], device="meta")
    assert [type(m) for m in (model.bn1, model.relu)] == [nn.Identity, nn.Identity]
    assert [type(m) for m in model.post.children()] == [nn.BatchNorm2d, nn.ReLU]
    assert [type(m) for m in model.get_submodule("layer1.0.downsample").children()] == [nn.Conv2d]


# ---- option A ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("added", [0, 1, 5, 8])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [1, 7, 8])
def test_option_a_is_subsampling_and_zeros(added, stride, side):
    x = noise(2, 3, side, side)
    kept = x[:, :, ::stride, ::stride]

    def zeros(channels: int) -> Tensor:
        return torch.zeros(2, channels, *kept.shape[2:])

    appended = ZeroPad(3, 3 + added, stride, ZeroPlacement.APPEND)(x)
    assert torch.equal(appended, torch.cat([kept, zeros(added)], 1))
    split = ZeroPad(3, 3 + added, stride, ZeroPlacement.SPLIT)(x)
    assert torch.equal(split, torch.cat([zeros(added // 2), kept, zeros(added - added // 2)], 1))


def test_option_a_has_no_parameters():
    model = build(PRESETS["cifar_resnet20"], device="meta")
    assert not [key for key in model.state_dict() if "downsample" in key]
    pads = [path for path, module in model.named_modules() if isinstance(module, ZeroPad)]
    assert pads == ["layer2.0.downsample", "layer3.0.downsample"]


@torch.no_grad()
def test_option_a_in_its_block():
    spec = TINY.with_(shortcut="zero_pad", zero_pad="split")
    block = build(spec).eval().get_submodule("layer2.0")
    assert isinstance(block, BasicBlock)
    x = noise(1, 8, 8, 8)
    padded = torch.zeros(1, 12, 4, 4)
    padded[:, 2:10] = x[:, :, ::2, ::2]
    assert torch.equal(block(x), F.relu(block.branch(x) + padded))


# ---- the equation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shortcut", Shortcut)
@pytest.mark.parametrize("block", Block)
@torch.no_grad()
def test_blocks_are_the_papers_equation(block, shortcut):
    """y = σ(F(x) + s(x)), and y = F(a) + s(x) with a = σ(norm(x)); a projection of the second reads a."""
    spec = TINY.with_(block=block, shortcut=shortcut, depths=(2, 1))
    unit = build(spec).eval().get_submodule("layer1.1")  # its shape doesn't change
    assert isinstance(unit, ResidualBlock)
    x = noise(2, spec.blocks[1].in_channels, 8, 8)
    a = F.relu(unit.bn1(x)) if block.is_preact else x  # type: ignore[operator]
    branch = unit.branch(a)
    if shortcut is Shortcut.NONE:
        total = branch
    else:
        projects = shortcut is Shortcut.PROJECTION_ALL
        total = branch + (unit.downsample(a) if projects else x)  # type: ignore[misc]
        assert (unit.downsample is not None) == projects
    assert torch.equal(unit(x), total if block.is_preact else F.relu(total))


@pytest.mark.parametrize("norm", Norm)
@pytest.mark.parametrize("block", Block)
@pytest.mark.parametrize("kind", Activation)
@torch.no_grad()
def test_zero_init_makes_blocks_start_as_the_identity(block, norm, kind):
    spec = TINY.with_(block=block, norm=norm, activation=kind, zero_init_residual=True, widths=(8, 8), depths=(2, 2))
    model = build(spec).train()
    x = noise(2, spec.blocks[1].in_channels, 6, 6)
    for path in ("layer1.1", "layer2.1"):
        out = model.get_submodule(path)(x)
        assert torch.equal(out, x if block.is_preact else activation(spec)(x))
    first = model.get_submodule("layer2.0")
    assert not torch.equal(first.get_parameter("conv1.weight"), torch.zeros(1))
    ordinary = build(spec.with_(zero_init_residual=False)).train().get_submodule("layer1.1")
    assert not torch.allclose(ordinary(x), x if block.is_preact else activation(spec)(x))


def test_zero_init_zeroes_the_last_scale_else_the_last_weight():
    """Goyal et al. 2017 §5.1, and torchvision: of the norm that ends F; without one, of its last convolution."""

    def zeros(**changes: object) -> list[str]:
        block = build(TINY.with_(zero_init_residual=True, **changes)).get_submodule("layer2.0")
        return [name for name, p in block.named_parameters() if name.endswith("weight") and not p.any()]

    assert zeros() == ["bn2.weight"]
    assert zeros(norm="group", block="bottleneck") == ["bn3.weight"]
    assert zeros(norm="none") == ["conv2.weight"]
    assert zeros(block="preact_basic") == ["conv2.weight"]
    assert zeros(block="preact_bottleneck") == ["conv3.weight"]


# ---- seeds and twins ---------------------------------------------------------------------------------------


def test_seeds_reproduce():
    one, same, other = (build(TINY, seed=seed).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(one[key], same[key]) for key in one)
    weights = [key for key, t in one.items() if t.dim() > 1]
    assert len(weights) == 7
    assert not any(torch.equal(one[key], other[key]) for key in weights)


def test_the_world_outside_has_no_say():
    torch.manual_seed(1)
    one = build(TINY).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    two = build(TINY).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("init", Init)
@pytest.mark.parametrize(
    "change",
    [
        {"shortcut": "none"},
        {"shortcut": "projection_all"},
        {"norm": "group"},
        {"norm": "none"},
        {"activation": "gelu"},
        {"depths": (2, 3)},
        {"num_classes": 7},
        {"shortcut_overrides": {"layer2.0": "identity"}},
    ],
    ids=str,
)
def test_twins_share_the_weights_they_have_in_common(change, init):
    spec = TINY.with_(init=init)
    one, twin = build(spec, seed=3).state_dict(), build(spec.with_(**change), seed=3).state_dict()
    convs = {k for k, t in one.items() if t.dim() == 4} & twin.keys()
    assert len(convs) >= 5
    assert all(torch.equal(one[key], twin[key]) for key in convs)


def test_layers_of_one_shape_start_differently():
    state = build(TINY.with_(depths=(3, 1))).state_dict()
    alike = [t for key, t in state.items() if t.shape == (8, 8, 3, 3)]
    assert len(alike) == 6
    assert not any(torch.equal(a, b) for i, a in enumerate(alike) for b in alike[:i])


def test_initial_weights_are_what_they_are_called():
    spec = described(depths=(1, 1), widths=(64, 128), stem="cifar", image_size=8)

    def weight(init: Init) -> Tensor:
        return build(spec.with_(init=init)).get_parameter("layer2.0.conv1.weight")

    assert weight(Init.HE).shape == (128, 64, 3, 3)
    into, out = 64 * 3**2, 128 * 3**2
    assert weight(Init.HE).std().item() == pytest.approx((2 / out) ** 0.5, rel=0.02)
    assert weight(Init.XAVIER).std().item() == pytest.approx((2 / (into + out)) ** 0.5, rel=0.02)
    assert weight(Init.DEFAULT).abs().max().item() == pytest.approx(into**-0.5, rel=0.01)
    rows = weight(Init.ORTHOGONAL).flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(128), atol=1e-5, rtol=0)


def test_norms_and_biases_start_neutral():
    state = build(TINY.with_(norm="group")).state_dict()
    assert all((t == 1).all() for key, t in state.items() if "bn" in key and key.endswith("weight"))
    assert all((t == 0).all() for key, t in state.items() if "bn" in key and key.endswith("bias"))
    bare = build(TINY.with_(norm="none")).state_dict()
    biases = [t for key, t in bare.items() if key.endswith("bias") and not key.startswith("fc")]
    assert len(biases) == 6
    assert all((t == 0).all() for t in biases)


# ---- every valid spec --------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(spec=specs())
def test_every_valid_spec_builds_and_costs_what_was_estimated(spec):
    model = build(spec, device="meta")
    assert isinstance(model, ResNet)
    assert model.spec is spec
    assert all(p.is_meta for p in model.parameters())
    assert parameters(model) == estimate(spec)[0]


@settings(max_examples=30)
@given(spec=small_specs().filter(fits).filter(normalisable), batch=st.integers(1, 3))
@torch.no_grad()
def test_small_specs_run(spec, batch):
    model = build(spec).eval()
    x = noise(batch, spec.in_channels, spec.image_size, spec.image_size)
    out = model(x)
    assert out.shape == (batch, spec.num_classes)
    assert torch.isfinite(out).all()
    side = -(-spec.image_size // spec.stem_stride)
    for _ in spec.depths[1:]:
        side = -(-side // 2)
    assert model.features(x).shape == (batch, spec.out_channels, side, side)
    assert torch.equal(out, model(x))  # evaluation leaves nothing behind
