"""Where things are in the drawing, as Graphviz lays it out."""

from __future__ import annotations

import json
from functools import cache
from shutil import which

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.inspection import Report, inspect
from explorer.spec import PRESETS, ResNetSpec, Shortcut
from explorer.views.diagram.dot import to_dot
from explorer.views.diagram.model import Role, build_diagram, default_open, everything
from explorer.views.diagram.svg import run_program
from tests.support.strategies import described

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(which("dot") is None, reason="Graphviz's dot is not installed"),
]
POINTS = 72  # to the inch
LARGER = 1.15  # than it is drawn is text when it is measured (views/dot.py)
SPECS = {
    "one shortcut of each kind": described(
        depths=(4, 12),
        widths=(8, 8),
        image_size=32,
        shortcut_overrides={"layer1.2": "none", "layer2.1": "projection_all", "layer2.0": "zero_pad"},
    ),
    "C, deep stem": PRESETS["resnet34"].with_(shortcut="projection_all", stem="deep"),
    "pre-activation, A": PRESETS["preact_resnet164"].with_(depths=(3, 4, 2), shortcut="zero_pad"),
    "bottlenecks, identity": PRESETS["resnet50"].with_(shortcut="identity"),
}


@cache
def report_of_spec(spec: ResNetSpec) -> Report:
    return inspect(spec)


def assert_straight(report: Report, opened: frozenset[str]) -> None:
    """The main path is one line from top to bottom, and every frame's title is at its left."""
    diagram = build_diagram(report, opened)
    objects = json.loads(run_program(to_dot(diagram), "-Tjson0"))["objects"]
    columns = {thing["name"]: float(thing["pos"].split(",")[0]) for thing in objects if "pos" in thing}
    middles = {node.id: columns[f"n{i}"] for i, node in enumerate(diagram.nodes)}
    main = [edge for edge in diagram.edges if edge.role is Role.MAIN]
    assert main
    assert {edge.source for edge in main if abs(middles[edge.source] - middles[edge.target]) > 1} == set()
    frames = [thing for thing in objects if thing["name"].startswith("cluster")]
    assert len(frames) == len(diagram.groups) + len(diagram.repeats)
    for frame in frames:
        width = float(frame["lwidth"]) * POINTS
        end = float(frame["lp"].split(",")[0]) - width / 2 + width / LARGER
        assert end < middles[main[0].source], frame["label"]


@pytest.mark.parametrize("shortcut", list(Shortcut))
@pytest.mark.parametrize("name", ["resnet34", "resnet50", "cifar_resnet20"])
def test_the_main_path_is_straight_and_titles_stand_beside_it(name: str, shortcut: Shortcut) -> None:
    report = report_of_spec(PRESETS[name].with_(shortcut=shortcut))
    assert_straight(report, default_open(report))
    assert_straight(report, everything(report))


def test_only_large_drawings_leave_identity_lines_loose_and_their_main_path_is_straight_too() -> None:
    for name, loose in {"resnet50": False, "resnet101": True}.items():
        report = report_of_spec(PRESETS[name])
        diagram = build_diagram(report, everything(report))
        identities = sum(edge.role is Role.IDENTITY for edge in diagram.edges)
        assert to_dot(diagram).count("constraint=false") == (identities if loose else 0)
    assert_straight(report, everything(report))


@settings(max_examples=30)
@given(name=st.sampled_from(list(SPECS)), data=st.data())
def test_whatever_is_open(name: str, data: st.DataObject) -> None:
    report = report_of_spec(SPECS[name])
    assert_straight(report, data.draw(st.frozensets(st.sampled_from(sorted(everything(report))))))
