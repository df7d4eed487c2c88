"""A button's promise is kept by the measurement of the network that it makes."""

from __future__ import annotations

import pytest

from explorer.gradients import Case, Trend, apply_case, counterpart, gradient_signal, probe_gradients, signal_trend
from explorer.gradients.cases import usual_shortcut, with_shortcuts
from explorer.spec import PRESETS, ResNetSpec, Shortcut

pytestmark = pytest.mark.usefixtures("one_thread")

CIFAR = PRESETS["cifar_resnet20"].with_(image_size=16)
NETWORKS = {
    "CIFAR ResNet-20": CIFAR,
    "narrow and shallow": CIFAR.with_(depths=(2, 2), widths=(4, 8), image_size=8),
    "bottleneck, SiLU": CIFAR.with_(block="bottleneck", activation="silu", widths=(4, 8, 8)),
    "pre-activation, branches start at 0": CIFAR.with_(block="preact_basic", zero_init_residual=True),
    "four stages, one block each": CIFAR.with_(depths=(1, 1, 1, 1), widths=(8, 8, 8, 8)),
}


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize(("case", "expected"), [(Case.VANISHING, Trend.VANISHES), (Case.EXPLODING, Trend.EXPLODES)])
def test_the_gradient_does_what_the_button_says_and_the_shortcuts_make_it_milder(
    spec: ResNetSpec, case: Case, expected: Trend
) -> None:
    changed = apply_case(spec, case)
    assert changed.is_plain
    probe = probe_gradients(changed, batches=1)
    assert signal_trend(probe) is expected
    rescued = apply_case(changed, Case.SHORTCUTS)
    assert not rescued.is_plain
    assert rescued.plain() == changed
    residual = probe_gradients(rescued, batches=1)
    assert signal_trend(residual).severity < 2
    assert abs(gradient_signal(residual).decades) < abs(gradient_signal(probe).decades) / 2


def test_a_plain_34_with_pytorch_s_weights_keeps_its_depth_and_vanishes() -> None:
    changed = apply_case(PRESETS["resnet34"], Case.VANISHING)
    assert changed == PRESETS["resnet34"].with_(shortcut="none", norm="none", init="default")
    signal = gradient_signal(probe_gradients(changed, batches=1, batch_size=2, image_size=64))
    assert signal.decades < -10
    assert (signal.blocks, signal.layers) == (15, 30)


@pytest.mark.parametrize("case", Case)
def test_a_case_applied_twice_changes_nothing_more(case: Case) -> None:
    once = apply_case(CIFAR, case)
    assert apply_case(once, case) == once


def test_the_counterpart_differs_in_the_shortcuts_alone() -> None:
    assert counterpart(CIFAR) == CIFAR.plain()
    assert counterpart(CIFAR.plain()) == CIFAR
    mixed = CIFAR.with_(shortcut="none", shortcut_overrides={"layer1.0": "projection_all"})
    assert with_shortcuts(mixed).shortcut_overrides == mixed.shortcut_overrides
    assert not any(plan.shortcut_kind is Shortcut.NONE for plan in with_shortcuts(mixed).blocks)


def test_option_a_cannot_drop_channels() -> None:
    assert usual_shortcut(CIFAR) is Shortcut.ZERO_PAD
    assert usual_shortcut(CIFAR.with_(widths=(16, 8, 8))) is Shortcut.PROJECTION
    assert usual_shortcut(PRESETS["resnet18"]) is Shortcut.PROJECTION
