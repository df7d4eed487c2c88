"""What the inspector says, held against the network itself."""

from __future__ import annotations

import ast
import re

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from explorer.inspection import Report, inspect
from explorer.inspection.saved_tensors import find_saved_tensors
from explorer.network import build
from explorer.network.codegen import source
from explorer.spec import PRESETS, ResNetSpec, Shortcut
from explorer.spec.options import modes_of_block
from explorer.views.diagram.model import Node, build_diagram, default_open, everything
from explorer.views.inspector.arithmetic import op_sums, path_sums
from explorer.views.inspector.code_lines import block_lines, merge_lines, op_lines, stage_lines
from explorer.views.inspector.formulas import block_formulas, formulas_of_blocks, op_formula
from explorer.views.inspector.panel import empty, inspector
from explorer.views.inspector.paper import block_place, head_place, stage_place, stem_place
from explorer.views.inspector.shortcut_choice import AS_NETWORK, control
from tests.support.strategies import derails, described, normalisable, specs

MIXED = described(
    depths=(2, 4),
    widths=(8, 16),
    image_size=32,
    stem="cifar",
    shortcut_overrides={"layer2.0": "zero_pad", "layer2.1": "projection_all", "layer2.3": "none"},
)
SPECS = {
    "resnet18": PRESETS["resnet18"],
    "resnet50, identity": PRESETS["resnet50"].with_(shortcut="identity"),
    "cifar_resnet20": PRESETS["cifar_resnet20"],
    "deep stem, group norm": PRESETS["resnext50_32x4d"].with_(stem="deep", norm="group", activation="gelu"),
    "no norm": PRESETS["resnet18"].with_(norm="none"),
    "pre-activation": PRESETS["preact_resnet164"].with_(depths=(3, 4, 2)),
    "mixed": MIXED,
    "mixed pre-activation": MIXED.with_(block="preact_basic"),
}


def words(html: str) -> str:
    """Text of some markup, spaces collapsed."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def node_of(report: Report, name: str, opened: frozenset[str] | None = None) -> Node:
    node = build_diagram(report, default_open(report) if opened is None else opened).node(name)
    assert node is not None
    return node


def plan_of(spec: ResNetSpec, path: str):
    return next(plan for plan in spec.blocks if plan.path == path)


# ---- PyTorch lines ---------------------------------------------------------------------------------------


def assert_lines_make_the_layers(spec: ResNetSpec) -> None:
    """Every constructor line, run, gives a module that prints as the network's own."""
    report = inspect(spec)
    modules = dict(build(spec, device="meta").named_modules())
    distinct = {(op.name, op.in_shapes, repr(op.attrs), *op.path.split(".")[2:]): op for op in report.trace.ops[1:]}
    file: dict[str, object] = {"__name__": "network"}
    exec(source(spec), file)
    for op in distinct.values():
        lines = op_lines(report, op)
        assert lines.calls, op
        if op.name in ("add", "view"):
            assert lines.makes == ""
            continue
        with torch.device("meta"):
            made = eval(lines.makes.partition(" = ")[2] if lines.makes.startswith("self.") else lines.makes, dict(file))
        expected = modules[op.path]
        assert type(made).__name__ == type(expected).__name__
        if isinstance(expected, nn.AdaptiveAvgPool2d):  # 1 and (1, 1) are the same size
            assert made.output_size == 1
        elif type(expected).__module__.startswith("torch"):
            assert repr(made) == repr(expected)
    leaves = {path for path, m in modules.items() if not list(m.children()) and not isinstance(m, nn.Identity)}
    assert leaves <= {op.path for op in report.trace.ops}


@pytest.mark.parametrize("name", PRESETS)
def test_constructor_lines_make_the_layers_of_every_preset(name):
    assert_lines_make_the_layers(PRESETS[name])


@pytest.mark.parametrize("name", SPECS)
def test_constructor_lines_make_the_layers_of_unusual_networks(name):
    assert_lines_make_the_layers(SPECS[name])


@given(specs().filter(lambda spec: normalisable(spec) and not derails(spec)))
@settings(max_examples=25)
def test_constructor_lines_make_the_layers_of_any_network(spec):
    assert_lines_make_the_layers(spec)


