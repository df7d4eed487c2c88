"""The ONNX files: what onnxruntime computes from them is what PyTorch computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.network import build, onnx_export
from explorer.spec import PRESETS, Activation, Block, Norm, ResNetSpec, ZeroPlacement, from_json
from tests.support.paths import ROOT
from tests.support.strategies import described, fits, normalisable, small_specs

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = described(depths=(1, 2), widths=(8, 12), stem="cifar", num_classes=5, image_size=9, shortcut="zero_pad")
UP_TO_152_LAYERS = [name for name, spec in PRESETS.items() if spec.weighted_layers <= 152]


def assert_same(spec: ResNetSpec, path: Path, *batches: int) -> None:
    """Outputs of the file equal PyTorch's, relative to the largest logit, for each number of images."""
    onnx_export.write(spec, path)
    model = build(spec, seed=0).eval()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch in batches:
        image = noise(batch, spec)
        expected, (got,) = forward(model, image), session.run(["logits"], {"image": image.numpy()})
        assert got.shape == (batch, spec.num_classes)
        assert (expected - torch.from_numpy(got)).abs().max() <= 1e-4 * expected.abs().max()


def noise(batch: int, spec: ResNetSpec) -> Tensor:
    shape = (batch, spec.in_channels, spec.image_size, spec.image_size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(batch))


@torch.inference_mode()
def forward(model: nn.Module, image: Tensor) -> Tensor:
    return model(image)


# ---- the same outputs --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", UP_TO_152_LAYERS)
def test_presets_give_the_same_outputs(name, tmp_path):
    assert_same(PRESETS[name], tmp_path / "net.onnx", *((1, 2) if PRESETS[name].image_size < 224 else (1,)))


def test_the_presets_tested_are_those_of_the_papers():
    assert {"resnet152", "resnext101_64x4d", "wide_resnet101_2", "cifar_resnet110"} <= set(UP_TO_152_LAYERS)
    assert set(PRESETS) - set(UP_TO_152_LAYERS) == {"cifar_resnet1202", "preact_resnet164", "preact_resnet1001"}


@pytest.mark.parametrize("placement", ZeroPlacement)
def test_zero_padding_pads_on_its_side(placement, tmp_path):
    assert_same(SMALL.with_(zero_pad=placement), tmp_path / "net.onnx", 1, 2, 3)


@pytest.mark.parametrize(
    ("block", "norm", "activation"),
    [
        (Block.BASIC, Norm.GROUP, Activation.SILU),
        (Block.BOTTLENECK, Norm.NONE, Activation.LEAKY_RELU),
        (Block.PREACT_BASIC, Norm.BATCH, Activation.GELU),
        (Block.PREACT_BOTTLENECK, Norm.GROUP, Activation.RELU),
    ],
)
def test_blocks_norms_and_activations(block, norm, activation, tmp_path):
    spec = SMALL.with_(block=block, norm=norm, activation=activation, stem="deep", image_size=33)
    assert_same(spec.with_(shortcut="projection"), tmp_path / "net.onnx", 1, 2)


@pytest.mark.slow
@given(small_specs().filter(lambda spec: fits(spec) and normalisable(spec)))
@settings(max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_network_gives_the_same_outputs(tmp_path_factory, spec):
    assert_same(spec, tmp_path_factory.mktemp("onnx") / "net.onnx", 1, 2)


# ---- the file ----------------------------------------------------------------------------------------------


def dims(value: Any) -> list[str | int]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def test_the_file_says_what_it_is_and_nothing_of_this_machine(tmp_path):
    path = tmp_path / "net.onnx"
    onnx_export.write(SMALL, path)
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    assert [(v.name, dims(v)) for v in model.graph.input] == [("image", ["batch", 3, 9, 9])]
    assert [(v.name, dims(v)) for v in model.graph.output] == [("logits", ["batch", 5])]
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 20)]
    assert model.doc_string == "ResNet-8. Random initial weights (seed 0), not trained."
    facts = {p.key: p.value for p in model.metadata_props}
    assert from_json(facts["spec"]) == SMALL
    assert facts["weights"] == "Random initial weights (seed 0), not trained."
    whole = path.read_bytes()
    assert str(ROOT / "explorer").encode() not in whole
    assert b".py" not in whole
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_process_of_its_own_writes_the_same_file(tmp_path):
    onnx_export.write(SMALL, tmp_path / "here.onnx")
    onnx_export.write_apart(SMALL, tmp_path / "apart.onnx")
    here, apart = (onnx.load(tmp_path / f"{name}.onnx") for name in ("here", "apart"))
    assert [n.op_type for n in here.graph.node] == [n.op_type for n in apart.graph.node]
    assert [w.raw_data for w in here.graph.initializer] == [w.raw_data for w in apart.graph.initializer]


def test_what_exceeds_a_protobuf_is_refused_before_anything_is_built(tmp_path):
    huge = described(depths=(1,), widths=(8192,), stem="cifar", image_size=1, num_classes=1)
    for write in (onnx_export.write, onnx_export.write_apart):
        with pytest.raises(ExplorerError, match=r"has 1,208,238,081 parameters of four bytes; at most 500,000,000"):
            write(huge, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_one_at_a_time(tmp_path):
    with onnx_export._ONE, pytest.raises(onnx_export.Busy, match="Another ONNX file is being written"):
        onnx_export.write_apart(SMALL, tmp_path / "net.onnx")
