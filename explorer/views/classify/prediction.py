"""A prediction and a download, as HTML."""

from __future__ import annotations

from ...inference import Prediction, Progress, Variant
from ..kit import numbers
from ..kit.markup import progress_bar, tag, text

SOFTMAX = "The bars are softmax scores: how the network shares its vote, not how often it is right."


def answer(prediction: Prediction, decode_ms: float, seen: str) -> str:
    """Top classes as bars, then what the network saw and how long it took.

    Args:
        decode_ms: time spent decoding the upload, ms.
        seen: data URI of the crop the network saw.
    """
    bars = "".join(_bar(name, score, first=i == 0) for i, (name, score) in enumerate(prediction.top))
    notes = "".join(tag("li", text(note)) for note in prediction.notes)
    return (
        tag("h3", text(prediction.top[0][0]))
        + verdict(prediction)
        + tag("div", bars, css="rx-bars", role="list")
        + tag("p", SOFTMAX, css="rx-note")
        + _seen(prediction, seen)
        + _timings(prediction, decode_ms)
        + (tag("ul", notes, css="rx-note") if notes else "")
    )


def verdict(prediction: Prediction) -> str:
    """A line under the first class where the photo looks like none of the classes; empty otherwise."""
    if prediction.in_distribution is not False:
        return ""
    words = "This photo looks like none of the classes the network knows. What it names is only the nearest of them."
    return tag("p", text(words), css="rx-unfamiliar")


def download_progress(variant: Variant, progress: Progress | None) -> str:
    """A bar with bytes received; before the first byte, a line."""
    if progress is None:
        return tag("p", text(f"Asking for {variant.title} …"), css="rx-note", role="status")
    share = min(1.0, progress.received / max(progress.total, 1))
    words = f"{variant.title}: {numbers.size(progress.received)} of {numbers.size(progress.total)}"
    return progress_bar(words, share)


def _bar(name: str, score: float, *, first: bool) -> str:
    css = "first" if first else ""
    fill = tag("span", "", css="fill", style=f"width:{score:.2%}")
    return (
        tag("span", text(name), css=css)
        + tag("span", fill, css="track", role="presentation")
        + tag("span", text(numbers.percent(score)), css=f"score {css}", title=f"{score:.6f}")
    )


def _seen(prediction: Prediction, seen: str) -> str:
    side = prediction.crop.width
    picture = f'<img src="{text(seen)}" alt="What the network saw, {side} by {side} pixels">'
    words = tag("strong", "What the network saw") + tag("p", text(prediction.transform), css="rx-note")
    return tag("div", picture + tag("div", words), css="rx-seen")


def _timings(prediction: Prediction, decode_ms: float) -> str:
    times = prediction.timings
    parts = (
        ("decode", decode_ms),
        ("transform", times.transform),
        ("forward", times.forward),
        ("total", decode_ms + times.total),
    )
    words = " · ".join(f"{name} {numbers.duration(ms / 1000)}" for name, ms in parts)
    return tag("p", text(f"{words} · {prediction.device}"), css="rx-note rx-timings")