def test_lines_of_a_sum_a_stage_and_a_repeated_activation():
    report = inspect(PRESETS["resnet18"])
    lines = merge_lines(report, "layer2.0")
    assert lines.makes == "BasicBlock(64, 128, stride=2, downsample=projection(64, 128, stride=2))"
    assert lines.calls.splitlines()[-1] == "    return self.relu(self.branch(x) + shortcut)"
    assert stage_lines(report, "layer2").makes == (
        "self.layer2 = nn.Sequential(\n"
        "    BasicBlock(64, 128, stride=2, downsample=projection(64, 128, stride=2)),\n"
        "    BasicBlock(128, 128),\n"
        ")"
    )
    relus = [op_lines(report, op).calls for op in report.trace.ops if op.path == "layer2.0.relu"]
    assert relus == ["out = self.relu(self.bn1(self.conv1(x)))", "return self.relu(self.branch(x) + shortcut)"]


def test_lines_of_a_block_are_python():
    for spec in SPECS.values():
        for plan in spec.blocks:
            lines = block_lines(inspect(spec), plan.path)
            ast.parse(lines.makes)
            ast.parse(lines.calls)
            assert lines.calls.count("def ") == 2


def test_a_foreign_module_has_no_lines_and_no_place():
    report = inspect(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), (3, 8, 8))
    assert op_lines(report, report.trace.ops[1]).makes == ""
    text = words(inspector(report, node_of(report, "0", frozenset({"stem", "head"}))))
    assert "In PyTorch" not in text
    assert "In the paper" not in text
    assert "⌊(8 + 2·0 − 1·(3 − 1) − 1) ÷ 1⌋ + 1 = 6" in text


# ---- arithmetic ------------------------------------------------------------------------------------------


def value_of(sum_: str) -> tuple[float, int]:
    """What the left side of a sum comes to, and what stands on the right."""
    left, _, right = sum_.rpartition(" = ")
    left = re.sub(r"max\(\w+ (\d+), \w+ (\d+)\)", r"max(\1, \2)", left)
    for sign, python in (("⌊", "int("), ("⌋", ")"), ("·", "*"), ("×", "*"), ("÷", "/"), ("−", "-")):
        left = left.replace(sign, python)
    assert re.fullmatch(r"[\d\s+*/(),.\-intmax]+", left), left
    return eval(left), int(right.removesuffix(" px").replace(",", ""))


@pytest.mark.parametrize("name", SPECS)
def test_every_sum_adds_up_to_what_was_traced(name):
    report = inspect(SPECS[name])
    for op in report.trace.ops[1:]:
        sums = {what: sum_ for what, sum_ in op_sums(report, op) if "=" in sum_}
        field = report.receptive_fields[op.index]
        truth = {
            "Output side": op.shape[2] if len(op.shape) > 2 else 0,
            "Parameters": report.trace.params.get(op.path, 0),
            "MACs": op.macs,
            "Receptive field": field.size if field else 0,
            "Stride": field.jump if field else 0,
        }
        for what, sum_ in sums.items():
            assert value_of(sum_) == (truth[what], truth[what]), (op, what)
        if op.name == "conv":
            assert sums.keys() >= {"Output side", "Parameters", "MACs", "Receptive field"}


def test_the_sums_of_one_block():
    report = inspect(PRESETS["resnet18"])
    block = [op.index for op in report.trace.ops if op.path.startswith("layer2.0")]
    assert dict(path_sums(report, block)) == {
        "conv1": "43 + (3 − 1) × 4 = 51 px; stride 4 × 2 = 8 px",
        "conv2": "51 + (3 − 1) × 8 = 67 px",
        "downsample.0": "43 + (1 − 1) × 4 = 43 px; stride 4 × 2 = 8 px",
        "addition": "max(branch 67, shortcut 43) = 67 px",
    }


# ---- formulas --------------------------------------------------------------------------------------------


