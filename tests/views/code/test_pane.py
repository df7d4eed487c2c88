"""The pane of code: its text is the file, its colours are legible, every box has its lines."""

from __future__ import annotations

import re
from html import unescape

import pytest

from explorer.inspection import inspect
from explorer.network.codegen import source
from explorer.spec import PRESETS, ResNetSpec
from explorer.views.code.pane import box_lines, code_html
from explorer.views.diagram.model import build_diagram, default_open, everything
from explorer.views.kit.theme import CODE, DARK, LIGHT, ROLES


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(over: str, under: str, share: float) -> str:
    """As ``color-mix(in srgb, …)``."""
    pairs = [(int(over[i : i + 2], 16), int(under[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02X}" for a, b in pairs)


@pytest.mark.parametrize("name", CODE)
def test_colours_are_legible_on_every_line(name):
    for colour, grey, on in zip(CODE[name], (LIGHT, DARK), ("on_light", "on_dark"), strict=True):
        selected = mixed(getattr(ROLES["identity"], on), grey.page, 0.14)
        lit = mixed(getattr(ROLES["projection"], on), grey.page, 0.16)
        for background in (grey.page, grey.surface, selected, lit):
            assert contrast(colour, background) >= 4.5, (name, on, background)


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "cifar_resnet20", "preact_resnet164"])
def test_the_text_of_the_lines_is_the_file(name):
    html = code_html(PRESETS[name])
    assert unescape(re.sub(r"<[^>]+>", "", html)) == source(PRESETS[name])
    numbers = [int(number) for number in re.findall(r'data-line="(\d+)"', html)]
    assert numbers == list(range(1, source(PRESETS[name]).count("\n") + 1))


def test_words_are_coloured_by_what_they_are():
    html = code_html(ResNetSpec())
    assert '<span class="py-k">class</span>' in html
    assert '<span class="py-nc">BasicBlock</span>' in html


@pytest.mark.parametrize("shortcut", ["projection", "zero_pad", "none", "identity"])
@pytest.mark.parametrize("opened", [default_open, everything], ids=["folded", "open"])
def test_every_box_but_the_input_has_lines(shortcut, opened):
    report = inspect(ResNetSpec().with_(shortcut=shortcut))
    diagram = build_diagram(report, opened(report))
    found = box_lines(report, diagram)
    assert {node.id for node in diagram.nodes} | {group.id for group in diagram.groups} == {*found, "input"}
    assert all(box.at in box.lines and box.lines == tuple(sorted(set(box.lines))) for box in found.values())


def test_a_block_is_brought_into_view_at_its_class_and_a_layer_at_its_constructor():
    report, lines = inspect(ResNetSpec()), source(ResNetSpec()).splitlines()
    found = box_lines(report, build_diagram(report, everything(report)))
    assert lines[found["layer2.0"].at - 1] == "class BasicBlock(nn.Module):"
    assert lines[found["layer2.0.conv1"].at - 1].strip().startswith("self.conv1 = ")
    assert lines[found["layer2"].at - 1].strip() == "self.layer2 = nn.Sequential("
    assert "self.branch(x) + shortcut" in lines[found["layer2.0:add"].at - 1]
