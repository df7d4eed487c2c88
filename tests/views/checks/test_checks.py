"""The shortcut checks as rows, their fixes as buttons, and the walk from sum to sum."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings

from explorer.inspection import inspect
from explorer.spec import PRESETS, ResNetSpec, Shortcut, from_query, to_query
from explorer.ui.builder import CONTROLS, read
from explorer.ui.checks import panel
from explorer.ui.history import panel as history
from explorer.views.checks.rows import all_button, checks, fix_all, stop_html
from explorer.views.checks.walk import in_words, walk
from explorer.views.diagram.locate import locate
from explorer.views.diagram.model import build_diagram
from explorer.views.export import tables
from tests.support.strategies import normalisable, small_specs

BROKEN = ResNetSpec().with_(shortcut="identity")


def rows(html: str) -> list[tuple[str, list[str]]]:
    """Verdict's class and text of the cells, of each row."""
    found = re.findall(r'<tr class="(fits|broken)"[^>]*>(.*?)</tr>', html, re.DOTALL)
    cells = ((css, re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)) for css, row in found)
    return [(css, [unescape(re.sub("<[^>]+>", "", cell)) for cell in row]) for css, row in cells]


def applied(html: str) -> list[tuple[str, ResNetSpec]]:
    """Words and network of every button that puts one in."""
    found = re.findall(r'data-apply="\?([^"]*)"[^>]*>([^<]*)<', html)
    return [(words, from_query(unescape(query))) for query, words in found]


# ---- rows ------------------------------------------------------------------------------------------------


def test_every_sum_is_a_row_and_what_does_not_fit_comes_first():
    shown = rows(checks(inspect(BROKEN)))
    assert [(css, cells[1]) for css, cells in shown] == [
        *(("broken", f"layer{stage}.0") for stage in (2, 3, 4)),
        *(("fits", path) for path in ("layer1.0", "layer1.1", "layer2.1", "layer3.1", "layer4.1")),
    ]
    assert shown[0][1][:6] == ["✕ mismatch", "layer2.0", "identity", "64×56×56", "128×28×28", "64×56×56"]
    assert shown[0][1][6].startswith("layer2.0: channels 64 → 128, map 56×56 → 28×28, but its shortcut is the identity")
    assert (
        "PyTorch raises here: RuntimeError: The size of tensor a (28) must match the size of tensor b (56) at "
        "non-singleton dimension 3"
    ) in shown[0][1][6]
    same = "F(x) has the shape of x: the shortcut adds x as it is (no parameters)."
    assert shown[3][1] == ["✓ match", "layer1.0", "identity", *["64×56×56"] * 3, same]


@pytest.mark.parametrize(
    ("spec", "path", "words"),
    [
        (
            ResNetSpec(),
            "layer2.0",
            "Channels 64 → 128, map 56×56 → 28×28: the shortcut projects x (1×1 conv, 128, stride 2; 8,448 "
            "parameters).",
        ),
        (
            PRESETS["resnet50"],
            "layer1.0",
            "Channels 64 → 256: the shortcut projects x (1×1 conv, 256; 16,896 parameters).",
        ),
        (
            PRESETS["cifar_resnet20"],
            "layer3.0",
            "Channels 32 → 64, map 16×16 → 8×8: the shortcut keeps every second pixel and adds 32 channels of zeros "
            "(no parameters).",
        ),
        (
            ResNetSpec(shortcut=Shortcut.PROJECTION_ALL),
            "layer1.1",
            "F(x) has the shape of x: the shortcut projects x (1×1 conv, 64; 4,224 parameters).",
        ),
    ],
)
def test_a_row_that_matches_says_what_happens_to_x(spec: ResNetSpec, path: str, words: str):
    shown = {cells[1]: cells[6] for _, cells in rows(checks(inspect(spec)))}
    assert shown[path] == words
    assert all(shown.values())


