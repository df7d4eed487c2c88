"""What a measurement along depth means, in sentences that follow from its numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import TYPE_CHECKING

from ...gradients.signal import (
    EXTREME_DECADES,
    HOLDING_DECADES,
    Signal,
    Trend,
    activation_signal,
    gradient_signal,
    signal_trend,
)
from ...spec import Norm, ResNetSpec, title
from ..kit.markup import tag, text
from ..kit.numbers import magnitude, three_digits

if TYPE_CHECKING:
    from ...gradients import GradientProbe

RULE = (
    "In these verdicts a signal holds if it changes less than "
    f"{10**HOLDING_DECADES:.0f}-fold from the last block back to the first, and vanishes or explodes if it changes "
    f"more than {10**EXTREME_DECADES:.0f}-fold. In between it shrinks or grows."
)
NO_VANISHING = (
    "He et al. 2015 (§4.1) say the same of plain networks with batch norm: that deeper ones train worse (degradation) "
    "is not due to vanishing gradients."
)
_NORM_WORDS = {Norm.BATCH: "batch norm", Norm.GROUP: "group norm", Norm.NONE: "no normalisation"}
_STATES = {
    Trend.VANISHES: "the gradient vanishes",
    Trend.SHRINKS: "the gradient shrinks, but does not vanish",
    Trend.HOLDS: "the gradient holds",
    Trend.GROWS: "the gradient grows, but does not explode",
    Trend.EXPLODES: "the gradient explodes",
}
_FORWARD = {
    Trend.VANISHES: "no gradient is left, because the activations vanish on their way forward",
    Trend.EXPLODES: "no gradient can be computed, because the activations explode on their way forward",
}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Verdict:
    """
    Attributes:
        headline: what happens.
        comparison: what happens in other networks, and what the difference is owed to.
        reasons: why, and what has been published about it.
    """

    headline: str
    comparison: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        return self.headline, *self.comparison, *self.reasons


def verdict_html(verdict: Verdict) -> str:
    """The headline in bold, then the comparison; for above a chart."""
    headline = tag("p", tag("strong", text(verdict.headline)))
    return tag("div", headline + _paragraph(verdict.comparison), css="rx-meaning")


def reasons_html(verdict: Verdict) -> str:
    """The reasons, for below a chart; empty if there are none."""
    return tag("div", _paragraph(verdict.reasons), css="rx-meaning") if verdict.reasons else ""


def _paragraph(sentences: Sequence[str]) -> str:
    return tag("p", text(" ".join(sentences))) if sentences else ""


def norm_words(spec: ResNetSpec) -> str:
    """ "batch norm", "no normalisation"."""
    return _NORM_WORDS[spec.norm]


def settings_words(spec: ResNetSpec) -> str:
    """Normalisation and initial weights: "batch norm, He (fan-out) weights"."""
    return f"{norm_words(spec)}, {spec.init.label} weights"


def change_words(signal: Signal) -> str:
    """What the signal does, as a verb and its object: "becomes 189 times larger"."""
    change = signal.decades
    if signal.end == 0:
        return "falls to exactly 0"
    if not isfinite(change):
        return "exceeds the largest number" if change > 0 else "cannot be compared"
    times = times_words(abs(change))
    return "keeps its size" if times == "1.0" else f"becomes {times} times {'larger' if change > 0 else 'smaller'}"


def times_words(decades: float) -> str:
    """A factor of 10 to the ``decades``, at least 1: "1.9", "189", "12,400", "2.0 × 10¹²" (with no-break spaces)."""
    if decades < 1:
        return f"{10**decades:.1f}"
    if decades < 6:
        return three_digits(10**decades)
    whole = int(decades)
    digits = f"{10 ** (decades - whole):.1f}"
    if digits == "10.0":
        whole, digits = whole + 1, "1.0"
    return f"{digits}\u00a0×\u00a010{str(whole).translate(_RAISED)}"


def network_verdict(probe: GradientProbe, twin: GradientProbe | None = None) -> Verdict:
    """Whether the gradient vanishes, explodes or holds in this network and its counterpart, and what that is owed to.

    A statement about shortcuts is made only if the two differ in them alone.
    """
    signal, others = gradient_signal(probe), () if twin is None else (_beside_words(probe, twin),)
    if not signal.blocks:
        return Verdict(f"{title(probe.spec)} has one block, so that its gradient passes no other on its way.", others)
    state = _state(probe)
    way = f"{_counted(signal.blocks, 'block')} and {_counted(signal.layers, 'layer')}"
    measured = f" From the last block back to the first, {way}, it {change_words(signal)}."
    measured = "" if signal.trend is Trend.UNKNOWN else measured
    headline = f"{title(probe.spec)}: {state}.{measured}"
    if twin is None or not _differ_in_shortcuts(probe, twin):
        return Verdict(headline, others, tuple(_reasons(probe, probe)))
    residual, plain = (twin, probe) if probe.spec.is_plain else (probe, twin)
    worse = max(plain, residual, key=lambda network: signal_trend(network).severity)
    return Verdict(headline, (*others, *_owed_to_shortcuts(residual, plain)), tuple(_reasons(worse, plain)))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _state(probe: GradientProbe) -> str:
    if gradient_signal(probe).trend is Trend.UNKNOWN:
        return _FORWARD.get(signal_trend(probe), "there is no gradient to compare")
    return _STATES[signal_trend(probe)]


def _beside_words(probe: GradientProbe, twin: GradientProbe) -> str:
    signal = gradient_signal(twin)
    which = "measured beside it"
    if _differ_in_shortcuts(probe, twin):
        which = "the same network without shortcuts" if twin.spec.is_plain else "the same network with shortcuts"
    measured = "" if signal.trend is Trend.UNKNOWN or not signal.blocks else f": it {change_words(signal)}"
    return f"In {title(twin.spec)}, {which}, {_state(twin)}{measured}."


def _differ_in_shortcuts(probe: GradientProbe, twin: GradientProbe) -> bool:
    """Whether one is the other's plain counterpart; images and classes are those of the first (``probe_beside``)."""
    one, other = probe.spec, twin.spec.with_(image_size=probe.spec.image_size)
    return one.plain() == other.plain() and one.is_plain is not other.is_plain


