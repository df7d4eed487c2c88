"""The degradation experiment is the paper's four networks, on the images and by the recipe of its kind."""

from __future__ import annotations

from dataclasses import replace

from explorer.cli.train import ExperimentName
from explorer.spec import PRESETS
from explorer.training import DEGRADATION, DIGITS_RECIPE, EXPERIMENTS, TRAINING_DATA, Epoch, Record, Schedule
from explorer.views.training.experiment import accuracy_table


def test_the_degradation_experiment_is_the_papers_four() -> None:
    plans = DEGRADATION.plans()
    assert [plan.name for plan in plans] == ["ResNet-20", "Plain-20", "ResNet-56", "Plain-56"]
    twenty, fifty_six = (PRESETS[name].with_(image_size=8) for name in ("cifar_resnet20", "cifar_resnet56"))
    assert [plan.spec for plan in plans] == [twenty, twenty.plain(), fifty_six, fifty_six.plain()]
    assert {(plan.recipe, plan.data) for plan in plans} == {(DIGITS_RECIPE, "digits")}
    assert (DIGITS_RECIPE.epochs, DIGITS_RECIPE.batch_size, DIGITS_RECIPE.learning_rate) == (12, 64, 0.05)
    assert (DIGITS_RECIPE.schedule, DIGITS_RECIPE.pad, DIGITS_RECIPE.flip) == (Schedule.PAPER, 1, False)


def test_another_recipe_is_another_value() -> None:
    short = replace(DEGRADATION, recipe=replace(DIGITS_RECIPE, epochs=1, seed=4))
    assert {(plan.recipe.epochs, plan.recipe.seed) for plan in short.plans()} == {(1, 4)}


def test_every_experiment_is_known_to_the_command_line_and_has_images() -> None:
    assert [name.value for name in ExperimentName] == list(EXPERIMENTS)
    assert {experiment.data for experiment in EXPERIMENTS.values()} <= TRAINING_DATA.keys()


def test_a_cell_has_a_number_for_each_seed() -> None:
    def run(*shares: tuple[float, float]) -> list[Record]:
        plans = DEGRADATION.plans()
        return [Record(plan, epochs=[Epoch(0, 0.0, *share, 1.0)]) for plan, share in zip(plans, shares, strict=False)]

    head, rows = accuracy_table([run((0.9954, 0.9639), (1, 0.5)), run((0.2, 0.1), (0, 0))])
    assert head == ("", "ResNet-20", "Plain-20")
    assert rows == [("training, %", "99.5, 20.0", "100.0, 0.0"), ("test, %", "96.4, 10.0", "50.0, 0.0")]
    unfinished = [Record(DEGRADATION.plans()[0])]
    assert accuracy_table([unfinished])[1] == [("training, %", "–"), ("test, %", "–")]
