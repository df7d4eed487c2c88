"""What the diagram shows, and its DOT text word by word."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.inspection import Report, inspect
from explorer.inspection.outline import outline
from explorer.spec import PRESETS
from explorer.views.diagram.dot import to_dot
from explorer.views.diagram.locate import locate
from explorer.views.diagram.model import Diagram, Role, build_diagram, default_open, everything, stages
from explorer.views.diagram.svg import sentence
from tests import golden
from tests.support.drawings import NOTHING, SPECS, Calls, Inspect, conv, openable, report_named

pytestmark = pytest.mark.usefixtures("one_thread")


# ---- golden files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", golden.files())
def test_dot_text_is_the_golden_one(name, report_of: Inspect):
    preset, opened = golden.files()[name]
    report = report_of(preset)
    kept = (golden.FOLDER / name).read_text(encoding="utf-8")
    assert golden.text(report, opened(report)) == kept, golden.REGENERATE


def test_no_golden_file_is_left_over():
    assert {path.name for path in golden.FOLDER.glob("*.dot")} == set(golden.files()), golden.REGENERATE


# ---- folding ---------------------------------------------------------------------------------------------


def ids(diagram: Diagram) -> list[str]:
    return [node.id for node in diagram.nodes]


def test_everything_folded():
    diagram = build_diagram(inspect(PRESETS["resnet18"]), NOTHING)
    assert ids(diagram) == ["input", "stem", "layer1", "layer2", "layer3", "layer4", "head"]
    labels = {(e.source, e.target): e.label for e in diagram.edges}
    assert labels == {
        ("input", "stem"): "3×224×224",
        ("stem", "layer1"): "64×56×56",
        ("layer1", "layer2"): "64×56×56",
        ("layer2", "layer3"): "128×28×28",
        ("layer3", "layer4"): "256×14×14",
        ("layer4", "head"): "512×7×7",
    }
    assert diagram.groups == ()


def test_equal_neighbours_fold_to_a_run(report_of: Inspect):
    report = report_of("resnet50")
    diagram = build_diagram(report, stages(report))
    runs = {n.id: (n.lines[1], n.count, n.opens) for n in diagram.nodes if n.count > 1 and n.role is Role.BLOCK}
    assert runs == {
        "layer1.1-2": ("Bottleneck: 1×1 64, 3×3 64, 1×1 256", 2, "layer1.1-2"),
        "layer2.1-3": ("Bottleneck: 1×1 128, 3×3 128, 1×1 512", 3, "layer2.1-3"),
        "layer3.1-5": ("Bottleneck: 1×1 256, 3×3 256, 1×1 1024", 5, "layer3.1-5"),
        "layer4.1-2": ("Bottleneck: 1×1 512, 3×3 512, 1×1 2048", 2, "layer4.1-2"),
    }
    assert [(repeat.id, repeat.parent, repeat.count) for repeat in diagram.repeats] == [
        ("layer1.1-2", "layer1", 2), ("layer2.1-3", "layer2", 3),
        ("layer3.1-5", "layer3", 5), ("layer4.1-2", "layer4", 2),
    ]  # fmt: skip
    assert [g.lines for g in diagram.groups] == [
        ("layer1", "3 blocks"), ("layer2", "4 blocks"), ("layer3", "6 blocks"), ("layer4", "3 blocks"),
    ]  # fmt: skip
    first = diagram.node("layer2.0")
    assert first is not None
    assert first.lines == ("layer2.0", "Bottleneck: 1×1 128, 3×3 128 /2, 1×1 512", "512×28×28")
    shortcut = diagram.node("layer2.0:shortcut")
    assert shortcut is not None
    assert (shortcut.role, shortcut.lines) == (Role.PROJECTION, ("1×1 512 /2", "512×28×28"))


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet152", "cifar_resnet110", "preact_resnet164"])
@pytest.mark.parametrize("shortcut", ["projection", "projection_all", "zero_pad", "identity"])
def test_as_many_additions_are_seen_as_there_are_shortcuts(name, shortcut):
    report = inspect(PRESETS[name].with_(shortcut=shortcut))
    for opened in (stages(report), default_open(report), everything(report)):
        diagram = build_diagram(report, opened)
        repeats = {repeat.id: repeat.count for repeat in diagram.repeats}
        seen = [repeats.get(node.repeat or "", 1) for node in diagram.nodes if node.merge]
        assert sum(seen) == len(report.merges)
        # A repeat's frame holds the whole shortcut: its paths part at a point inside.
        source = to_dot(diagram)
        assert sorted(map(int, re.findall(r'label="× (\d+)\\l', source))) == sorted(repeats.values())
        around = source.count('label="  one around each block  \\n')
        forked = (
            {n.repeat for n in diagram.nodes} - {n.repeat for n in diagram.nodes if n.id.endswith(":shared")} - {None}
        )
        assert around == len(forked)


def test_a_pair_is_open_at_first_and_longer_repeats_are_folded(report_of: Inspect):
    report = report_of("resnet34")
    assert default_open(report) == stages(report) | {"layer4.1-2"}
    assert [(r.id, r.count) for r in build_diagram(report, default_open(report)).repeats] == [
        ("layer1.0-2", 3), ("layer2.1-3", 3), ("layer3.1-5", 5),
    ]  # fmt: skip


def test_runs_open_to_blocks_and_blocks_to_operations(report_of: Inspect):
    report = report_of("resnet50")
    opened = default_open(report) | {"layer3.1-5"}
    diagram = build_diagram(report, opened)
    assert diagram.node("layer3.1-5") is None
    assert [i for i in ids(diagram) if re.fullmatch(r"layer3\.\d", i)] == [f"layer3.{i}" for i in range(6)]
    assert all(node.count == 1 for node in diagram.nodes if node.id.startswith("layer3."))

    diagram = build_diagram(report, opened | {"layer3.2"})
    inside = [node for node in diagram.nodes if node.group == ("layer3", "layer3.2")]
    assert [node.id for node in inside] == [
        "layer3.2.conv1", "layer3.2.bn1", "layer3.2.relu", "layer3.2.conv2", "layer3.2.bn2", "layer3.2.relu~2",
        "layer3.2.conv3", "layer3.2.bn3", "layer3.2:add", "layer3.2.relu~3",
    ]  # fmt: skip
    assert [node.lines for node in inside[:2]] == [
        ("conv1", "1×1 conv, 256", "256×14×14"),
        ("bn1", "batch norm", "256×14×14"),
    ]
    assert [g.id for g in diagram.groups if g.parent] == ["layer3.2"]


def test_blocks_that_differ_do_not_fold():
    spec = PRESETS["cifar_resnet20"].with_(shortcut_overrides={"layer1.1": "projection_all"})
    diagram = build_diagram(inspect(spec), frozenset({"layer1"}))
    assert [n.id for n in diagram.nodes if n.role is Role.BLOCK] == ["layer1.0", "layer1.1", "layer1.2"]


@pytest.mark.parametrize("changed", [{"groups": 2}, {"dilation": 2, "padding": 2}])
def test_blocks_of_equal_shapes_that_compute_otherwise_do_not_fold(changed):
    usual = {"padding": 1}
    blocks = [nn.Sequential(nn.Conv2d(4, 4, 3, **options)) for options in (usual, usual, {**usual, **changed})]
    report = inspect(nn.Sequential(nn.Sequential(*blocks)), (4, 8, 8))
    diagram = build_diagram(report, stages(report))
    assert [n.id for n in diagram.nodes if n.role is Role.BLOCK] == ["0.0-1", "0.2"]
    assert diagram.repeats == (), "blocks without a shortcut are a box with two outlines"
    pair = build_diagram(report, default_open(report))
    assert [n.id for n in pair.nodes if n.role is Role.BLOCK] == ["0.0", "0.1", "0.2"]


def test_unknown_names_open_nothing(report_of: Inspect):
    report = report_of("resnet18")
    assert build_diagram(report, frozenset({"", "layer9", "nothing", "layer1.0.conv1", "\0"})) == build_diagram(
        report, NOTHING
    )


def test_shortcuts_and_sums_of_folded_blocks_have_their_roles():
    report = inspect(PRESETS["cifar_resnet20"].with_(shortcut_overrides={"layer3.0": "identity"}))
    diagram = build_diagram(report, default_open(report))
    found = {(e.source, e.target, e.role, e.broken) for e in diagram.edges if e.target.endswith(":add")}
    assert ("layer2.0:shortcut", "layer2.0:add", Role.ZERO_PAD, False) in found
    assert ("layer2.0", "layer2.0:add", Role.MAIN, False) in found
    assert ("layer2.2:add", "layer3.0:add", Role.IDENTITY, True) in found
    assert ("layer3.0", "layer3.0:add", Role.MAIN, True) in found
    assert {target for _, target, _, broken in found if broken} == {"layer3.0:add"}
    broken = [node.id for node in diagram.nodes if node.merge and not node.merge.fits]
    assert broken == ["layer3.0:add"]


def test_what_is_folded_says_that_it_contains_a_mismatch():
    report = inspect(PRESETS["resnet18"].with_(shortcut_overrides={"layer2.0": "identity"}))
    diagram = build_diagram(report, NOTHING)
    assert [n.id for n in diagram.nodes if n.hides_broken] == ["layer2"]
    stage = diagram.node("layer2")
    assert stage is not None
    assert stage.lines == ("layer2", "2 blocks · ✕ 1 mismatch", "128×28×28")
    assert sentence(stage) == "layer2, 2 blocks · ✕ 1 mismatch, 128×28×28, contains a shape mismatch."
    assert not any(n.hides_broken for n in build_diagram(report, frozenset({"layer2"})).nodes)


def test_a_plain_network_has_no_sums():
    report = inspect(PRESETS["resnet18"].plain())
    diagram = build_diagram(report, default_open(report))
    assert {node.role for node in diagram.nodes} == {Role.INPUT, Role.STEM, Role.BLOCK}
    assert len(diagram.edges) == len(diagram.nodes) - 1


# ---- whose operations ------------------------------------------------------------------------------------


@st.composite
def looks(draw: st.DrawFn) -> tuple[Report, frozenset[str]]:
    """A network, and any of its parts open, and some that don't open or aren't there."""
    name = draw(st.sampled_from(list(SPECS)))
    opened = st.frozensets(st.sampled_from([*openable(name), "layer9", "layer1.0.conv1"]))
    return report_named(name), draw(opened)


@st.composite
def two_looks(draw: st.DrawFn) -> tuple[Report, frozenset[str], frozenset[str]]:
    name = draw(st.sampled_from(list(SPECS)))
    opened = st.frozensets(st.sampled_from(openable(name)))
    return report_named(name), draw(opened), draw(opened)


def block_of(report: Report, index: int) -> str:
    """``layer3.2`` of an operation inside it."""
    return ".".join(report.trace.ops[index].path.split(".")[:2])


def owners(report: Report, diagram: Diagram) -> tuple[dict[int, str], set[int]]:
    """The node that stands for each operation, and the operations of a run's repeats among them.

    Fails where an operation has two nodes or none.
    """
    owner: dict[int, str] = {}
    for node in diagram.nodes:
        for index in node.ops:
            assert index not in owner
            owner[index] = node.id
    repeats: set[int] = set()
    for node in diagram.nodes:
        if node.count > 1:
            stage, _, number = block_of(report, node.ops[0]).partition(".")
            block = [i for i, op in enumerate(report.trace.ops) if block_of(report, i) == f"{stage}.{number}"]
            for repeat in range(1, node.count):
                for index in node.ops:
                    shifted = index + repeat * len(block)
                    assert block_of(report, shifted) == f"{stage}.{int(number) + repeat}"
                    assert shifted not in owner
                    owner[shifted] = node.id
                    repeats.add(shifted)
    assert owner.keys() == set(range(len(report.trace.ops)))
    return owner, repeats


@settings(max_examples=60)
@given(look=looks())
def test_every_operation_has_one_node_and_every_flow_one_edge(look):
    report, opened = look
    diagram = build_diagram(report, opened)
    assert len(set(ids(diagram))) == len(diagram.nodes)
    owner, repeats = owners(report, diagram)

    flows = {
        (owner[producer], owner[op.index])
        for op in report.trace.ops
        for producer in op.inputs
        if op.index not in repeats and owner[producer] != owner[op.index]
    }
    assert {(e.source, e.target) for e in diagram.edges} == flows
    targets = {e.target for e in diagram.edges}
    assert targets == set(ids(diagram)) - {"input"}  # nothing hangs in the air
    merges = {m.op: m for m in report.merges}
    into_broken = {owner[op] for op, m in merges.items() if not m.fits}
    if all(n.merge or n.role is not Role.STEM for n in diagram.nodes):
        assert {e.target for e in diagram.edges if e.broken} <= into_broken


@settings(max_examples=40)
@given(look=two_looks())
def test_ids_mean_the_same_whatever_else_is_open(look):
    report, one, other = look
    first, second = build_diagram(report, one), build_diagram(report, other)
    for node in first.nodes:
        twin = second.node(node.id)
        if twin is not None:
            assert (node.ops[0], node.merge) == (twin.ops[0], twin.merge)
    assert build_diagram(report, one) == first


@settings(max_examples=40)
@given(look=looks())
def test_opening_one_thing_moves_nothing_else(look):
    report, opened = look
    before = build_diagram(report, opened)
    for opens in {n.opens for n in before.nodes if n.opens}:
        after = build_diagram(report, opened | {opens})
        gone = [n for n in before.nodes if n not in after.nodes]
        come = [n for n in after.nodes if n not in before.nodes]
        assert opens in [n.opens for n in gone]
        prefix = opens.split("-")[0].partition(".")[0]
        if prefix in report.trace.containers:
            paths = {report.trace.ops[i].path for n in gone + come for i in n.ops}
            assert all(path.split(".")[0] == prefix for path in paths)
        owner, _ = owners(report, after)
        assert {owner[i] for n in gone for i in n.ops} <= {n.id for n in come}


def test_everything_open_shows_each_operation_once():
    for name in SPECS:
        report = report_named(name)
        diagram = build_diagram(report, frozenset(openable(name)))
        assert sorted(node.ops for node in diagram.nodes) == [(op.index,) for op in report.trace.ops]
        sums = [node for node in diagram.nodes if node.role is Role.MERGE]
        assert [node.merge for node in sums] == list(report.merges)


def test_a_run_that_is_open_is_seen_at_its_first_block(report_of: Inspect):
    report = report_of("resnet50")
    assert locate(report, stages(report), "layer1.1-2") == (stages(report), "layer1.1-2")
    assert locate(report, NOTHING, "layer1.1-2") == (frozenset({"layer1"}), "layer1.1-2")
    assert locate(report, default_open(report), "layer1.1-2") == (default_open(report), "layer1.1")


@settings(max_examples=40)
@given(look=looks(), data=st.data())
def test_whatever_is_hidden_can_be_found(look, data):
    """An operation under its own id; a module that ran something as a box, a frame or its first operation."""
    report, opened = look
    operations = [node.id for node in build_diagram(report, everything(report)).nodes]
    modules = sorted({op.path for op in report.trace.ops} - {""})
    wanted = data.draw(st.sampled_from([*operations, *modules]))
    wider, seen = locate(report, opened, wanted)
    diagram = build_diagram(report, wider)
    assert wider >= opened
    assert diagram.node(seen) or seen in [group.id for group in diagram.groups]
    assert seen == wanted or wanted not in operations
    assert locate(report, wider, seen) == (wider, seen)
    assert locate(report, opened, "nowhere") == (opened, "nowhere")


def test_everything_is_all_that_opens():
    for name in SPECS:
        report = report_named(name)
        assert everything(report) >= set(openable(name))
        assert build_diagram(report, everything(report)) == build_diagram(report, frozenset(openable(name)))


def test_units_are_stem_stages_and_head(report_of: Inspect):
    assert [u.id for u in outline(report_of("resnet50")).units] == [
        "stem", "layer1", "layer2", "layer3", "layer4", "head",
    ]  # fmt: skip
    assert [len(u.blocks) for u in outline(report_of("resnet50")).units] == [0, 3, 4, 6, 3, 0]


# ---- foreign networks ------------------------------------------------------------------------------------


class Add(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class OnlyAdds(nn.Module):
    """A stage whose sum is a module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.add = conv(), Add()

    def forward(self, x: Tensor) -> Tensor:
        return self.add(self.conv(x), x)


