"""What a sweep and path lengths mean: sentences that follow from the numbers, whichever way they point."""

from __future__ import annotations

from math import comb, nan

import pytest

from explorer.gradients import PathLengths, Setting, Signal, Span, SweepPoint
from explorer.gradients.path_lengths import PathLength
from explorer.spec import PRESETS
from explorer.views.gradients.conclusions import paths_verdict, sweep_verdict

SETTING = Setting(8, 3, 32, 32, 0)


def point(depth: int, shortcut: str, norm: str, first: float) -> SweepPoint:
    spec = PRESETS[f"cifar_resnet{depth}"].with_(shortcut=shortcut, norm=norm)
    signal = Signal(1.0, first, sum(spec.depths) - 1, depth - 4)
    span = Span(nan, nan, nan)
    return SweepPoint(spec, SETTING, 1.0, 1.0, 1.0, 1.0, 1.0, (), signal, signal.trend, span, span)


def four(depth: int, residual: float, plain: float, residual_bare: float, plain_bare: float) -> list[SweepPoint]:
    return [
        point(depth, "zero_pad", "batch", residual),
        point(depth, "none", "batch", plain),
        point(depth, "zero_pad", "none", residual_bare),
        point(depth, "none", "none", plain_bare),
    ]


def test_a_sweep_names_what_happens_in_the_deepest_networks_and_what_prevents_it() -> None:
    verdict = sweep_verdict([*four(20, 5, 16, 0.5, 1e-6), *four(110, 10.5, 1e7, 0.5, 0.0)])
    assert verdict.headline == (
        "With 110 layers, the gradient vanishes in the plain network without normalisation; it holds in the residual "
        "network without normalisation; it grows in the residual network with normalisation; it explodes in the plain "
        "network with normalisation."
    )
    assert verdict.comparison == (
        "So shortcuts prevent the worst with normalisation: only they differ between those two networks.",
        "So shortcuts prevent the worst without normalisation: only they differ between those two networks.",
        "Normalisation alone prevents vanishing too: the plain network with it does not lose its gradient.",
    )
    assert verdict.reasons[0] == (
        "In the plain network with normalisation it becomes 1.0\u00a0×\u00a010⁷ times larger from the last block back "
        "to the first; with 20 layers it becomes 16.0 times larger, so depth makes it worse."
    )
    assert "falls to exactly 0" in verdict.reasons[1]
    assert "He et al. 2015 (§4.1)" in verdict.reasons[2]


def test_a_sweep_says_so_if_shortcuts_make_it_worse() -> None:
    said = " ".join(sweep_verdict(four(56, 5, 5, 1e4, 0.5)).sentences)
    assert "So shortcuts alone do not make the signal even: without normalisation they make it worse." in said
    assert "prevent" not in said
    assert sweep_verdict(four(20, 1, 1, 1, 1)).comparison == ()


def paths(norms: list[float]) -> PathLengths:
    """A network of as many blocks, whose paths of each length carry this much."""
    n = len(norms) - 1
    totals = [comb(n, k) * norm for k, norm in enumerate(norms)]
    shares = [total / sum(totals) if sum(totals) else nan for total in totals]
    lengths = tuple(PathLength(k, comb(n, k), comb(n, k) / 2**n, (norms[k],), shares[k]) for k in range(n + 1))
    return PathLengths(PRESETS["cifar_resnet20"], SETTING, n, lengths, "cpu", "float32", ())


@pytest.mark.parametrize(
    ("factor", "headline", "claim"),
    [
        (0.2, "mostly short paths carry the gradient, as Veit et al. 2016 found.", "confirms it for these 9 blocks."),
        (1.0, "paths of ordinary length carry the gradient, not mostly short ones.", "do not show that."),
        (4.0, "mostly long paths carry the gradient, contrary to what Veit et al. 2016 found.", "show the contrary."),
    ],
)
def test_the_claim_of_veit_et_al_is_confirmed_or_contradicted(factor: float, headline: str, claim: str) -> None:
    result = paths([factor**k for k in range(10)])
    verdict = paths_verdict(result)
    assert verdict.headline == f"CIFAR ResNet-20: {headline}"
    assert verdict.reasons[0].endswith(claim)
    assert result.per_branch == pytest.approx(factor)
    # With a gradient that changes by a factor f a branch, lengths are binomial with p = f ÷ (1 + f).
    assert result.effective_length == pytest.approx(9 * factor / (1 + factor))
    assert (f"about {factor:.2f} times as much" in " ".join(verdict.comparison)) is (factor != 1)


def test_without_a_gradient_no_length_is_judged() -> None:
    assert "no lengths can be compared" in paths_verdict(paths([0.0] * 10)).headline
