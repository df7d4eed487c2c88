"""ONNX files: the graph and its sums as the network that was exported has them; hostile files refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from typer.testing import CliRunner

from explorer.cli import app
from explorer.errors import TraceError
from explorer.inspection import Verdict, inspect
from explorer.inspection.onnx.graph import MAX_NODES, inspect_onnx, read, report_of
from explorer.network import build
from explorer.spec import Block, ResNetSpec, Shortcut, Stem, ZeroPlacement
from explorer.views.diagram.model import build_diagram, default_open

SPECS = {
    "projection": ResNetSpec(depths=(1, 2), widths=(8, 16), num_classes=4, image_size=64),
    "zero_pad": ResNetSpec(
        depths=(1, 2),
        widths=(8, 16),
        shortcut=Shortcut.ZERO_PAD,
        zero_pad=ZeroPlacement.SPLIT,
        stem=Stem.CIFAR,
        num_classes=4,
        image_size=32,
    ),
    "bottleneck": ResNetSpec(
        depths=(1, 1), widths=(8, 16), block=Block.BOTTLENECK, groups=2, num_classes=4, image_size=32
    ),
}


@pytest.fixture(scope="module", params=[(name, new) for name in SPECS for new in (True, False)], ids=str)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[ResNetSpec, bytes]:
    """A network as torch's new and old exporter write it; the old one keeps batch norms, the new one folds them."""
    name, new = request.param
    spec, path = SPECS[name], tmp_path_factory.mktemp("onnx") / "net.onnx"
    torch.manual_seed(0)
    model = build(spec)
    for parameter in model.parameters():  # equal tensors would be stored once
        torch.nn.init.normal_(parameter)
    image = torch.zeros(1, 3, spec.image_size, spec.image_size)
    options: dict[str, Any] = {"external_data": False, "verbose": False} if new else {"do_constant_folding": False}
    torch.onnx.export(
        model.eval(), (image,), str(path), dynamo=new, training=torch.onnx.TrainingMode.PRESERVE, **options
    )
    return spec, path.read_bytes()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_exported_network_is_shown_as_it_is(exported: tuple[ResNetSpec, bytes]) -> None:
    spec, data = exported
    got, wanted = inspect_onnx(data), inspect(spec)
    assert got.spec is None
    assert got.macs == wanted.macs
    assert got.receptive_field == wanted.receptive_field
    assert got.input_size == wanted.input_size
    assert [facts(merge) for merge in got.merges] == [facts(merge) for merge in wanted.merges]
    folded = not any(op.name == "batch_norm" for op in got.operations)
    norms = sum(count for path, count in wanted.trace.params.items() if "bn" in path or path.endswith("downsample.1"))
    assert got.params == (wanted.params - norms // 2 if folded else wanted.params)
    shown = [node.id for node in build_diagram(got, default_open(got)).nodes]
    assert shown == [node.id for node in build_diagram(wanted, default_open(wanted)).nodes]
    pads = [op.attrs["pad"] for op in got.operations if op.name == "pad"]
    assert pads == ([(0, 0, 0, 0, 4, 4, 0, 0)] if spec.shortcut is Shortcut.ZERO_PAD else [])


def facts(merge: Any) -> tuple[object, ...]:
    return merge.path, merge.kind, merge.verdict, merge.branch_shape, merge.shortcut_shape


def model_of(nodes: Sequence[Any], size: Sequence[int | str] = (1, 4, 8, 8), **stored: tuple[int, ...]) -> Any:
    """An ONNX model that reads ``x`` and gives ``y``; ``stored`` are its weights' shapes."""
    weights = [
        helper.make_tensor(name, TensorProto.FLOAT, shape, [0.0] * torch.Size(shape).numel())
        for name, shape in stored.items()
    ]
    graph = helper.make_graph(
        list(nodes),
        "main_graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("org.example", 1)])


def conv(source: str, weight: str, target: str, stride: int) -> Any:
    return helper.make_node("Conv", [source, weight], [target], kernel_shape=[3, 3], strides=[stride] * 2, pads=[1] * 4)


def broken() -> Any:
    """Two blocks whose shortcuts were forgotten, one after the other, and a third that fits."""
    return model_of(
        [
            conv("x", "w1", "a", 2),
            helper.make_node("Add", ["a", "x"], ["b"]),
            conv("b", "w2", "c", 2),
            helper.make_node("Add", ["b", "c"], ["d"]),
            conv("d", "w3", "e", 1),
            helper.make_node("Add", ["e", "d"], ["f"]),
            helper.make_node("GlobalAveragePool", ["f"], ["y"]),
        ],
        w1=(8, 4, 3, 3),
        w2=(16, 8, 3, 3),
        w3=(16, 16, 3, 3),
    )


def test_every_sum_that_does_not_fit_is_found_in_one_go() -> None:
    report = inspect_onnx(broken().SerializeToString())
    verdicts = [(merge.branch_shape, merge.shortcut_shape, merge.verdict) for merge in report.merges]
    assert verdicts == [
        ((8, 4, 4), (4, 8, 8), Verdict.MISMATCH),
        ((16, 2, 2), (8, 4, 4), Verdict.MISMATCH),
        ((16, 2, 2), (16, 2, 2), Verdict.MATCH),
    ]
    assert report.broken[0].explanation == (
        "Add_2: the branch gives 8×4×4, the shortcut 4×8×8: 4 vs 8 channels and a 8×8 vs 4×4 map. "
        "A 1×1 projection with stride 2 would match (+32 weights)."
    )
    assert report.name == "ONNX network"
    assert report.params == 8 * 4 * 9 + 16 * 8 * 9 + 16 * 16 * 9


def test_a_sum_that_pytorch_would_repeat_is_no_match() -> None:
    nodes = [conv("x", "w", "a", 1), helper.make_node("GlobalAveragePool", ["x"], ["b"])]
    report = inspect_onnx(
        model_of([*nodes, helper.make_node("Add", ["a", "b"], ["y"])], w=(4, 4, 3, 3)).SerializeToString()
    )
    assert [merge.verdict for merge in report.merges] == [Verdict.BROADCAST]


def test_open_sides_of_the_input_are_said() -> None:
    graph = read(model_of([helper.make_node("Relu", ["x"], ["y"])], ("n", 3, "h", "w")).SerializeToString())
    assert report_of(graph).report.input_size == (1, 3, 224, 224)
    assert graph["notes"][0] == "The file leaves the size of its input open: 3×224×224 is taken."


def test_a_graph_of_100_000_nodes_is_cut_visibly() -> None:
    nodes = [helper.make_node("Relu", [f"t{i}" if i else "x"], [f"t{i + 1}"]) for i in range(100_000)]
    found = report_of(read(model_of(nodes).SerializeToString()))
    assert len(found.report.operations) == MAX_NODES + 1
    assert found.report.name == "ONNX network (the first 5,000 of 100,000 nodes)"
    assert found.notes[0] == "The graph has 100,000 nodes; only the first 5,000 are shown, checked and counted."


def external(tensor: Any) -> Any:
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"
    return tensor


def with_external_weight() -> Any:
    model = model_of([conv("x", "w", "y", 1)], w=(4, 4, 3, 3))
    external(model.graph.initializer[0])
    return model


def with_external_constant() -> Any:
    """Hidden in the branch of a condition."""
    hidden = external(helper.make_tensor("hidden", TensorProto.FLOAT, [1], [0.0]))
    inner = helper.make_graph([helper.make_node("Constant", [], ["c"], value=hidden)], "inner", [], [])
    return model_of([helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)])


@pytest.mark.parametrize("make", [with_external_weight, with_external_constant])
def test_other_files_are_never_opened(make: Any) -> None:
    with pytest.raises(TraceError, match=r"it keeps '(w|hidden)' in another file, which is not opened"):
        inspect_onnx(make().SerializeToString())


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no ONNX file, or its graph is empty"),
        (b"<!doctype html>", "damaged, or no ONNX file|its graph is empty"),
        (b"\xff" * 100, "damaged, or no ONNX file"),
    ],
)
def test_other_files_are_refused(data: bytes, match: str) -> None:
    with pytest.raises(TraceError, match=match):
        inspect_onnx(data)


def test_a_shape_that_cannot_be_worked_out_is_named() -> None:
    unknown = helper.make_node("Mystery", ["x"], ["y"], domain="org.example")
    with pytest.raises(TraceError, match="the shape that Mystery gives to 'y' is unknown"):
        inspect_onnx(model_of([unknown]).SerializeToString())


def test_the_command_line_checks_and_draws_an_onnx_file(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(broken(), path)
    checked = CliRunner().invoke(app, ["check", str(path)])
    assert checked.exit_code == 1
    assert "✕ 2 of 3 shortcuts do not match" in checked.stdout
    told = json.loads(CliRunner().invoke(app, ["inspect", "--json", str(path)]).stdout)
    assert [merge["verdict"] for merge in told["merges"]] == ["mismatch", "mismatch", "match"]
    link = tmp_path / "link.onnx"
    link.symlink_to(path)
    refused = CliRunner().invoke(app, ["check", str(link)])
    assert (refused.exit_code, "links are not followed" in refused.stderr) == (2, True)
    coded = CliRunner().invoke(app, ["code", str(path)])
    assert (coded.exit_code, "can only be inspected, checked and drawn" in coded.stderr) == (2, True)
