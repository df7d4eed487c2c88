"""What is said of a block without its branch, against a block whose branch gives 0."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.network import build
from explorer.spec import PRESETS, Activation, ResNetSpec, Shortcut
from explorer.views.inspector.formulas import without_branch

RESNET18 = ResNetSpec()
PREACT = RESNET18.with_(block="preact_basic")
PASSED_ON = "If F is 0, y = ReLU(x): x has no negative numbers, so the block passes it on."


@pytest.mark.parametrize(
    ("spec", "block", "words"),
    [
        (RESNET18, "layer1.0", PASSED_ON),
        (RESNET18, "layer2.0", "If F is 0, y = ReLU(BN(W<sub>s</sub>·x)): the shortcut alone."),
        (RESNET18.with_(shortcut=Shortcut.ZERO_PAD), "layer2.0", "If F is 0, y = ReLU(pad(x)): the shortcut alone."),
        (RESNET18.with_(shortcut=Shortcut.IDENTITY), "layer2.0", ""),
        (RESNET18.with_(shortcut=Shortcut.IDENTITY), "layer2.1", PASSED_ON),
        (RESNET18.plain(), "layer1.0", "If F is 0, y = 0: nothing of x is left."),
        (
            RESNET18.with_(activation=Activation.GELU),
            "layer1.0",
            "If F is 0, y = GELU(x): only the activation changes x.",
        ),
        (PREACT, "layer1.1", "If F is 0, y = x: the block passes its input on."),
        (
            PREACT,
            "layer2.0",
            "If F is 0, y = W<sub>s</sub>·a, with a = ReLU(BN<sub>1</sub>(x)): the shortcut alone.",
        ),
        (PRESETS["resnet50"], "layer1.1", PASSED_ON),
    ],
)
def test_the_sentence(spec: ResNetSpec, block: str, words: str) -> None:
    plan = next(plan for plan in spec.blocks if plan.path == block)
    assert without_branch(spec, plan) == words


@pytest.mark.parametrize(
    ("spec", "path", "passes"),
    [(RESNET18, "layer1.0", True), (PREACT, "layer1.1", True), (RESNET18.with_(activation="gelu"), "layer1.0", False)],
)
def test_a_block_without_its_branch_does_what_is_said(spec: ResNetSpec, path: str, passes: bool) -> None:
    model = build(spec).eval()
    for name, value in model.get_submodule(path).named_parameters():
        if not name.startswith("downsample"):
            nn.init.zeros_(value)
    x = torch.randn(1, 64, 8, 8, generator=torch.Generator().manual_seed(0)).relu()
    assert torch.equal(model.get_submodule(path)(x), x) is passes


def test_a_plain_block_without_its_branch_gives_nothing() -> None:
    block = build(RESNET18.plain()).eval().get_submodule("layer1.0")
    for value in block.parameters():
        nn.init.zeros_(value)
    assert not block(torch.ones(1, 64, 8, 8)).any()
