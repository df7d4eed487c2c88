"""The error at a mismatched addition, compared with what PyTorch raises when the network runs."""

from __future__ import annotations

import pytest
import torch

from explorer.inspection import Op, inspect
from explorer.inspection.joins.pytorch_error import addition_error
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec


def addition(*shapes: tuple[int, ...], **attrs: bool) -> Op:
    return Op(2, "add", "", (0, 1), shapes, shapes[0], 0, attrs)


@pytest.mark.parametrize(
    "spec",
    [
        ResNetSpec().with_(shortcut="identity"),
        PRESETS["resnet50"].with_(shortcut="identity"),
        PRESETS["cifar_resnet20"].with_(widths=(16, 8, 4), image_size=64),
        PRESETS["preact_resnet164"].with_(depths=(1, 1, 1), shortcut="identity", image_size=64),
    ],
    ids=["map", "channels", "fewer channels than zero-padding gives", "pre-activation"],
)
def test_the_network_raises_this_error_when_it_runs(spec: ResNetSpec) -> None:
    report = inspect(spec, (3, 64, 64))
    with pytest.raises(RuntimeError) as raised, torch.inference_mode():
        build(spec).eval()(torch.zeros(1, 3, 64, 64))
    assert addition_error(report.trace.ops[report.findings[0].op]) == f"RuntimeError: {raised.value}"


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize(
    ("first", "second"),
    [((1, 8, 4, 4), (1, 4, 8, 8)), ((1, 3), (1, 64, 2, 2)), ((2, 8, 4), (2, 8, 5)), ((1, 4, 1, 1), (1, 4, 2, 2))],
)
def test_any_addition_raises_this_error(first: tuple[int, ...], second: tuple[int, ...], in_place: bool) -> None:
    a, b = torch.zeros(first), torch.zeros(second)
    try:
        _ = a.add_(b) if in_place else a + b
        expected = ""
    except RuntimeError as error:
        expected = f"RuntimeError: {error}"
    assert addition_error(addition(first, second, in_place=in_place)) == expected


def test_shapes_beyond_any_memory_have_an_error_too() -> None:
    op = addition((1, 2**15, 2**12, 2**12), (1, 2**15, 2**12, 2**12 + 1))
    assert "(4096) must match the size of tensor b (4097)" in addition_error(op)
