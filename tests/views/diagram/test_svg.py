"""The SVG that a page and a screen reader get, and what is said where there is none."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from explorer.errors import DiagramError
from explorer.inspection import inspect
from explorer.spec import PRESETS
from explorer.views.diagram import svg
from explorer.views.diagram.model import Role, build_diagram, default_open
from explorer.views.diagram.svg import render, run_dot, sentence
from tests import golden
from tests.support.drawings import (
    NOTHING,
    SVG,
    Inspect,
    expected_labels,
    focusable,
    hostile,
    needs_dot,
    openable,
    parse,
    report_named,
)

pytestmark = pytest.mark.usefixtures("one_thread")


# ---- what the page and a screen reader get ---------------------------------------------------------------


@needs_dot
@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20", "resnet50, identity", "pre-activation"])
def test_every_node_is_reached_by_keyboard_and_named(name):
    report = report_named(name)
    opened = frozenset(openable(name))
    diagram = build_diagram(report, opened)
    labels = focusable(parse(render(report, opened)))
    assert labels == expected_labels(diagram)
    assert all(label.endswith(".") and label.isprintable() for label in labels.values())


@needs_dot
@pytest.mark.parametrize("name", ["resnet50", "cifar_resnet110"])
def test_runs_are_named_too(name, report_of: Inspect):
    report = report_of(name)
    opened = default_open(report)
    assert focusable(parse(render(report, opened))) == expected_labels(build_diagram(report, opened))


def test_sentences():
    report = inspect(PRESETS["cifar_resnet20"].with_(shortcut_overrides={"layer3.0": "identity"}))
    diagram = build_diagram(report, default_open(report))
    said = {node.id: sentence(node) for node in diagram.nodes}
    assert said["input"] == "input, 3×32×32."
    assert said["layer1.0-2"] == (
        "layer1.0-2, BasicBlock: 3×3 16, 3×3 16, 16×32×32, 3 equal blocks, each with its own shortcut."
    )
    assert said["layer1.0:add"] == (
        "Residual addition of layer1.0, one of 3 equal ones, shapes match. "
        "layer1.0: branch and shortcut both give 16×32×32."
    )
    assert said["layer2.0:shortcut"] == "zero-pad +16 /2, 32×16×16."
    assert said["layer2.0:add"] == (
        "Residual addition of layer2.0, shapes match. layer2.0: branch and shortcut both give 32×16×16."
    )
    assert said["layer3.0:add"].startswith(
        "Residual addition of layer3.0, shape mismatch. layer3.0: the branch gives 64×8×8, the shortcut 32×16×16: "
    )


@needs_dot
def test_the_picture_takes_the_size_of_its_frame(report_of: Inspect):
    report = report_of("resnet18")
    text = render(report, default_open(report))
    root = ET.fromstring(text)
    assert (root.get("width"), root.get("height"), root.get("role")) == (None, None, "group")
    assert root.get("aria-label") == "Network diagram"
    assert re.fullmatch(r"0\.00 0\.00 [\d.]+ [\d.]+", str(root.get("viewBox")))
    assert not re.search(r"<title|<!--|<\?xml|<!DOCTYPE", text)


@needs_dot
def test_broken_sums_are_marked():
    report = report_named("resnet50, identity")
    root = ET.fromstring(render(report, default_open(report)))
    classes = {str(g.get("id")): str(g.get("class")).split() for g in root.iter(f"{SVG}g")}
    broken = {name for name, words in classes.items() if "broken" in words and "node" in words}
    assert broken == {f"layer{i}.0:add" for i in (1, 2, 3, 4)}
    assert sum("broken" in words and "edge" in words for words in classes.values()) == 8
    assert "".join(root.itertext()).count("✕") == 4


# ---- when it cannot be drawn -----------------------------------------------------------------------------


INSTALL = r"apt-get install graphviz \(Debian, Ubuntu\) or brew install graphviz \(macOS\)"


def test_dot_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "")
    report = hostile("no program")
    with pytest.raises(
        DiagramError,
        match=rf"\AThe diagram needs Graphviz, which is not installed: {INSTALL}\. "
        r"The table below shows the same\.\Z",
    ):
        render(report, NOTHING)


@pytest.fixture
def fake_dot(tmp_path, monkeypatch) -> Callable[[str], None]:
    """Puts a shell script in the place of ``dot``."""

    def put(script: str) -> None:
        program = tmp_path / "dot"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")

    return put


FAILED = rf"\AGraphviz could not draw this network\. The table below shows the same\. Reinstall: {INSTALL}\.\Z"


@pytest.mark.parametrize("script", ["echo 'Error: <stdin>: syntax error' >&2; exit 1", "kill -SEGV $$"])
def test_dot_fails(script, fake_dot):
    fake_dot(script)
    with pytest.raises(DiagramError, match=FAILED):
        run_dot(f"digraph {{ {len(script)} }}")


def test_dot_cannot_be_started(fake_dot, tmp_path):
    fake_dot("")
    (tmp_path / "dot").write_bytes(b"\x7fELF no program")
    with pytest.raises(DiagramError, match=FAILED):
        run_dot("digraph { unstartable }")


def test_dot_takes_too_long(fake_dot, monkeypatch):
    assert svg.TIMEOUT_S == 5
    monkeypatch.setattr(svg, "TIMEOUT_S", 0.2)
    fake_dot("exec tail -f /dev/null")
    with pytest.raises(
        DiagramError, match=r"\AGraphviz took longer than 0\.2 s and was stopped\. Fold some blocks\.\Z"
    ):
        run_dot("digraph { endless }")


@needs_dot
def test_a_failure_is_not_remembered(monkeypatch):
    source = "digraph { once_missing }"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        with pytest.raises(DiagramError):
            run_dot(source)
    assert "once_missing" in run_dot(source)


def test_too_many_boxes(report_of: Inspect):
    report = report_of("preact_resnet1001")
    everything = golden.expanded(report)
    count = f"{len(report.trace.ops):,}"
    assert count == "3,340"
    with pytest.raises(
        DiagramError, match=rf"\A{count} boxes are too many to read; at most 700 are drawn\. Fold some blocks\.\Z"
    ):
        render(report, everything)


def test_between_folded_stages_one_line_stands_for_both_paths() -> None:
    report = inspect(PRESETS["resnet50"])
    edges = build_diagram(report, frozenset()).edges
    assert [(e.source, e.target, e.role) for e in edges] == [
        ("input", "stem", Role.MAIN),
        ("stem", "layer1", Role.MAIN),
        ("layer1", "layer2", Role.MAIN),
        ("layer2", "layer3", Role.MAIN),
        ("layer3", "layer4", Role.MAIN),
        ("layer4", "head", Role.MAIN),
    ]