def plain(lines) -> list[str]:
    return [re.sub(r"</?su[bp]>", "", line) for line in lines]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["y = ReLU(F(x) + BN(Ws·x))", "F(x) = BN2(W2·ReLU(BN1(W1·x)))"]),
        ({"shortcut": "zero_pad"}, ["y = ReLU(F(x) + pad(x))", "F(x) = BN2(W2·ReLU(BN1(W1·x)))"]),
        ({"shortcut": "none"}, ["y = ReLU(F(x))", "F(x) = BN2(W2·ReLU(BN1(W1·x)))"]),
        ({"norm": "none", "activation": "gelu"}, ["y = GELU(F(x) + Ws·x)", "F(x) = W2·GELU(W1·x)"]),
        (
            {"block": "bottleneck", "norm": "group"},
            ["y = ReLU(F(x) + GN(Ws·x))", "F(x) = GN3(W3·ReLU(GN2(W2·ReLU(GN1(W1·x)))))"],
        ),
        ({"block": "preact_basic"}, ["y = F(a) + Ws·a, a = ReLU(BN1(x))", "F(a) = W2·ReLU(BN2(W1·a))"]),
        (
            {"block": "preact_basic", "shortcut": "zero_pad"},
            ["y = F(a) + pad(x), a = ReLU(BN1(x))", "F(a) = W2·ReLU(BN2(W1·a))"],
        ),
    ],
)
def test_a_block_reads_as_it_is_built(changes, expected):
    spec = PRESETS["resnet18"].with_(**changes)
    assert plain(block_formulas(spec, plan_of(spec, "layer2.0")))[:2] == expected


@pytest.mark.parametrize(
    ("changes", "formula", "letters", "params"),
    [
        ({}, "s(x) = BN(Ws·x)", "Ws: 1×1, 64 → 128, stride 2", "1 × 1 × 64 × 128 + 2 × 128 = 8,448"),
        ({"block": "preact_basic"}, "s(a) = Ws·a", "Ws: 1×1, 64 → 128, stride 2", None),
        ({"shortcut": "zero_pad"}, "s(x) = pad(x)", "pad(x): every 2nd pixel of x, and 64 channels of zeros", None),
    ],
)
def test_a_shortcut_says_what_it_does_and_costs(changes, formula, letters, params):
    report = inspect(PRESETS["resnet18"].with_(**changes))
    said = words(inspector(report, node_of(report, "layer2.0:shortcut")).replace("<sub>", "").replace("</sub>", ""))
    assert "The shortcut: gives x the shape of F(x)" in said or changes == {"block": "preact_basic"}
    assert formula in said
    assert letters in said
    assert params is None or params in said


def test_what_stands_for_what():
    spec = PRESETS["resnet50"].with_(stride_on="v1", shortcut_overrides={"layer3.0": "zero_pad"})
    assert plain(block_formulas(spec, plan_of(spec, "layer2.0")))[2:] == [
        "W1: 1×1, 256 → 128, stride 2; W2: 3×3, 128 → 128; W3: 1×1, 128 → 512",
        "Ws: 1×1, 256 → 512, stride 2",
    ]
    assert plain(block_formulas(spec, plan_of(spec, "layer3.0")))[3:] == [
        "pad(x): every 2nd pixel of x, and 512 channels of zeros"
    ]
    assert [(*plain([formula]), paths[:2]) for formula, paths in formulas_of_blocks(spec).items()] == [
        ("y = ReLU(F(x) + pad(x))", ["layer3.0"]),
        ("y = ReLU(F(x) + BN(Ws·x))", ["layer1.0", "layer2.0"]),
        ("y = ReLU(F(x) + x)", ["layer1.1", "layer1.2"]),
    ]


def test_every_operation_of_a_spec_has_a_formula():
    for spec in SPECS.values():
        assert all(op_formula(op) for op in inspect(spec).trace.ops[1:])


# ---- the paper's tables ----------------------------------------------------------------------------------


def test_a_block_is_found_in_table_1():
    spec = PRESETS["resnet50"].with_(stride_on="v1")
    place = block_place(spec, plan_of(spec, "layer2.1"), 28)
    assert place.where == "conv3_x, block 2 of 4 of ResNet-50 (He et al. 2015, Table 1)"
    assert place.says == "[1×1, 128; 3×3, 128; 1×1, 512] × 4, output 28×28"
    assert place.differs == ()
    assert block_place(spec, plan_of(spec, "layer2.0"), 28).differs == ()
    run = block_place(spec, plan_of(spec, "layer3.1"), 14, 5)
    assert run.where == "conv4_x, blocks 2 to 6 of 6 of ResNet-50 (He et al. 2015, Table 1)"


