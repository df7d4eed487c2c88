"""Verdicts follow from the measured numbers: made ones here, so that every sentence is reached."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.gradients import BlockGradient, GradientProbe, Setting, probe_with_twin
from explorer.gradients.cases import Case, apply_case, counterpart
from explorer.spec import PRESETS, ResNetSpec
from explorer.views.gradients.verdict import network_verdict, reasons_html, times_words, verdict_html

SPEC = PRESETS["cifar_resnet20"]
BARE = SPEC.with_(norm="none", init="default")
SAME = "weights and images are the same in both."


def made(spec: ResNetSpec, first: float, last: float, stds: tuple[float, float] = (1.0, 1.0)) -> GradientProbe:
    """A measurement with these gradients and activations in the first block and in the last."""
    blocks = (BlockGradient("layer1.0", 1, 3, first, stds[0]), *(BlockGradient("layer3.2", 3, 19, last, stds[1]),))
    return GradientProbe(spec, Setting(8, 3, 32, 32, 0), (), blocks, 2.3, "cpu", "float32", ())


def text(probe: GradientProbe, twin: GradientProbe | None = None) -> str:
    return " ".join(network_verdict(probe, twin).sentences)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (2.0, 1.0, "the gradient holds. From the last block back to the first, 1 block and 16 layers, it becomes 2.0"),
        (20.0, 1.0, "the gradient grows, but does not explode."),
        (0.05, 1.0, "the gradient shrinks, but does not vanish."),
        (1e5, 1.0, "the gradient explodes. From the last block back to the first, 1 block and 16 layers, it"),
        (2e-13, 1.0, "it becomes 5.0 × 10¹² times smaller."),
        (1.0, 1.0, "it keeps its size."),
        (0.0, 1.0, "to the first, 1 block and 16 layers, it falls to exactly 0."),
        (inf, 1.0, "it exceeds the largest number."),
    ],
)  # fmt: skip
def test_the_headline_names_what_happens_and_by_how_much(first: float, last: float, words: str) -> None:
    assert words.replace(" × ", "\u00a0×\u00a0") in network_verdict(made(SPEC, first, last)).headline


def test_no_gradient_is_judged_by_the_activations_that_left_none() -> None:
    assert "because the activations vanish on their way forward" in text(made(BARE, 0.0, 0.0, (0.1, 0.0)))
    assert "because the activations explode on their way forward" in text(made(BARE, nan, nan, (0.1, nan)))
    assert "there is no gradient to compare" in text(made(SPEC, 0.0, 0.0))


def test_a_difference_is_owed_to_the_shortcuts_only_if_nothing_else_differs() -> None:
    vanished = made(BARE.plain(), 1e-9, 1.0, (1.0, 1e-9))
    assert f"The shortcuts make the difference: {SAME}" in text(made(BARE, 0.5, 1.0), vanished)
    assert f"The shortcuts make the difference: {SAME}" in text(vanished, made(BARE, 0.5, 1.0))
    assert "shortcuts make" not in text(made(SPEC, 0.5, 1.0), vanished), "the norm differs too"
    assert "In Plain-20, measured beside it, the gradient vanishes" in text(made(SPEC, 0.5, 1.0), vanished)


@pytest.mark.parametrize(
    ("residual", "plain", "words"),
    [
        (1e4, 0.2, f"So the shortcuts make the signal less even here: {SAME}"),
        (20.0, 0.05, f"So the shortcuts turn the direction of the change: {SAME}"),
        (2.0, 3.0, "So at this depth and with these settings the gradient does not need the shortcuts to hold."),
        (12.0, 190.0, f"So the shortcuts make this milder: {SAME}"),
        (190.0, 12.0, f"So the shortcuts make this stronger: {SAME}"),
        (20.0, 21.0, "So the shortcuts do not decide whether the gradient grows here."),
    ],
)
def test_both_are_compared(residual: float, plain: float, words: str) -> None:
    assert words in text(made(SPEC, residual, 1.0), made(SPEC.plain(), plain, 1.0))


def test_he_et_al_are_quoted_if_and_only_if_a_plain_network_with_batch_norm_confirms_them() -> None:
    grown, vanished = made(SPEC.plain(), 200.0, 1.0), made(SPEC.plain(), 1e-9, 1.0)
    assert "He et al. 2015 (§4.1) say the same" in text(made(SPEC, 10.1, 1.0), grown)
    assert "an effect of batch norm at the initial weights" in text(grown)
    assert "He et al." not in text(vanished)
    assert "He et al." not in text(made(SPEC, 200.0, 1.0))
    assert "He et al." not in text(made(BARE.plain(), 200.0, 1.0))


def test_without_a_norm_the_spread_of_the_activations_is_named() -> None:
    small = text(made(BARE.plain(), 1e-9, 1.0, (0.2, 1e-9)))
    assert (
        "its initial weights (PyTorch default) pass on less than they receive: the spread of the activations falls "
        in small
    )
    assert "from 0.200 in the first block to 1.00e-9 in the last" in small
    assert "nothing scales its signal back" in text(made(BARE, 1e5, 1.0, (0.5, 1e4)))
    assert "alone keep the spread" in text(made(BARE, 1.0, 1.0, (0.5, 0.4)))
    assert "Every branch starts at 0" in text(made(SPEC.plain().with_(zero_init_residual=True), 0.0, 1.0))


@given(st.floats(0, 400))
def test_a_factor_has_no_digits_that_do_not_matter(decades: float) -> None:
    words = times_words(decades)
    assert "e" not in words
    assert words.count(".") <= 1
    assert len(words) <= 12


@pytest.mark.parametrize(("decades", "words"), [(0, "1.0"), (2.2765, "189"), (4.0934, "12,399"), (7.9999, "1.0 × 10⁸")])
def test_factors_as_people_read_them(decades: float, words: str) -> None:
    assert times_words(decades) == words.replace(" ", "\u00a0")


@pytest.mark.usefixtures("one_thread")
def test_the_textbook_case_as_it_is_measured() -> None:
    spec = apply_case(SPEC.with_(image_size=16), Case.VANISHING)
    said = text(*probe_with_twin(spec, twin=counterpart(spec), batches=1))
    assert said.startswith("Plain-20: the gradient vanishes. From the last block back to the first, 8 blocks and 16")
    assert "In ResNet-20, the same network with shortcuts, the gradient holds: it becomes" in said
    assert "The shortcuts make the difference" in said


def test_a_verdict_is_markup_in_two_parts() -> None:
    verdict = network_verdict(made(SPEC, 1.0, 1.0), made(SPEC.plain(), 20.0, 1.0))
    assert verdict_html(verdict).startswith('<div class="rx-meaning"><p><strong>CIFAR ResNet-20: the gradient holds.')
    assert "He et al." in reasons_html(verdict)
    assert "He et al." not in verdict_html(verdict)
    assert reasons_html(network_verdict(made(SPEC, 1.0, 1.0, (1.0, 1e5)))) == ""
