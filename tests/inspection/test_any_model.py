"""Networks of other people: residual sums found in the published number, none invented."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.compat import torchvision
from explorer.errors import TraceError
from explorer.inspection import Report, inspect
from explorer.spec import PRESETS

import timm  # isort: skip  (imports torchvision, which needs the guard in explorer.compat first)

pytestmark = pytest.mark.usefixtures("one_thread")

# ---- torchvision -----------------------------------------------------------------------------------------

# Sums of two paths, from the papers.
TORCHVISION: dict[str, int] = {
    # No shortcuts at all, or paths that are concatenated or multiplied.
    **dict.fromkeys(("alexnet", "googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1"), 0),
    **{f"vgg{depth}{norm}": 0 for depth in (11, 13, 16, 19) for norm in ("", "_bn")},
    **{f"densenet{depth}": 0 for depth in (121, 161, 169, 201)},
    **{f"shufflenet_v2_x{width}": 0 for width in ("0_5", "1_0", "1_5", "2_0")},
    # One for each block: He et al. 2015 Table 1, Xie et al. 2017 Table 1, Zagoruyko & Komodakis 2016.
    "resnet18": 2 + 2 + 2 + 2,
    **dict.fromkeys(("resnet34", "resnet50", "resnext50_32x4d", "wide_resnet50_2"), 3 + 4 + 6 + 3),
    **dict.fromkeys(("resnet101", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet101_2"), 3 + 4 + 23 + 3),
    "resnet152": 3 + 8 + 36 + 3,
    # Radosavovic et al. 2020, Tables of Fig. 16 and 17: one for each block of d₁ … d₄.
    "regnet_x_400mf": 1 + 2 + 7 + 12,
    "regnet_x_800mf": 1 + 3 + 7 + 5,
    "regnet_x_1_6gf": 2 + 4 + 10 + 2,
    "regnet_x_3_2gf": 2 + 6 + 15 + 2,
    "regnet_x_8gf": 2 + 5 + 15 + 1,
    "regnet_x_16gf": 2 + 6 + 13 + 1,
    "regnet_x_32gf": 2 + 7 + 13 + 1,
    "regnet_y_400mf": 1 + 3 + 6 + 6,
    "regnet_y_800mf": 1 + 3 + 8 + 2,
    "regnet_y_1_6gf": 2 + 6 + 17 + 2,
    "regnet_y_3_2gf": 2 + 5 + 13 + 1,
    "regnet_y_8gf": 2 + 4 + 10 + 1,
    "regnet_y_16gf": 2 + 4 + 11 + 1,
    "regnet_y_32gf": 2 + 5 + 12 + 1,
    "regnet_y_128gf": 2 + 7 + 17 + 1,  # Singh et al. 2022, Table 9
    # Inverted residuals: all but the first of each stage, and the first where neither stride nor channels change.
    "mobilenet_v2": 1 + 2 + 3 + 2 + 2,  # Sandler et al. 2018, Table 2: n − 1 for n = 2, 3, 4, 3, 3; 0 for 1, 1
    "mobilenet_v3_large": 1 + 1 + 2 + 3 + 1 + 2,  # Howard et al. 2019, Table 1; the first keeps 16 channels
    "mobilenet_v3_small": 1 + 2 + 1 + 2,  # Table 2
    **{f"mnasnet{width}": 2 + 2 + 2 + 1 + 3 for width in ("0_5", "0_75", "1_0", "1_3")},  # Tan et al. 2019, Fig. 7
    # Tan & Le 2019, Table 1: repeats 1, 2, 2, 3, 3, 4, 1, times the depth coefficient and rounded up, less 1 each.
    "efficientnet_b0": 0 + 1 + 1 + 2 + 2 + 3 + 0,
    "efficientnet_b1": 1 + 2 + 2 + 3 + 3 + 4 + 1,  # × 1.1
    "efficientnet_b2": 1 + 2 + 2 + 3 + 3 + 4 + 1,  # × 1.2
    "efficientnet_b3": 1 + 2 + 2 + 4 + 4 + 5 + 1,  # × 1.4
    "efficientnet_b4": 1 + 3 + 3 + 5 + 5 + 7 + 1,  # × 1.8
    "efficientnet_b5": 2 + 4 + 4 + 6 + 6 + 8 + 2,  # × 2.2
    "efficientnet_b6": 2 + 5 + 5 + 7 + 7 + 10 + 2,  # × 2.6
    "efficientnet_b7": 3 + 6 + 6 + 9 + 9 + 12 + 3,  # × 3.1
    # Tan & Le 2021, Table 4 and the released code: the first stage keeps stride and channels, and adds in each block.
    "efficientnet_v2_s": 2 + 3 + 3 + 5 + 8 + 14,
    "efficientnet_v2_m": 3 + 4 + 4 + 6 + 13 + 17 + 4,
    "efficientnet_v2_l": 4 + 6 + 6 + 9 + 18 + 24 + 6,
    # Liu et al. 2022, §3: one for each block.
    "convnext_tiny": 3 + 3 + 9 + 3,
    **dict.fromkeys(("convnext_small", "convnext_base", "convnext_large"), 3 + 3 + 27 + 3),
    # Attention and MLP, two in each layer (Dosovitskiy et al. 2021, Eq. 2, 3); the position embedding is a parameter.
    **dict.fromkeys(("vit_b_16", "vit_b_32"), 2 * 12),
    **dict.fromkeys(("vit_l_16", "vit_l_32"), 2 * 24),
    "vit_h_14": 2 * 32,
    # Liu et al. 2021, §3.3: the same; the relative position bias is a parameter, a shifted window's mask a constant.
    **dict.fromkeys(("swin_t", "swin_v2_t"), 2 * (2 + 2 + 6 + 2)),
    **dict.fromkeys(("swin_s", "swin_b", "swin_v2_s", "swin_v2_b"), 2 * (2 + 2 + 18 + 2)),
    # Tu et al. 2022, Fig. 2: MBConv, then window and grid attention, each with its MLP.
    "maxvit_t": (1 + 2 + 2) * (2 + 2 + 5 + 2),
}


class _WeightsOnMeta(TorchFunctionMode):
    """What layers allocate has no memory and no values; what constructors compute with ``tensor`` or ``arange`` has."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.empty, torch.zeros, torch.ones):
            return func(*args, **{**kwargs, "device": "meta"})
        if getattr(func, "__module__", "") == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def built(name: str) -> nn.Module:
    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with _WeightsOnMeta():
        return torchvision.models.get_model(name, weights=None, **more)