def test_fixes_are_buttons_with_their_price_and_the_network_they_make():
    buttons = applied(checks(inspect(BROKEN), applies=True))
    assert [words for words, _ in buttons[:2]] == [
        "A · zero-pad, +0 parameters",
        "B · 1×1 projection, +8,448 parameters, +6.42 MMACs",
    ]
    assert [spec.shortcut_overrides for _, spec in buttons[:2]] == [
        (("layer2.0", Shortcut.ZERO_PAD),),
        (("layer2.0", Shortcut.PROJECTION),),
    ]
    assert "data-apply" not in checks(inspect(BROKEN))


def test_a_fix_of_another_field_keeps_its_own_words():
    narrow = ResNetSpec().with_(shortcut="zero_pad", widths=(64, 32, 16, 8))
    words = [words for words, _ in applied(checks(inspect(narrow), applies=True))]
    assert words[0] == "B · 1×1 projection, +2,112 parameters, +1.61 MMACs"
    assert words[1].startswith("Width of layer2: 32 → 64, +")


def test_all_are_fixed_at_the_least_cost():
    mended = fix_all(inspect(BROKEN))
    assert mended is not None
    spec, params, macs = mended
    assert spec == BROKEN.with_(shortcut_overrides={f"layer{stage}.0": "zero_pad" for stage in (2, 3, 4)})
    assert (params, macs) == (0, 0)
    assert applied(all_button(inspect(BROKEN))) == [("Fix all 3 at the least cost, +0 parameters", spec)]


@settings(max_examples=10)
@given(small_specs().filter(normalisable))
def test_fixing_all_leaves_nothing_to_fix_at_the_price_it_names(spec: ResNetSpec):
    before = inspect(spec)
    mended = fix_all(before)
    if not before.findings:
        assert mended is None
        assert all_button(before) == ""
    if mended:
        after = inspect(mended[0])
        assert after.findings == ()
        assert (after.params - before.params, after.macs - before.macs) == mended[1:]


def test_one_finding_needs_no_button_for_all():
    assert all_button(inspect(ResNetSpec().with_(shortcut_overrides={"layer2.0": "identity"}))) == ""


def test_a_plain_network_has_nothing_to_check():
    plain = inspect(ResNetSpec().plain())
    assert "adds no two paths: there is nothing to check" in checks(plain)
    assert walk(plain) == ()


def test_the_csv_has_a_line_for_each_row_by_its_number():
    report = inspect(BROKEN)
    lines = tables.checks(report).splitlines()
    found = re.findall(r'data-node="([\w.]+):add" data-row="(\d+)"', checks(report))
    assert len(found) == 8 == len(lines) - 1
    assert all(lines[int(row) + 1].startswith(f"{path},") for path, row in found)


# ---- the walk --------------------------------------------------------------------------------------------


def test_the_walk_says_what_x_is_what_f_does_and_why_the_shortcut_adapts():
    steps = walk(inspect(PRESETS["resnet50"]))
    assert [step.title for step in steps] == [
        "layer1.0",
        "layer1.1–layer1.2: two equal blocks",
        "layer2.0",
        "layer2.1–layer2.3: three equal blocks",
        "layer3.0",
        "layer3.1–layer3.5: five equal blocks",
        "layer4.0",
        "layer4.1–layer4.2: two equal blocks",
    ]
    assert steps[2].sentences == (
        "x arrives as 256×56×56. F(x) makes it 512×28×28 (1×1 conv, 128; 3×3 conv, 128, stride 2; 1×1 conv, 512).",
        "Channels go from 256 to 512 and the map from 56×56 to 28×28, so x does not match F(x) as it is: the shortcut "
        "projects x (1×1 conv, 512, stride 2; 132,096 parameters).",
        "The receptive field grows from 35 to 43 px.",
    )
    assert steps[5].sentences[1:] == (
        "The shapes are equal in each, so x is added as it is, at no cost.",
        "The receptive field grows from 107 to 267 px over all of them.",
    )