def test_what_differs_from_the_table_is_said():
    spec = PRESETS["wide_resnet50_2"].with_(shortcut_overrides={"layer2.0": "identity"}, image_size=64)
    assert block_place(spec, plan_of(spec, "layer2.0"), 8).differs == (
        "Here it is [1×1, 256; 3×3, 256; 1×1, 512].",
        "Here the output is 8×8, from an image of 64×64.",
        "The authors' network strides in the first 1×1 (v1); here the 3×3 does (v1.5, as in torchvision).",
        "The paper's shortcut is option B, a projection where the shape changes; here x passes unchanged.",
    )
    # Table 3 measures ResNet-34 with all three options: with others, an option is no difference but a note.
    for mode in ("zero_pad", "projection", "projection_all"):
        place = stage_place(PRESETS["resnet34"].with_(shortcut=mode), 2, 28)
        assert (place.differs, place.notes) == ((), ())
    place = stage_place(PRESETS["resnet18"], 2, 28)
    assert place.differs == ()
    assert place.notes == (
        "Here a projection (option B). Table 3 of He et al. 2015 compares A, B and C on ResNet-34; the paper's "
        "ResNet-18 has option A, zero-padding.",
    )
    assert stage_place(PRESETS["resnet18"].with_(shortcut="zero_pad"), 2, 28).notes == ()
    place = block_place(
        PRESETS["resnet50"].with_(shortcut="none"), plan_of(PRESETS["resnet50"].plain(), "layer1.1"), 56
    )
    assert place.differs[-1] == "The paper's shortcut is the identity; here there is no shortcut."
    assert stem_place(PRESETS["resnet18"].with_(stem="cifar")).differs == ("Here it is 3×3, 64, no pooling.",)
    assert head_place(PRESETS["resnet18"].with_(num_classes=10)).differs == ("Here there are 10 classes.",)


def test_cifar_networks_and_networks_of_no_table():
    spec = PRESETS["cifar_resnet20"]
    place = block_place(spec, plan_of(spec, "layer2.0"), 16)
    assert place.where == "The 16×16 stage, block 1 of 3 of ResNet-20 (He et al. 2015, section 4.2)"
    assert (place.says, place.differs) == ("[3×3, 32; 3×3, 32] × 3, output 16×16", ())
    spec = PRESETS["preact_resnet164"]
    assert "pre-activation ResNet-164 (He et al. 2016)" in block_place(spec, plan_of(spec, "layer1.0"), 32).where
    nowhere = stem_place(described(depths=(2, 3), widths=(8, 16)))
    assert nowhere.where == "No table of He et al. 2015 has a network of 2-3 basic blocks."
    assert nowhere.says == ""


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_the_rows_of_table_1_are_what_is_built(depth):
    """The paper's convolutions, read from its row, are those of the network."""
    spec = PRESETS[f"resnet{depth}"].with_(stride_on="v1")
    report = inspect(spec)
    for stage in range(1, 5):
        row = stage_place(spec, stage, {1: 56, 2: 28, 3: 14, 4: 7}[stage]).says
        convs = [tuple(map(int, pair)) for pair in re.findall(r"(\d)×\d, (\d+)", row)]
        count = int(re.findall(r"× (\d+),", row)[0])
        ops = [op for op in report.trace.ops if re.match(rf"layer{stage}\.\d+\.conv", op.path)]
        assert [(op.attrs["kernel"][0], op.shape[1]) for op in ops] == convs * count
        assert row.endswith(f"output {ops[-1].shape[2]}×{ops[-1].shape[3]}")


# ---- the control -----------------------------------------------------------------------------------------


