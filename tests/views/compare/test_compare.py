"""Two networks beside each other: exact sentences, pairs of boxes, and what the browser may ask."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from explorer.cli import app
from explorer.errors import SpecError
from explorer.inspection import inspect
from explorer.spec import PRESETS, ResNetSpec, to_json
from explorer.ui.compare.tab import deeper, describe_pair, draw_pair, second
from explorer.views.compare import panel as beside
from explorer.views.compare.alignment import Mark, Side, align, draw
from explorer.views.compare.difference import EQUAL, Comparison, compare, part, table, whole
from explorer.views.compare.steps import changes
from tests.support.answers import ask
from tests.support.strategies import normalisable, specs

RESNET18, RESNET34, RESNET50 = (PRESETS[f"resnet{depth}"] for depth in (18, 34, 50))
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def compared(left: ResNetSpec, right: ResNetSpec) -> Comparison:
    return compare(inspect(left), inspect(right))


def aligned(left: ResNetSpec, right: ResNetSpec, *opened: str) -> tuple[Side, Side]:
    return align(inspect(left), inspect(right), frozenset(opened) if opened else None)


# How both are built


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (RESNET34, RESNET50, "16 blocks in both; block outputs are four times wider in ResNet-50."),
        (RESNET50, RESNET34, "16 blocks in both; block outputs are four times wider in ResNet-50."),
        (RESNET50, PRESETS["wide_resnet50_2"], "16 blocks in both; block outputs are equally wide."),
        (RESNET18, RESNET34, "8 → 16 blocks; block outputs are equally wide."),
        (RESNET18, RESNET18.with_(widths=(96, 192, 384, 768)), "8 blocks in both; block outputs are 1.5 times wider in "
         "ResNet-18."),
        (RESNET18, RESNET18.plain(), "Plain-18 has no shortcuts; 8 blocks in both; block outputs are equally wide."),
        (RESNET18, PRESETS["cifar_resnet20"], "8 → 9 blocks; block outputs are four times wider in ResNet-18."),
        (RESNET18, RESNET18.with_(widths=(64, 128, 256, 256)), "8 blocks in both; block outputs have 64, 128, 256, 512 "
         "→ 64, 128, 256, 256 channels."),
    ],
)  # fmt: skip
def test_blocks_and_widths_are_said_before_the_costs(left: ResNetSpec, right: ResNetSpec, words: str) -> None:
    assert compared(left, right).structure == words


def test_equal_networks_have_nothing_to_say() -> None:
    found = compared(RESNET18, RESNET18)
    assert (found.structure, found.same_width, found.total) == ("", "", EQUAL)


def test_a_basic_block_and_a_bottleneck_are_compared_at_the_same_width() -> None:
    said = (
        "From 256 to 256 channels, a basic block (two 3×3 convolutions) has 1.18 M parameters, and a bottleneck (1×1, "
        "3×3, 1×1, with 64 channels inside) has 69.6 k: 16.9 times fewer, and MACs likewise. ResNet-50 has more "
        "parameters all the same: its block outputs are four times wider."
    )
    assert compared(RESNET34, RESNET50).same_width == compared(RESNET50, RESNET34).same_width == said
    grouped = compared(RESNET18, PRESETS["resnext50_32x4d"]).same_width
    assert "with 128 channels inside in 32 groups) has 70.1 k: 16.8 times fewer, and MACs likewise." in grouped
    assert grouped.endswith("its block outputs are four times wider and it has more blocks.")
    small = RESNET50.with_(widths=(16, 32, 64, 128))
    assert compared(RESNET34, small).same_width.endswith(
        "times fewer, and MACs likewise."
    )  # as wide, and it costs less
    assert compared(RESNET18, RESNET34).same_width == ""
    html = beside.words(compared(RESNET34, RESNET50))
    assert html.index("16 blocks in both") < html.index("1.18 M") < html.index("+3.76 M")


# The difference in words


def test_from_50_to_101_stage_3_grows() -> None:
    found = compared(RESNET50, PRESETS["resnet101"])
    assert found.total == (
        "ResNet-50 → ResNet-101: 25.6 → 44.5 M parameters (+19.0 M), 4.09 → 7.80 GMACs (+3.71 GMACs); "
        "receptive field 427 → 971 px."
    )
    assert found.lines == ("Stage 3: 6 → 23 blocks; +19.0 M parameters, +3.71 GMACs; receptive field 427 → 971 px",)


def test_from_18_to_34_every_stage_is_a_step_and_the_steps_join() -> None:
    assert compared(RESNET18, RESNET34).lines == (
        "Stage 1: 2 → 3 blocks; +74.0 k parameters, +231 MMACs; receptive field 435 → 451 px",
        "Stage 2: 2 → 4 blocks; +591 k parameters, +462 MMACs; receptive field 451 → 515 px",
        "Stage 3: 2 → 6 blocks; +4.72 M parameters, +925 MMACs; receptive field 515 → 771 px",
        "Stage 4: 2 → 3 blocks; +4.72 M parameters, +231 MMACs; receptive field 771 → 899 px",
    )


@pytest.mark.parametrize(
    ("left", "right", "line"),
    [
        (
            RESNET50,
            RESNET50.with_(shortcut="projection_all"),
            "Shortcuts: B · project on change → C · project everywhere; +14.6 M parameters, +2.47 GMACs",
        ),
        (
            RESNET50.with_(stride_on="v1"),
            RESNET50,
            "Bottleneck strides in: v1 · first 1×1 → v1.5 · the 3×3; +231 MMACs; receptive field 483 → 427 px",
        ),
        (
            RESNET50,
            RESNET50.plain(),
            "Shortcuts: B · project on change → None (plain); −2.78 M parameters, −360 MMACs",
        ),
        (
            RESNET34,
            RESNET50,
            "Block type: Basic → Bottleneck; +3.76 M parameters, +425 MMACs; receptive field 899 → 427 px",
        ),
        (
            RESNET18,
            RESNET18.with_(shortcut="identity"),
            "Shortcuts: B · project on change → Identity only; −174 k parameters, −19.3 MMACs; "
            "3 shortcuts no longer match",
        ),
        (
            RESNET18.with_(shortcut_overrides={"layer2.0": "identity"}),
            RESNET18,
            "Shortcuts of single blocks: layer2.0 B · project on change; +8,448 parameters, +6.42 MMACs; "
            "1 shortcut matches now",
        ),
        (
            PRESETS["resnext50_32x4d"].with_(depths=RESNET18.depths),
            RESNET18,
            "Block type: Bottleneck → Basic, Groups of the 3×3: 32 of width 4 → 1 of width 64; "
            "−3.70 M parameters, −657 MMACs; receptive field 195 → 435 px",
        ),
        (
            RESNET18,
            RESNET18.with_(activation="gelu"),
            "Activation: ReLU → GELU; same parameters, MACs and receptive field",
        ),
        (RESNET18, RESNET18.with_(num_classes=10), "Classes: 1000 → 10; −508 k parameters, −507 kMACs"),
    ],
)
def test_one_choice_is_one_line(left: ResNetSpec, right: ResNetSpec, line: str) -> None:
    assert compared(left, right).lines == (line,)


def test_from_cifar_20_to_56() -> None:
    found = compared(PRESETS["cifar_resnet20"], PRESETS["cifar_resnet56"])
    assert found.total == (
        "CIFAR ResNet-20 → CIFAR ResNet-56: 270 → 853 k parameters (+583 k), 40.6 → 125 MMACs (+84.9 MMACs); "
        "receptive field 81 → 249 px."
    )
    assert found.lines == (
        "Stage 1: 3 → 9 blocks; +28.0 k parameters, +28.3 MMACs; receptive field 81 → 105 px",
        "Stage 2: 3 → 9 blocks; +111 k parameters, +28.3 MMACs; receptive field 105 → 153 px",
        "Stage 3: 3 → 9 blocks; +444 k parameters, +28.3 MMACs; receptive field 153 → 249 px",
    )


def test_across_families_every_choice_has_its_line() -> None:
    lines = compared(RESNET18, PRESETS["cifar_resnet20"]).lines
    assert [line.partition(";")[0] for line in lines] == [
        "Input: 3×224×224 → 3×32×32",
        "Stem: 7×7, stride 2 + pool → 3×3",
        "Stage 4: 2 blocks → none",
        "Widths: 64, 128, 256 → 16, 32, 64",
        "Stage 1: 2 → 3 blocks",
        "Stage 2: 2 → 3 blocks",
        "Stage 3: 2 → 3 blocks",
        "Shortcuts: B · project on change → A · zero-pad",
        "Classes: 1000 → 10",
    ]
    assert lines[1] == ("Stem: 7×7, stride 2 + pool → 3×3; −7,680 parameters, +518 MMACs; receptive field 435 → 109 px")


def test_equal_networks_are_called_equal() -> None:
    found = compared(RESNET50, RESNET50)
    assert (found.total, found.lines) == (EQUAL, ())
    assert compared(RESNET18, RESNET18.with_(init="xavier")).total != EQUAL


def test_new_blocks_that_do_not_fit_are_not_said_to_fit_no_longer() -> None:
    broken = RESNET18.with_(shortcut="identity")
    shorter = broken.with_(depths=(2, 2, 2), widths=(64, 128, 256))
    assert compared(shorter, broken).lines[0].endswith("receptive field 211 → 435 px; 1 shortcut does not match")


@settings(max_examples=60)
@given(specs(stages=5, blocks=9, width=64, side=64), specs(stages=5, blocks=9, width=64, side=64))
def test_all_changes_together_give_the_second_network(left: ResNetSpec, right: ResNetSpec) -> None:
    made: dict[str, Any] = {}
    for words, change in changes(left, right):
        assert re.fullmatch(r"[A-Z][^;]+: [^;]+", words)
        assert any(getattr(left, name) != value or made.get(name, value) != value for name, value in change.items())
        made |= change
    assert left.with_(**made) == right


def test_a_foreign_module_is_compared_part_by_part() -> None:
    from explorer.network import build

    module = build(PRESETS["cifar_resnet20"])
    deeper_one = build(PRESETS["cifar_resnet32"])
    found = compare(inspect(module, (3, 32, 32)), inspect(deeper_one, (3, 32, 32)))
    assert found.lines[0] == "layer1: 3 → 5 blocks; +9,344 parameters, +9.44 MMACs"
    assert compare(inspect(module, (3, 32, 32)), inspect(module, (3, 32, 32))).total == EQUAL


# The parts


def test_the_parts_add_up_to_the_whole() -> None:
    for spec in (RESNET50, PRESETS["cifar_resnet20"]):
        report = inspect(spec)
        rows = compared(spec, spec).rows
        assert [row.name for row in rows] == ["stem", *(f"layer{i + 1}" for i in range(len(spec.depths))), "head"]
        assert sum(row.left.params for row in rows if row.left) == report.params == whole(report).params
        assert sum(row.left.macs for row in rows if row.left) == report.macs == whole(report).macs


def test_the_table_of_two_families() -> None:
    rows = {row[0]: row[1:] for row in table(compared(PRESETS["cifar_resnet20"], RESNET18))}
    assert list(rows) == ["stem", "layer1", "layer2", "layer3", "layer4", "head", "total"]
    assert rows["layer4"] == (
        "– → 2",
        "– → 512×7×7",
        "– → 8.39 M",
        "+8.39 M",
        "– → 411 MMACs",
        "+411 MMACs",
        "– → 435 px",
    )
    assert rows["total"][0] == "9 → 8"
    same = {row[0]: row[1:] for row in table(compared(RESNET50, PRESETS["resnet101"]))}
    assert same["layer2"] == ("4", "512×28×28", "1.22 M", "=", "1.03 GMACs", "=", "91 px")
    assert same["layer3"][4] == "1.46 → 5.18 GMACs"


# The pairs


def test_runs_of_unequal_length_stand_beside_each_other() -> None:
    left, right = aligned(RESNET50, PRESETS["resnet101"])
    assert left.beside["layer3.1-5"] == "layer3.1-22"
    assert right.beside["layer3.1-22"] == "layer3.1-5"
    assert left.marks == dict.fromkeys(("layer3.1-5", "layer3.1:add", "group:layer3"), Mark.DIFFERS)
    assert all(left.beside[node.id] == node.id for node in left.diagram.nodes if node.id != "layer3.1-5")


def test_what_only_one_network_has_is_marked_there() -> None:
    left, right = aligned(RESNET50, RESNET50.plain())
    assert right.marks == {}
    assert set(left.marks.values()) == {Mark.ONLY_HERE}
    assert {name.rpartition(":")[2] for name in left.marks} == {"shortcut", "add"}
    assert not left.marks.keys() & left.beside.keys()


def test_zero_padding_stands_beside_a_projection() -> None:
    left, right = aligned(RESNET18, RESNET18.with_(shortcut="zero_pad"))
    assert left.beside["layer2.0:shortcut"] == right.beside["layer2.0:shortcut"] == "layer2.0:shortcut"
    assert left.marks["layer2.0:shortcut"] is Mark.DIFFERS
    assert "layer2.0" not in left.marks


def test_a_run_stands_beside_each_block_it_covers() -> None:
    left, right = aligned(RESNET34, RESNET50)
    assert left.beside["layer1.0-2"] == "layer1.0"
    assert right.beside["layer1.1-2"] == right.beside["layer1.0"] == "layer1.0-2"
    assert right.marks["layer1.0:shortcut"] is Mark.ONLY_HERE


def test_both_sides_open_alike() -> None:
    left, right = aligned(RESNET50, PRESETS["resnet101"], "layer3", "layer3.1-5", "layer3.2")
    assert left.diagram.node("layer3.2.conv1")
    assert right.diagram.node("layer3.2.conv1")
    assert right.beside["layer3.2.conv1"] == "layer3.2.conv1"
    assert right.diagram.node("layer3.22")
    assert right.marks["layer3.22"] is Mark.ONLY_HERE
    assert "layer3.5" not in left.marks
    folded, _ = aligned(RESNET50, PRESETS["resnet101"], "no-such-thing")
    assert folded.marks == {"layer3": Mark.DIFFERS}


small = specs(stages=3, blocks=6, width=64, side=64).filter(normalisable)


@settings(max_examples=25)
@given(small, small)
def test_pairs_name_boxes_that_are_drawn_and_equal_networks_have_no_mark(left: ResNetSpec, right: ResNetSpec) -> None:
    sides = aligned(left, right)
    for here, there in (sides, reversed(sides)):
        drawn = [{n.id for n in s.diagram.nodes} | {f"group:{g.id}" for g in s.diagram.groups} for s in (here, there)]
        assert here.beside.keys() <= drawn[0]
        assert set(here.beside.values()) <= drawn[1]
        assert drawn[0] - here.beside.keys() == {k for k, mark in here.marks.items() if mark is Mark.ONLY_HERE}
    for side in aligned(left, left):
        assert side.marks == {}
        assert all(a == b for a, b in side.beside.items())


@needs_dot
def test_marks_are_classes_and_spoken() -> None:
    left, _ = aligned(RESNET50, PRESETS["resnet101"])
    svg = draw(left)
    assert len(re.findall(r'class="differs ', svg)) == 3
    spoken = (
        "layer3.1-5, Bottleneck: 1×1 256, 3×3 256, 1×1 1024, 1024×14×14, 5 equal blocks, each with its own shortcut. "
        "Differs."
    )
    assert f'<g id="layer3.1-5" aria-label="{spoken}" class="differs node' in svg


def test_the_selected_boxes_count_all_their_blocks() -> None:
    left, right = aligned(RESNET50, PRESETS["resnet101"])
    run = part(left.report, [i for i, owner in enumerate(left.diagram.owners) if owner == "layer3.1-5"])
    assert run.params == 5 * 1_117_184  # torchvision's resnet50: parameters of layer3.1
    assert run.receptive_field == 267
    html = beside.selection(left, right, left.diagram.node("layer3.1-5"), right.diagram.node("layer3.1-22"))
    assert "+19.0 M" in html
    assert "+544 px" in html
    assert 'title="18,992,128"' in html
    assert "no counterpart" in beside.selection(left, right, left.diagram.node("stem"), None)


def test_words_are_escaped_and_name_the_choice() -> None:
    assert "<strong>Stage 3: 6 → 23 blocks</strong>; +19.0 M" in beside.words(compared(RESNET50, PRESETS["resnet101"]))
    assert beside.words(compared(RESNET50, RESNET50)) == f'<p class="rx-total">{EQUAL}</p>'


# The second network


def test_the_next_deeper_one_stays_in_the_family() -> None:
    named = {name: deeper(PRESETS[name]) for name in PRESETS}
    assert named["resnet50"] == PRESETS["resnet101"]
    assert named["resnet152"] == PRESETS["resnet101"]
    assert named["resnext50_32x4d"] == PRESETS["resnext101_32x8d"]
    assert named["wide_resnet50_2"] == PRESETS["wide_resnet101_2"]
    assert named["cifar_resnet20"] == PRESETS["cifar_resnet32"]
    assert named["preact_resnet164"] == PRESETS["preact_resnet1001"]
    assert deeper(RESNET18.with_(depths=(1, 1, 1, 1))) == RESNET18


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("", RESNET34),
        ("plain", RESNET18.plain()),
        ("resnet50", RESNET50),
        ("preset=resnet50&stride_on=v1", RESNET50.with_(stride_on="v1")),
        ("https://any.host/?preset=resnet50&open=layer1", RESNET50),
        (to_json(RESNET50), RESNET50),
    ],
)
def test_a_word_names_the_second_network(word: str, expected: ResNetSpec) -> None:
    assert second(word, RESNET18) == expected


def test_a_word_that_names_none_is_refused() -> None:
    with pytest.raises(SpecError, match="preset: got 'foo'; allowed: a preset's name, a link of this page, or JSON"):
        second("foo", RESNET18)
    with pytest.raises(SpecError, match="groups: got 0"):
        second("preset=resnet50&groups=0", RESNET18)


@needs_dot
def test_the_browser_gets_both_diagrams_and_the_address() -> None:
    answer = ask(draw_pair, {"query": "preset=resnet50", "with": "depths=3,4,23,3&block=bottleneck"})
    assert (answer["with"], answer["note"]) == ("resnet101", "")
    assert [side["title"] for side in answer["sides"]] == ["ResNet-50", "ResNet-101"]
    assert answer["sides"][0]["beside"]["layer3.1-5"] == "layer3.1-22"
    assert "Stage 3: 6 → 23 blocks" in answer["words"]
    assert answer["open"] == ["layer1", "layer2", "layer3", "layer4"]
    assert ["layer3.0:add", "layer3.1-5"] in answer["sides"][0]["edges"]


def test_a_bad_second_network_is_said_and_another_is_shown() -> None:
    answer = ask(draw_pair, {"query": "", "with": "<b>"})
    assert answer["note"] == (
        "The second network: preset: got '<b>'; allowed: a preset's name, a link of this page, or JSON. "
        "ResNet-34 is shown instead."
    )
    assert answer["with"] == ""
    assert answer["sides"][1]["title"] == "ResNet-34"


@pytest.mark.parametrize("request_", [None, "x", {}, {"query": 7}, {"query": "depths=0"}])
def test_a_request_that_names_no_network_gets_a_sentence(request_: Any) -> None:
    assert set(ask(draw_pair, request_)) == {"error"}
    assert set(ask(describe_pair, request_)) == {"error"}


@pytest.mark.parametrize("odd", [7, ["x"], {"a": 1}, None])
def test_odd_values_are_ignored(odd: Any) -> None:
    answer = ask(draw_pair, {"query": "", "with": odd, "open": odd, "find": odd})
    assert answer["sides"][1]["title"] == "ResNet-34"
    described = ask(describe_pair, {"query": "", "with": odd, "open": odd, "side": odd, "node": odd})
    assert described == {"html": beside.hint()}


def test_without_graphviz_words_and_table_still_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.views.diagram import svg

    svg.start_dot.cache_clear()
    monkeypatch.setenv("PATH", "")
    answer = ask(draw_pair, {"query": "preset=resnet50"})
    assert all("Graphviz, which is not installed" in side["error"] for side in answer["sides"])
    assert "Stage 3: 6 → 23 blocks" in answer["words"]
    assert "layer3" in answer["parts"]


def test_a_selected_box_is_described_with_its_counterpart_on_its_own_side() -> None:
    request = {"query": "preset=resnet50", "with": "resnet101", "side": 1, "node": "layer3.1-22"}
    html = ask(describe_pair, request)["html"]
    assert html.index("layer3.1-5 ·") < html.index("layer3.1-22 ·")
    opened = {**request, "node": "layer2.0", "open": ["layer2", "layer2.0"]}
    assert ask(describe_pair, opened)["html"].count("layer2.0 · Bottleneck: ") == 2


# The command line


def test_the_command_prints_words_and_parts() -> None:
    result = CliRunner().invoke(app, ["compare", "resnet50", "resnet101"])
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0] == "16 → 33 blocks; block outputs are equally wide."
    assert lines[2] == "Stage 3: 6 → 23 blocks; +19.0 M parameters, +3.71 GMACs; receptive field 427 → 971 px"
    assert lines[4].split()[:2] == ["part", "blocks"]
    assert lines[-1].split()[:4] == ["total", "16", "→", "33"]


def test_the_command_changes_the_second_network_and_prints_json() -> None:
    words = ["compare", "resnet18", "resnet18", "--set", "shortcut=none", "--json"]
    data = json.loads(CliRunner().invoke(app, words).stdout)
    assert data["differences"] == ["Shortcuts: B · project on change → None (plain); −174 k parameters, −19.3 MMACs"]
    assert data["parts"][0]["name"] == "stem"
    assert data["parts"][0]["left"]["params"] == 9536
    assert (data["left"]["name"], data["right"]["name"]) == ("ResNet-18", "Plain-18")
