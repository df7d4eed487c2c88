"""Experiments that compare networks: which, on what images, by which recipe."""

from __future__ import annotations

from dataclasses import dataclass

from ..datasets import DIGITS
from ..spec import PRESETS, ResNetSpec
from .recipe import Recipe, Schedule
from .record import Plan, plan_runs

# As in the paper, at half the rate for half the batch: a set this small has few steps in an epoch.
DIGITS_RECIPE = Recipe(
    epochs=12,
    batch_size=64,
    learning_rate=0.05,
    weight_decay=1e-4,
    nesterov=False,
    schedule=Schedule.PAPER,
    pad=DIGITS.pad,
    flip=DIGITS.flip,
)


@dataclass(frozen=True)
class Experiment:
    """Networks that are trained side by side on the same images by the same recipe.

    Attributes:
        name: on the command line and in forms.
        title: for people.
        data: a key of ``TRAINING_DATA``; the networks get its input and classes.
    """

    name: str
    title: str
    networks: tuple[ResNetSpec, ...]
    data: str
    recipe: Recipe

    def plans(self) -> tuple[Plan, ...]:
        """A run for each network."""
        return plan_runs(self.networks, self.recipe, self.data)


def _with_plain(*presets: str) -> tuple[ResNetSpec, ...]:
    """Each network, followed by its plain counterpart."""
    return tuple(spec for preset in presets for spec in (PRESETS[preset], PRESETS[preset].plain()))


# He et al. 2015 §4.2 and Figure 6: a deeper plain network is worse even on the images it trains on.
DEGRADATION = Experiment(
    name="degradation",
    title="Degradation: 20 and 56",
    networks=_with_plain("cifar_resnet20", "cifar_resnet56"),
    data=DIGITS.key,
    recipe=DIGITS_RECIPE,
)
EXPERIMENTS = {experiment.name: experiment for experiment in (DEGRADATION,)}