def test_a_block_is_offered_what_makes_a_difference():
    spec = PRESETS["resnet18"].with_(shortcut_overrides={"layer2.0": "identity", "layer3.1": "zero_pad"})
    for plan in spec.blocks:
        kinds = []
        for mode in modes_of_block(plan.changes_shape):
            changed = spec.with_(shortcut_overrides={plan.path: mode})
            kinds.append(plan_of(changed, plan.path).shortcut_kind)
        assert len(set(kinds)) == len(kinds)
        assert Shortcut.NONE in kinds
    chosen = re.findall(r'value="([^"]+)" selected', control(spec, plan_of(spec, "layer2.0")))
    assert chosen == ["identity"]
    assert 'value="zero_pad" selected' in control(spec, plan_of(spec, "layer3.1"))
    assert f'value="{AS_NETWORK}" selected' in control(spec, plan_of(spec, "layer1.0"))
    run = control(PRESETS["resnet50"], plan_of(PRESETS["resnet50"], "layer3.1"), 5)
    assert 'data-blocks="layer3.1 layer3.2 layer3.3 layer3.4 layer3.5"' in run


# ---- the whole -------------------------------------------------------------------------------------------


def test_a_sum_that_does_not_fit():
    report = inspect(PRESETS["resnet18"].with_(shortcut_overrides={"layer2.0": "identity"}))
    text = words(inspector(report, node_of(report, "layer2.0:add")))
    assert "✕ layer2.0: the branch gives 128×28×28, the shortcut 64×56×56" in text
    assert "Output none" in text
    stage = words(inspector(report, node_of(report, "layer2", frozenset())))
    assert "✕ 1 of 2 shortcuts inside does not match: layer2.0" in stage


def test_a_block_counts_its_shortcut_and_its_sum():
    report = inspect(PRESETS["resnet18"])
    html = inspector(report, node_of(report, "layer2.0"))
    assert f"{sum(v for k, v in report.trace.params.items() if k.startswith('layer2.0.')):,}" in html
    kept = find_saved_tensors(report.trace)
    held = sum(kept[op.index].bytes for op in report.trace.ops if op.path.startswith("layer2.0"))
    assert f"{held:,} bytes" in html


def test_links_name_what_is_drawn():
    report = inspect(PRESETS["resnet18"])
    diagram = build_diagram(report, default_open(report))
    drawn = {node.id for node in diagram.nodes}
    for node in diagram.nodes:
        html = inspector(report, node, diagram.owners).partition("<h4>")[0]
        links = re.findall(r'data-select="([^"]+)"', html)
        assert links or node.id == "head"
        assert set(links) <= drawn - {node.id}
    sum_ = words(inspector(report, node_of(report, "layer2.0:add"), diagram.owners))
    assert "Branch layer2.0 Shortcut layer2.0:shortcut To layer2.1 (branch and shortcut)" in sum_


def test_who_keeps_what_is_said():
    report = inspect(PRESETS["resnet18"])
    opened = everything(report)
    conv = words(inspector(report, node_of(report, "layer2.0.conv1", opened)))
    assert "Its output, read again by layer2.0.bn1." in conv
    norm = words(inspector(report, node_of(report, "layer2.0.bn1", opened)))
    assert "1,024 bytes of its own." in norm
    classifier = words(inspector(report, node_of(report, "fc", opened)))
    assert "Nothing: the backward pass does not read its output again." in classifier


@pytest.mark.parametrize("name", SPECS)
def test_everything_that_can_be_clicked_is_described(name):
    report = inspect(SPECS[name])
    for opened in (frozenset[str](), default_open(report), everything(report)):
        for node in build_diagram(report, opened).nodes:
            text = words(inspector(report, node))
            assert "Parameters" in text
            assert "Saved for backward" in text
            assert node.role == "input" or ("In PyTorch" in text and "In the paper" in text)


def test_nothing_selected():
    assert words(empty()) == "Inspector Click a box to see its shapes and cost; a block opens in its place."
    text = words(empty(inspect(PRESETS["resnet50"])))
    assert "Parameters 25,557,032 MACs 4.09 GMACs" in text
    assert "Receptive field 427 px" in text


# ---- mismatches ------------------------------------------------------------------------------------------

BROKEN = PRESETS["resnet18"].with_(shortcut="identity")
ERROR = "RuntimeError: The size of tensor a (28) must match the size of tensor b (56) at non-singleton dimension 3"