@pytest.mark.parametrize(
    ("spec", "place", "words"),
    [
        (
            PRESETS["cifar_resnet20"],
            1,
            "Channels go from 16 to 32 and the map from 32×32 to 16×16, so x does not match F(x) as it is: the "
            "shortcut keeps every second pixel and adds 16 channels of zeros (no parameters).",
        ),
        (
            ResNetSpec().with_(shortcut="projection_all"),
            0,
            "x would match F(x) as it is, and yet the shortcut projects x (1×1 conv, 64; 4,224 parameters).",
        ),
        (BROKEN, 1, "The shortcut gives 64×56×56: nothing adapts x, so the two cannot be added."),
        (
            ResNetSpec(widths=(64, 64, 64, 64)),
            1,
            "The map goes from 56×56 to 28×28, so x does not match F(x) as it is: the shortcut projects x "
            "(1×1 conv, 64, stride 2; 4,224 parameters).",
        ),
        (
            ResNetSpec().with_(block="bottleneck"),
            0,
            "Channels go from 64 to 256, so x does not match F(x) as it is: the shortcut projects x (1×1 conv, "
            "256; 16,896 parameters).",
        ),
    ],
    ids=["A", "C", "identity", "same channels", "same map"],
)
def test_the_shortcuts_part_in_words(spec: ResNetSpec, place: int, words: str):
    assert walk(inspect(spec))[place].sentences[1] == words


def test_a_stop_offers_the_fixes_of_its_sum_alone():
    report = inspect(BROKEN)
    first, second, *_ = walk(report)
    assert (first.fits, second.fits) == (True, False)
    assert applied(stop_html(report, first)) == []
    assert [spec.shortcut_overrides[0][0] for _, spec in applied(stop_html(report, second))] == ["layer2.0", "layer2.0"]


@settings(max_examples=10)
@given(small_specs().filter(normalisable))
def test_the_walk_passes_every_sum_once_and_the_diagram_shows_each_stop(spec: ResNetSpec):
    report = inspect(spec)
    steps = walk(report)
    runs = [run for run in spec.runs if run[0].shortcut_kind is not Shortcut.NONE]
    assert len(steps) == len(runs)
    for step in steps:
        opened, found = locate(report, frozenset(), step.node)
        assert build_diagram(report, opened).node(found)


def test_numbers_in_words():
    assert [in_words(n) for n in (2, 12, 13, 1023)] == ["two", "twelve", "13", "1,023"]


# ---- what the browser asks -------------------------------------------------------------------------------


def test_the_page_gets_rows_the_button_for_all_and_the_csv():
    answer = json.loads(panel.list_checks({"query": to_query(BROKEN)}))
    assert answer["rows"] == checks(inspect(BROKEN), applies=True)
    assert answer["all"] == all_button(inspect(BROKEN))
    assert answer["csv"] == tables.checks(inspect(BROKEN)).splitlines()
    steps = json.loads(panel.list_steps({"query": ""}))["steps"]
    assert [step["node"] for step in steps][:2] == ["layer1.0:add", "layer2.0:add"]


@pytest.mark.parametrize("answer", [panel.list_checks, panel.list_steps, history.fields])
@pytest.mark.parametrize("request_", [None, 3, [], {}, {"query": 3}, {"query": None}, {"query": "depths=0"}])
def test_what_is_no_network_gets_a_sentence(answer: Any, request_: Any):
    error = json.loads(answer(request_))["error"]
    assert error.endswith(".") or "allowed" in error or "expected" in error
    assert "Traceback" not in error


@settings(max_examples=10)
@given(small_specs().filter(normalisable))
def test_a_network_of_the_past_fills_the_builder(spec: ResNetSpec):
    fields = json.loads(history.fields({"query": to_query(spec)}))["fields"]
    assert len(fields) == len(CONTROLS)
    assert read(fields) == spec