def test_every_classification_model_is_listed():
    assert sorted(TORCHVISION) == torchvision.models.list_models(module=torchvision.models)


@pytest.mark.parametrize("name", TORCHVISION)
def test_sums_of_torchvisions_models(name: str):
    report = inspect(built(name), (3, 224, 224))
    assert len(report.merges) == TORCHVISION[name]
    assert report.findings == ()


# ---- timm ------------------------------------------------------------------------------------------------

TIMM: dict[str, int] = {
    "resnet18d": 8,  # ResNet-D (He T. et al. 2019): the shortcut pools, rounding up, before its 1×1
    "resnet50d": 16,
    "seresnet50": 16,  # squeeze and excitation multiplies
    "resnetv2_50": 16,  # pre-activation
    "resnetv2_50x1_bit": 16,  # with standardised weights and group norm
    "convnext_tiny": 18,
    "convnextv2_tiny": 2 * 18,  # Woo et al. 2023, §3: response normalisation has a residual connection of its own
    "regnetx_002": 1 + 1 + 4 + 7,
    "regnety_004": 1 + 3 + 6 + 6,
    "vit_tiny_patch16_224": 2 * 12,
    "deit_tiny_patch16_224": 2 * 12,
    # Gao et al. 2019, Eq. 1: besides, two sums between the splits of each block that is not the first of its stage.
    "res2net50_26w_4s": 16 + 2 * (16 - 4),
    "densenet121": 0,
    "vgg11": 0,
}


@pytest.mark.parametrize("name", TIMM)
def test_sums_of_timms_models(name: str):
    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False)
    report = inspect(model)
    assert len(report.merges) == TIMM[name]
    assert report.findings == ()


def test_resnet_d_fits_odd_maps_too():
    """Its pooling rounds up as its convolutions do."""
    with torch.device("meta"):
        model = timm.create_model("resnet18d", pretrained=False)
    assert [inspect(model, (3, side, side)).findings for side in (200, 225, 97)] == [()] * 3


# ---- inputs and outputs of any kind ----------------------------------------------------------------------


