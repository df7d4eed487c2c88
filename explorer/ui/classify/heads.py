"""Heads of transfer learning: those that each page trained or opened most recently."""

from __future__ import annotations

from dataclasses import dataclass

from ...bounded_cache import BoundedCache
from ...inference import Classifier, Variant
from ...inference.classifier import KEPT_BYTES
from ...inference.head import Head, with_head
from ..kit.sessions import Limits, SessionStore, register_closer

HEAD = "head:"  # before a token, as ``FILE`` is


@dataclass(eq=False)
class TransferHead:
    """A head, and the network that it was trained on (as ``networks.classifier_of`` takes it)."""

    head: Head
    base: str
    variant: Variant | None = None

    def on(self, classifier: Classifier) -> Classifier:
        """The head on ``classifier``'s network; both stay loaded while they are in use."""
        pair = _PAIRS.get(self)
        if pair is None or pair[0] is not classifier:
            pair = (classifier, with_head(classifier, self.head))
            self.variant = pair[1].variant
            _PAIRS.put(self, pair)
        return pair[1]


# For each head: the network it was trained on, and that network with the head.
_PAIRS = BoundedCache[TransferHead, tuple[Classifier, Classifier]](
    KEPT_BYTES // 2, lambda pair: sum(classifier.engine.size_bytes for classifier in pair)
)
HEADS = SessionStore[TransferHead](
    "This head is no longer here. Train the linear probe again, or open its file.", Limits(count=64, per_session=8)
)


@register_closer
def _forget_pairs(session: str) -> None:
    for _, head in HEADS.of(session):
        _PAIRS.forget(head)
