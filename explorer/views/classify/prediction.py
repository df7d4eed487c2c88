"""A prediction and a download, as HTML."""

from __future__ import annotations

from ...inference import Prediction, Progress, Variant
from ..kit import numbers
from ..kit.markup import progress_bar, tag, text

SOFTMAX = "The bars are softmax scores: how the network divides its confidence, not how often it is right."


def answer(prediction: Prediction, decode_ms: float, crop: str) -> str:
    """Top classes as bars, then the preprocessed input and the timings.

    Args:
        decode_ms: time spent decoding the upload, ms.
        crop: data URI of the crop that the network received.
    """
    bars = "".join(_bar(name, score, first=i == 0) for i, (name, score) in enumerate(prediction.top))
    notes = "".join(tag("li", text(note)) for note in prediction.notes)
    return (
        tag("h3", text(prediction.top[0][0]))
        + verdict(prediction)
        + tag("div", bars, css="rx-bars", role="list")
        + tag("p", SOFTMAX, css="rx-note")
        + _model_input(prediction, crop)
        + _timings(prediction, decode_ms)
        + (tag("ul", notes, css="rx-note") if notes else "")
    )


def verdict(prediction: Prediction) -> str:
    """A line under the first class if the photo looks out-of-distribution; empty otherwise."""
    if prediction.in_distribution is not False:
        return ""
    words = "This photo looks like none of the classes the network knows. Its answer is only the nearest of them."
    return tag("p", text(words), css="rx-unfamiliar")


def download_progress(variant: Variant, progress: Progress | None) -> str:
    """A bar with bytes received; before the first byte, a line."""
    if progress is None:
        return tag("p", text(f"Requesting {variant.title} …"), css="rx-note", role="status")
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


def _model_input(prediction: Prediction, crop: str) -> str:
    side = prediction.crop.width
    picture = f'<img src="{text(crop)}" alt="Preprocessed input, {side} by {side} pixels">'
    plain = f"This is all the network receives of your photo: {side}×{side} pixels."
    exact = tag("details", tag("summary", "Preprocessing") + tag("p", text(prediction.transform)), css="rx-note")
    words = tag("strong", "Preprocessed input") + tag("p", text(plain), css="rx-note") + exact
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