def _reasons(explained: GradientProbe, plain: GradientProbe) -> Iterator[str]:
    """Why the first network's signal does what it does, and He et al.'s statement if the second one confirms it."""
    yield from _owed_to_settings(explained)
    shown = (Trend.HOLDS, Trend.GROWS, Trend.EXPLODES)
    if plain.spec.is_plain and plain.spec.norm is Norm.BATCH and signal_trend(plain) in shown:
        yield f"So the plain network's gradient does not vanish. {NO_VANISHING}"


def _owed_to_shortcuts(residual: GradientProbe, plain: GradientProbe) -> Iterator[str]:
    """What the comparison of the two says: they have the same images and, in every layer they share, weights."""
    here, there = signal_trend(residual), signal_trend(plain)
    change = abs(gradient_signal(residual).decades) - abs(gradient_signal(plain).decades)
    if Trend.UNKNOWN in (here, there):
        return
    if here.severity < there.severity:
        yield "The shortcuts make the difference: weights and images are the same in both."
    elif here.severity > there.severity:
        yield "So the shortcuts make the signal less even here: weights and images are the same in both."
    elif here is not there:
        yield "So the shortcuts turn the direction of the change: weights and images are the same in both."
    elif here is Trend.HOLDS:
        yield "So at this depth and with these settings the gradient does not need the shortcuts to hold."
    elif abs(change) < log10(2):
        yield f"So the shortcuts do not decide whether the gradient {here.value} here."
    else:
        degree = "stronger" if change > 0 else "milder"
        yield f"So the shortcuts make this {degree}: weights and images are the same in both."


def _owed_to_settings(probe: GradientProbe) -> Iterator[str]:
    """What normalisation and initial weights do, by the spread of the activations that they were seen to cause."""
    spec, forward, trend = probe.spec, activation_signal(probe), signal_trend(probe)
    spread = f"from {magnitude(forward.start)} in the first block to {magnitude(forward.end)} in the last"
    if spec.zero_init_residual:
        yield "Every branch starts at 0 in these networks, so that at first only a shortcut passes the signal on."
    elif spec.norm is not Norm.NONE:
        yield from _owed_to_norm(probe)
    elif forward.trend is Trend.HOLDS:
        yield (
            f"Nothing normalises the signal in {title(spec)}; its initial weights ({spec.init.label}) alone keep the "
            f"spread of the activations: {spread}."
        )
    elif forward.decades < 0:
        yield (
            f"{title(spec)} has no normalisation, and its initial weights ({spec.init.label}) pass on less than they "
            f"receive: the spread of the activations falls {spread}, and the gradient passes the same weights on its "
            "way back."
        )
    elif forward.decades > 0 and trend is not Trend.UNKNOWN:
        yield (
            f"{title(spec)} has no normalisation, so that nothing scales its signal back: the spread of the "
            f"activations grows {spread}."
        )


def _owed_to_norm(probe: GradientProbe) -> Iterator[str]:
    forward, trend, spec = activation_signal(probe), signal_trend(probe), probe.spec
    if forward.trend is not Trend.HOLDS:
        return
    spread = f"{magnitude(forward.start)} in the first block, {magnitude(forward.end)} in the last"
    words = norm_words(spec).capitalize()
    yield f"{words} keeps the spread of the activations of {title(spec)} on their way forward ({spread})."
    if trend in (Trend.GROWS, Trend.EXPLODES) and spec.norm is Norm.BATCH:
        yield (
            "That the gradient grows on its way back is an effect of batch norm at the initial weights; Yang et al. "
            "2019 derive it for networks without shortcuts, and found it to ease with the first training steps."
        )