class Two(nn.Module):
    """Two inputs, a flag, and outputs in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(1, 8, 3, padding=1)

    def forward(self, x: Tensor, depth: Tensor, *, deep: bool = False) -> dict[str, Any]:
        total = self.left(x) + self.right(depth)
        return {"sum": total + total.relu() if deep else total, "parts": (x, [depth])}


def sums(report: Report) -> list[tuple[tuple[int, ...], str]]:
    return [(merge.branch_shape, merge.verdict.value) for merge in report.merges]


@pytest.mark.parametrize(
    "given",
    [
        {"input_size": [(3, 6, 6), (1, 6, 6)]},
        {"input_size": [(1, 3, 6, 6), (1, 1, 6, 6)]},
        {"inputs": [torch.zeros(1, 3, 6, 6), (1, 1, 6, 6)]},
        {"inputs": {"depth": torch.zeros(1, 1, 6, 6), "x": (1, 3, 6, 6), "deep": False}},
    ],
    ids=["shapes", "with batch", "positional", "by name"],
)
def test_several_inputs(given: dict[str, Any]):
    report = inspect(Two(), **given)
    assert sums(report) == []  # two inputs have nothing in common: their sum is no shortcut
    assert [op.name for op in report.operations] == ["input", "input", "conv", "conv", "add"]


def test_other_arguments_are_passed_on():
    deep = inspect(Two(), inputs={"x": (2, 3, 6, 6), "depth": (2, 1, 6, 6), "deep": True})
    assert sums(deep) == [((8, 6, 6), "match")]
    assert deep.operations[-1].shape == (2, 8, 6, 6)


def test_inputs_that_do_not_fit_each_other():
    (finding,) = inspect(Two(), [(3, 6, 6), (1, 4, 4)]).findings
    assert finding.merge is not None
    assert (finding.rule, finding.merge.shortcut_shape) == ("size-differs", (8, 4, 4))
    assert [p.path for p in finding.producers] == ["left", "right"]


def test_tokens_are_whole_numbers():
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.mix = nn.Embedding(10, 4), nn.Linear(4, 4)

        def forward(self, tokens: Tensor) -> Tensor:
            x = self.embed(tokens)
            return x + self.mix(x)

    report = inspect(Words(), inputs=[torch.zeros(1, 5, dtype=torch.long)])
    assert sums(report) == [((5, 4), "match")]


@pytest.mark.parametrize("layers", [2])
def test_torchs_own_transformer(layers: int):
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    report = inspect(nn.TransformerEncoder(layer, layers, enable_nested_tensor=False), inputs=[(1, 5, 8)])
    assert sums(report) == [((5, 8), "match")] * 2 * layers


def test_a_shared_block_is_found_each_time_it_runs():
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> tuple[Tensor, None]:
            for _ in range(3):
                x = x + self.block(x)
            return x, None

    report = inspect(nn.ModuleDict({"only": Shared()})["only"], (3, 6, 6))
    assert [merge.path for merge in report.merges] == [""] * 3
    assert report.params == 3 * 3 * 9 + 3


def test_what_a_forward_makes_without_naming_a_device():
    class Makes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.loose = torch.ones(3, 1, 1) * 2

        def forward(self, x: Tensor) -> Tensor:
            return (x + torch.zeros(3, 1, 1)) * self.loose + torch.arange(6)

    report = inspect(Makes(), (3, 6, 6))
    assert report.merges == ()
    assert report.operations[-1].shape == (1, 3, 6, 6)


def test_hooks_of_the_owner_do_not_run():
    seen: list[str] = []
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    net[0].register_forward_hook(lambda *_: seen.append("after"))
    net[0].register_forward_pre_hook(lambda *_: seen.append("before"))
    assert len(inspect(net, (3, 4, 4)).operations) == 3
    assert seen == []
    net(torch.zeros(1, 3, 4, 4))
    assert seen == ["before", "after"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_size": (3, 0, 4)}, r"\Ainput_size: got \(1, 3, 0, 4\); whole numbers from 1 on are allowed"),
        ({"input_size": (3, 4.5, 4)}, r"\Ainput_size: got \(1, 3, 4\.5, 4\); whole numbers"),
        ({"input_size": (3, 4, 4), "inputs": [(1, 3, 4, 4)]}, r"\AGive input_size or inputs, not both\.\Z"),
    ],
)
def test_inputs_that_are_none(given: dict[str, Any], message: str):
    with pytest.raises(TraceError, match=message):
        inspect(nn.Conv2d(3, 4, 1), **given)


def test_a_spec_takes_one_image():
    with pytest.raises(TraceError, match="a spec has one input, an image"):
        inspect(PRESETS["resnet18"], [(3, 32, 32), (3, 32, 32)])


# ---- lines -----------------------------------------------------------------------------------------------


def test_the_line_of_a_sum_is_that_of_the_program():
    report = inspect(Two(), [(3, 6, 6), (1, 6, 6)])
    first = Two.forward.__code__.co_firstlineno
    assert report.operations[-1].source == f"tests/inspection/test_any_model.py:{first + 1}"
    assert [op.source for op in report.operations if op.name == "input"] == ["", ""]


def test_lines_of_installed_packages_start_at_the_package():
    report = inspect(built("resnet18"))
    sources = {report.operations[merge.op].source.rpartition(":")[0] for merge in report.merges}
    assert sources == {"torchvision/models/resnet.py"}


def test_no_lines_where_nobody_wrote_any():
    assert {op.source for op in inspect(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), (3, 4, 4)).operations} == {""}
    assert {op.source for op in inspect(PRESETS["cifar_resnet20"]).operations} == {""}