class Long(nn.Module):
    """A shortcut through another stage than the sum's."""

    def __init__(self) -> None:
        super().__init__()
        self.enc, self.side, self.mid = (nn.Sequential(nn.Sequential(conv())) for _ in range(3))
        self.dec = nn.ModuleList([AddsToConv()])

    def forward(self, x: Tensor) -> Tensor:
        a = self.enc(x)
        side = self.side(a)
        return self.dec[0](self.mid(a), side)


class AddsToConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = conv(), conv()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.relu(self.second(self.first(a)) + b)


def stage() -> nn.Module:
    return nn.Sequential(nn.Sequential(conv(), nn.ReLU()))


FOREIGN: dict[str, nn.Module] = {
    "sequential": nn.Sequential(stage(), stage()),
    "only loose operations": Calls(["a", torch.relu, "b"], a=conv(), b=conv()),
    "loose between stages": Calls(["a", "c", "b"], a=stage(), b=stage(), c=conv()),
    "a sum of its own": Calls(["body"], body=OnlyAdds()),
    "a stage called twice": Calls(["body", torch.relu, "body"], body=stage()),
    "a stage named stem": Calls(["a", "stem"], a=conv(), stem=stage()),
    "a layer named input": Calls(["input", "body"], input=conv(), body=stage()),
    "functions in stem and head": Calls(["a", torch.relu, "body", "b", torch.relu], a=conv(), body=stage(), b=conv()),
    "a shortcut through another stage": Long(),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_networks_lose_no_operation(name):
    report = inspect(FOREIGN[name], (4, 8, 8))
    for opened in (NOTHING, default_open(report), golden.expanded(report)):
        diagram = build_diagram(report, opened)
        owned = sorted(i for node in diagram.nodes for i in node.ops)
        assert owned == list(range(len(report.trace.ops)))
        assert len(set(ids(diagram))) == len(diagram.nodes)
        assert {e.target for e in diagram.edges} == set(ids(diagram)) - {"input"}
