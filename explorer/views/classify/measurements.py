"""What was measured with a network's weights, in words."""

from __future__ import annotations

from ...inference.weights.measurements import PhotoScore


def photo_score_words(score: PhotoScore) -> str:
    """How many full-size photos were right, and how many looked like none of the classes: one sentence."""
    return (
        f"Of {score.known} full-size photos of classes it knows it named {score.top1} right, {score.top5} among its "
        f"first five; {score.set_apart} of {score.others} photos of other things it found unlike its classes, "
        f"and {score.unfamiliar} of the {score.known}."
    )
