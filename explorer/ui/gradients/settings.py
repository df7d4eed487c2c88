"""Settings that all measurements of the Gradients tab share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

from ...errors import ExplorerError
from ...spec import ResNetSpec, from_query
from . import images as gradient_inputs

if TYPE_CHECKING:
    from ...gradients import ProbeOptions

SEEDS = (1, 3, 5)
MOST_SEED = 10_000
MOST_TEXT = 20_000  # of a network's query


@dataclass(frozen=True)
class Settings:
    """The widgets, and the network's query beside them."""

    query: gr.Textbox
    images: Any
    seeds: Any
    seed: Any

    @property
    def widgets(self) -> list[Any]:
        return [self.query, *self.own]

    @property
    def own(self) -> list[Any]:
        """The widgets without the network's query."""
        return [self.images, self.seeds, self.seed]


@dataclass(frozen=True)
class Wish:
    """One requested measurement.

    Attributes:
        images: one of ``gradient_inputs.LABELS``, and which photos.
        session: of the page.
    """

    spec: ResNetSpec
    images: tuple[str, ...]
    seeds: int
    seed: int
    session: str = field(compare=False)

    def options(self) -> tuple[ProbeOptions, str]:
        """Options of the measurement, and a sentence on its images.

        Raises:
            ExplorerError: these images are not available.
        """
        options, words = gradient_inputs.images(self.images[0], self.spec, self.seed, self.session)
        return {**options, "seed": self.seed, "seeds": self.seeds}, words


def read(query: Any, images: Any, seeds: Any, seed: Any, session: Any) -> Wish:
    """What a browser sent, checked.

    Raises:
        ExplorerError: the page does not offer such a value.
    """
    if str(images) not in gradient_inputs.LABELS or seeds not in SEEDS or len(str(query)) > MOST_TEXT:
        raise ExplorerError("The page sent a setting that it does not offer. Reload it.")
    number = min(max(int(seed or 0), 0), MOST_SEED)
    session = str(session)
    return Wish(from_query(str(query)), gradient_inputs.identity(images, session), seeds, number, session)
