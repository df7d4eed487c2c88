"""ONNX files: the graph and its sums as the network that was exported has them; hostile files refused."""

from __future__ import annotations

import contextlib
import json
import random
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
from explorer.inspection.onnx.graph import inspect_onnx, read, report_of
from explorer.inspection.onnx.parsing import MAX_NODES
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


def test_other_files_are_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes need none of their values, and a path in a file is not followed."""
    opened: list[Any] = []
    for reader in ("load_external_data_for_tensor", "load_external_data_for_model"):
        monkeypatch.setattr(onnx.external_data_helper, reader, lambda *given: opened.append(given))
    graph = read(with_external_weight().SerializeToString())
    assert (
        graph["notes"][0] == "The values of 1 tensor are kept in another file, which was not opened: shapes need none."
    )
    assert report_of(graph).report.params == 4 * 4 * 9
    assert report_of(graph).report.macs == 8 * 8 * 4 * 4 * 9
    assert read(with_external_constant().SerializeToString())["notes"][0].startswith("The values of 2 tensors are kept")
    assert opened == []


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no ONNX file, or its graph is empty"),
        (b"<!doctype html>", "it is a web page, not the file itself"),
        (b"\xff" * 100, "damaged, or no ONNX file"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "it is a Git LFS pointer, not the file itself"),
        (b"\x08\x08\x3a\xff\x0fabc", "it is cut off: at least 2,044 bytes are missing at its end"),
    ],
)
def test_other_files_are_refused(data: bytes, match: str) -> None:
    with pytest.raises(TraceError, match=match):
        inspect_onnx(data)


def mystery() -> Any:
    """A block around an operator that only its maker knows, with a projection on its shortcut."""
    return model_of(
        [
            conv("x", "w1", "a", 2),
            helper.make_node("Mystery", ["a", "w2"], ["b"], domain="org.example"),
            conv("x", "w3", "c", 2),
            helper.make_node("Add", ["b", "c"], ["d"]),
            helper.make_node("Relu", ["d"], ["y"]),
        ],
        w1=(8, 4, 3, 3),
        w2=(5, 5),
        w3=(8, 4, 3, 3),
    )


def test_an_unknown_operator_is_drawn_as_unknown_and_its_work_named() -> None:
    graph = read(mystery().SerializeToString())
    assert graph["notes"][1:] == [
        "The shapes of 3 of 6 operations are unknown, and sums of them are not checked; the first is 'Mystery', which "
        "gives 'b'.",
        "Not counted in the MACs: 'Mystery' (1×).",
    ]
    report = report_of(graph).report
    assert (report.params, report.macs) == (2 * 8 * 4 * 9 + 25, 2 * 16 * 8 * 4 * 9)
    assert (report.merges, report.findings, report.receptive_field) == ((), (), None)
    lines = [node.lines for node in build_diagram(report, frozenset({"stem"})).nodes]
    assert [line for line in lines if "shape unknown" in line] == [
        ("Mystery_2", "Mystery", "shape unknown"),
        ("Add_4", "Add", "shape unknown"),
        ("Relu_5", "Relu", "shape unknown"),
    ]


def test_a_shape_that_the_file_notes_is_believed_of_an_unknown_operator() -> None:
    model = mystery()
    model.graph.value_info.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, [1, 8, 4, 4]))
    report = report_of(read(model.SerializeToString())).report
    assert [merge.verdict for merge in report.merges] == [Verdict.MATCH]
    assert report.receptive_field is None


@pytest.mark.parametrize(
    ("given", "size"),
    [([(2, 3, 32, 48)], (2, 3, 32, 48)), ({"x": (1, 3, 7, 9)}, (1, 3, 7, 9)), ([], (1, 3, 224, 224))],
)
def test_given_shapes_fill_open_sides(given: Any, size: tuple[int, ...]) -> None:
    data = model_of([helper.make_node("Relu", ["x"], ["y"])], ("n", 3, "h", "w")).SerializeToString()
    graph = read(data, given)
    assert report_of(graph).report.input_size == size
    assert ("is taken" in graph["notes"][0]) == (not given)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([(1, 4, 8, 8)], "--input: 'x' is any×3×any×any in the ONNX file, batch included; got 1×4×8×8"),
        ([(3, 8, 8)], "--input: 'x' is any×3×any×any in the ONNX file, batch included; got 3×8×8"),
        ([(1, 3, 8, 8), (1,)], "--input: got 2 shapes; the ONNX file has 1 inputs: 'x'"),
        ({"z": (1,)}, "--input: the ONNX file has no input 'z'; it has 'x'"),
    ],
)
def test_given_shapes_must_agree_with_the_file(given: Any, match: str) -> None:
    data = model_of([helper.make_node("Relu", ["x"], ["y"])], ("n", 3, "h", "w")).SerializeToString()
    with pytest.raises(TraceError) as caught:
        read(data, given)
    assert str(caught.value) == match


def test_open_sides_of_one_name_have_one_length() -> None:
    model = model_of([helper.make_node("Add", ["x", "z"], ["y"])], ("n", "length", 4))
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", "length", 1]))
    graph = read(model.SerializeToString(), {"z": (2, 5, 1)})
    assert [tuple(op["shape"]) for op in graph["ops"]] == [(2, 5, 4), (2, 5, 1), (2, 5, 4)]


def test_damaged_files_are_refused_or_shown() -> None:
    """Cut at any byte, or with any byte changed: no other error, and the report of what is left can be drawn."""
    chance, shown = random.Random(0), 0
    seeds = [broken().SerializeToString(), mystery().SerializeToString(), with_external_constant().SerializeToString()]
    for turn in range(450):
        data = bytearray(seeds[turn % 3])
        if turn % 4 == 0:
            del data[chance.randrange(len(data)) :]
        for _ in range(chance.choice((0, 1, 3))):
            at = chance.randrange(len(data) or 1)
            data[at : at + 1] = chance.randbytes(1)
        with contextlib.suppress(TraceError):
            report = report_of(json.loads(json.dumps(read(bytes(data))))).report
            report.to_dict()
            assert build_diagram(report, default_open(report)).nodes
            assert report.findings is not None
            shown += 1
    assert shown > 50


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
    given = CliRunner().invoke(app, ["check", str(path), "--input", "1x3x8x8"])
    assert (given.exit_code, given.stderr) == (
        2,
        "Error: --input: 'x' is 1×4×8×8 in the ONNX file, batch included; got 1×3×8×8\n",
    )
    listed = CliRunner().invoke(app, ["check", str(path), "--input", "[1x3x8x8]"])
    assert "the inputs of an ONNX file are tensors" in listed.stderr
    coded = CliRunner().invoke(app, ["code", str(path)])
    assert (coded.exit_code, "can only be inspected, checked and drawn" in coded.stderr) == (2, True)