def selects(html: str) -> list[str]:
    """What its links show in the diagram."""
    return re.findall('data-select="([^"]+)"', html)


def test_every_mismatch_is_listed_while_nothing_is_selected():
    html = empty(inspect(BROKEN))
    assert "✕ 3 of 8 shortcuts do not match:" in words(html)
    assert selects(html) == ["layer2.0:add", "layer3.0:add", "layer4.0:add"]
    assert f"PyTorch stops at layer2.0: {ERROR}" in words(html)
    assert "Output none" in words(html)
    assert "1000" not in words(html)


class Mismatched(nn.Module):
    """15 additions in a row whose branches change the channels, and whose shortcuts do not."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(*((4, 8) if i % 2 == 0 else (8, 4)), 1) for i in range(15))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for conv in self.convs:
            x = conv(x) + x
        return x


def test_many_mismatches_are_listed_in_part():
    html = empty(inspect(Mismatched(), (4, 8, 8)))
    assert len(selects(html)) == 12
    assert "✕ 15 of 15 shortcuts do not match:" in words(html)
    assert "… and 3 more in the table of shortcut checks" in words(html)


def test_a_selection_that_matches_names_the_mismatches_elsewhere():
    report = inspect(BROKEN)
    html = inspector(report, node_of(report, "layer1.0:add"))
    assert "✓ layer1.0: branch and shortcut both give 64×56×56. ✕ 3 mismatches elsewhere: layer2.0 , layer3.0" in words(
        html
    )
    own = words(inspector(report, node_of(report, "layer2.0:add")))
    assert f"PyTorch raises here: {ERROR}" in own
    assert "✕ 2 mismatches elsewhere: layer3.0 , layer4.0" in own
    whole = inspect(PRESETS["resnet18"])
    assert "elsewhere" not in words(inspector(whole, node_of(whole, "layer2.0:add")))


def test_a_broadcast_addition_runs_and_is_listed():
    report = inspect(described(depths=(1, 1), widths=(4, 4), image_size=2, stem="cifar", shortcut="identity"))
    assert [finding.rule for finding in report.findings] == ["broadcast"]
    text = words(empty(report))
    assert "✕ 1 of 2 shortcuts does not match: layer2.0 F(x) 4×1×1, shortcut 4×2×2" in text
    assert "RuntimeError" not in text
    assert "Output none" not in text


# ---- the network, and its runs ---------------------------------------------------------------------------


def test_the_formula_is_each_blocks():
    text = words(empty(inspect(PRESETS["resnet18"])).replace("<sub>", "").replace("</sub>", ""))
    assert (
        "Each block y = ReLU(F(x) + BN(Ws·x)) layer2.0, layer3.0, layer4.0 y = ReLU(F(x) + x) The other 5 blocks"
        in text
    )
    assert "The whole network" not in text
    text = words(empty(inspect(BROKEN)))
    cannot = "3 of 8 blocks cannot compute it, because shapes do not match: layer2.0, layer3.0, layer4.0."
    assert f"Each block y = ReLU(F(x) + x) {cannot} The network, if its shapes matched" in text
    report = inspect(BROKEN)
    assert "The block cannot compute this: the shapes do not match." in words(
        inspector(report, node_of(report, "layer2.0:add"))
    )
    assert "If F is 0" in words(inspector(report, node_of(report, "layer1.0:add")))


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "cifar_resnet20"])
def test_no_box_leads_to_itself(name):
    report = inspect(PRESETS[name])
    diagram = build_diagram(report, default_open(report))
    for node in diagram.nodes:
        html = inspector(report, node, diagram.owners)
        neighbours = re.findall('rx-neighbours">(.*?)</p>', html)
        assert node.id not in selects("".join(neighbours)), node.id


def test_the_addition_of_a_run_leads_to_what_follows_the_run():
    report = inspect(PRESETS["resnet50"])
    diagram = build_diagram(report, default_open(report))
    html = inspector(report, node_of(report, "layer3.1:add"), diagram.owners)
    (neighbours,) = re.findall('rx-neighbours">(.*?)</p>', html)
    assert words(neighbours) == "Branch layer3.1-5 Shortcut layer3.0:add To layer4.0 To layer4.0:shortcut"
