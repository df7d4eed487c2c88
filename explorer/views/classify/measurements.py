"""What was measured with a network's weights, in words."""

from __future__ import annotations

from ...inference.weights.measurements import PhotoScore


def photo_score_words(score: PhotoScore) -> str:
    """How many full-size photos were right, and how many looked like none of the classes: one sentence."""
    return (
        f"Right for {score.top1} of {score.known} full-size photos of classes it knows ({score.top5} within its first "
        f"five). Out-of-distribution: {score.set_apart} of {score.others} photos of other things, and "
        f"{score.unfamiliar} of those {score.known}."
    )
