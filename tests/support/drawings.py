"""Networks to draw, and what is read off a drawing; for several tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from shutil import which
from typing import Any

import pytest
from torch import Tensor, nn

from explorer.inspection import Report, inspect
from explorer.spec import PRESETS
from explorer.views.diagram.model import Diagram
from explorer.views.diagram.svg import sentence
from tests import golden
from tests.support.strategies import described

needs_dot = pytest.mark.skipif(which("dot") is None, reason="Graphviz's dot is not installed")

Inspect = Callable[[str], Report]
NOTHING: frozenset[str] = frozenset()
SVG = "{http://www.w3.org/2000/svg}"


SPECS = {
    "resnet18": PRESETS["resnet18"],
    "resnet50, identity": PRESETS["resnet50"].with_(shortcut="identity"),
    "cifar_resnet20": PRESETS["cifar_resnet20"],
    "C, deep stem": PRESETS["resnet34"].with_(shortcut="projection_all", stem="deep"),
    "pre-activation": PRESETS["preact_resnet164"].with_(depths=(3, 4, 2)),
    "plain": PRESETS["resnet18"].plain(),
    "mixed": described(
        depths=(4, 4),
        widths=(8, 8),
        image_size=32,
        shortcut_overrides={"layer1.2": "none", "layer2.1": "projection_all", "layer2.0": "zero_pad"},
    ),
}


@cache
def report_named(name: str) -> Report:
    return inspect(SPECS[name])


@cache
def openable(name: str) -> tuple[str, ...]:
    """Everything that opens."""
    return tuple(sorted(golden.expanded(report_named(name))))


def conv(inputs: int = 4, outputs: int = 4) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, device="meta")


class Calls(nn.Module):
    """The modules called one after the other, by attribute name; a function stands for itself."""

    def __init__(self, order: list[Any], **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        for step in self.order:
            x = getattr(self, step)(x) if isinstance(step, str) else step(x)
        return x


def parse(text: str) -> ET.Element:
    """The SVG, once it contains only shapes and text: no script, no link, no event, no picture, no style."""
    root = ET.fromstring(text)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "g", "path", "polygon", "polyline", "ellipse", "text"}
        assert {key for key in element.keys() if not key.startswith("aria-")} <= {  # noqa: SIM118
            "id", "class", "role", "tabindex", "viewBox", "transform", "fill", "d", "points", "x", "y", "cx", "cy",
            "rx", "ry", "text-anchor", "data-box", "font-family", "font-size", "stroke-width", "stroke-dasharray",
        }  # fmt: skip
    return root


def focusable(root: ET.Element) -> dict[str, str]:
    """Id -> label of everything the keyboard reaches."""
    found = [g for g in root.iter(f"{SVG}g") if g.get("tabindex") == "0"]
    assert all(g.get("role") == "button" for g in found)
    labels = {str(g.get("id")): str(g.get("aria-label")) for g in found}
    assert len(labels) == len(found)
    return labels


def expected_labels(diagram: Diagram) -> dict[str, str]:
    return {
        **{node.id: sentence(node) for node in diagram.nodes},
        **{f"group:{group.id}": f"{', '.join(group.lines)}. Fold." for group in diagram.groups},
    }


class Block(nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.add_module(name, conv())
        self.name = name

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, self.name)(x) + x


def hostile(name: str) -> Report:
    """A stage of two equal blocks and another one, each with a layer, all called ``name``."""
    blocks = nn.Sequential(Block(name), Block(name), nn.Sequential())
    blocks[2].add_module(name, conv())
    return inspect(Calls([name], **{name: blocks}), (4, 8, 8))
