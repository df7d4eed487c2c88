"""The verdict on a training: every outcome has a sentence of its own, computed from the records."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.spec import ResNetSpec
from explorer.training import DEGRADATION, DIGITS_RECIPE, Epoch, Plan, Record
from explorer.training.record import DIVERGED
from explorer.views.training.verdict import Outcome, findings, limits, verdict

R20, P20, R56, P56 = DEGRADATION.plans()


def record(plan: Plan, *accuracies: tuple[float, float], **changes: object) -> Record:
    """A run of 1,437 training and 360 test images with these training and test accuracies (%), an epoch each."""
    epochs = [Epoch(i, 0.5, train / 100, test / 100, 1.0) for i, (train, test) in enumerate(accuracies)]
    one_epoch = replace(plan, recipe=replace(plan.recipe, epochs=max(len(accuracies), 1)))
    fields = {"train": 1437, "test": 360, "epochs": epochs, **changes}
    return Record(**{"plan": one_epoch, **fields})  # type: ignore[arg-type]


def outcomes(*records: Record) -> list[Outcome]:
    return [finding.outcome for finding in findings(records)]


def test_a_plain_network_that_is_worse_in_training_does_not_overfit() -> None:
    assert verdict([record(R56, (97.6, 94.2)), record(P56, (20.5, 20.8))]) == (
        "Plain-56 is worse than ResNet-56 on the images it trains on (20.5 % against 97.6 %): this is not overfitting, "
        "it is harder to optimise. Guessing would be right for 10.0 %."
    )
    assert verdict([record(P56, (60, 60)), record(R56, (97.6, 94.2))]) == (
        "Plain-56 is worse than ResNet-56 on the images it trains on (60.0 % against 97.6 %): this is not overfitting, "
        "it is harder to optimise."
    )


def test_the_degradation_experiment_names_degradation_first_then_the_deepest_pair() -> None:
    run = [record(R20, (99.5, 96.4)), record(P20, (97.4, 93.9)), record(R56, (97.6, 94.2)), record(P56, (20.5, 20.8))]
    found = findings(run)
    assert [finding.words.partition(":")[0] for finding in found] == [
        "Plain-56 is worse than the shallower Plain-20 (20.5 % against 97.4 % in training)",
        "Plain-56 is worse than ResNet-56 on the images it trains on (20.5 % against 97.6 %)",
        "ResNet-56 and the shallower ResNet-20 are equally good (97.6 % against 99.5 % in training)",
        "ResNet-20 and Plain-20 are equally good within the noise of a single seed (99.5 % and 97.4 % in training)",
    ]
    assert found[0].words.endswith("more layers made training harder. This is degradation.")
    assert found[2].words.endswith("more layers did no harm. The shallower one already leaves little to gain.")
    assert outcomes(*reversed(run)) == [finding.outcome for finding in found], "the order of the runs does not matter"


def test_a_deeper_network_may_be_better_or_worse_of_either_kind() -> None:
    assert outcomes(record(P20, (60, 60)), record(P56, (80, 80)))[0] is Outcome.DEEPER_BETTER
    equal = findings([record(P20, (80, 80)), record(P56, (80, 80))])[0]
    assert equal.words.endswith("there is no degradation in this run.")
    worse = findings([record(R20, (90, 90)), record(R56, (80, 80))])[0]
    assert (worse.outcome, "degradation" in worse.words) == (Outcome.DEEPER_WORSE, False)
    assert worse.words.endswith("Shortcuts alone did not make depth pay off in this run.")


def test_a_plain_network_that_is_better_is_called_better() -> None:
    assert verdict([record(R20, (80, 80)), record(P20, (95, 94))]) == (
        "Plain-20 is better than ResNet-20 on the images it trains on (95.0 % against 80.0 %): in this run the "
        "shortcuts did not help."
    )


def test_what_a_seed_can_change_is_no_difference() -> None:
    assert outcomes(record(R20, (99, 96)), record(P20, (95.6, 95))) == [Outcome.NO_DIFFERENCE]
    assert outcomes(record(R20, (99, 96)), record(P20, (95.4, 95))) == [Outcome.PLAIN_WORSE]
    few = {"train": 40, "test": 40}
    assert outcomes(record(R20, (90, 90), **few), record(P20, (80, 80), **few)) == [Outcome.NO_DIFFERENCE]
    assert verdict([record(R56, (99, 96)), record(P56, (99, 96))]).endswith("the plain network trains as well.")
    assert verdict([record(R20, (99, 96)), record(P20, (99, 96))]).endswith("found the same for 18 layers.")


def test_equal_training_and_different_tests_is_generalisation() -> None:
    assert verdict([record(R20, (90, 89)), record(P20, (90, 70))]) == (
        "ResNet-20 and Plain-20 learned their training images equally well (90.0 % and 90.0 %), but Plain-20 is right "
        "for fewer test images (70.0 % against 89.0 %): it generalises worse. Plain-20 is right for 90.0 % of the "
        "training images and 70.0 % of the test images: it overfits."
    )


def test_two_networks_that_guess_learned_nothing() -> None:
    assert verdict([record(R56, (10.2, 9.0)), record(P56, (11.0, 10.0))]) == (
        "Neither ResNet-56 nor Plain-56 learned: they are right for 10.2 % and 11.0 % of their training images, and "
        "guessing gives 10.0 %. Train longer, or lower the learning rate."
    )


@pytest.mark.parametrize(("plan", "other"), [(R20, "its plain counterpart"), (P20, "the same network with shortcuts")])
def test_one_network_has_nothing_to_be_compared_with(plan: Plan, other: str) -> None:
    (finding,) = findings([record(plan, (95, 93))])
    assert finding.outcome is Outcome.ALONE
    assert finding.words == (
        f"{plan.name} is right for 95.0 % of its training images and 93.0 % of the test images. Train it beside "
        f"{other} to see what the shortcuts do."
    )


def test_a_single_network_can_overfit() -> None:
    assert outcomes(record(R20, (99, 70))) == [Outcome.ALONE, Outcome.OVERFITTING]
    assert outcomes(record(R20, (99, 94.5))) == [Outcome.ALONE]


def test_a_network_that_diverged_is_not_compared() -> None:
    ended = f"Epoch 2: {DIVERGED}; lower the learning rate."
    run = [record(R56, (97, 94)), record(P56, (50, 50), ended=ended)]
    assert outcomes(*run) == [Outcome.ALONE, Outcome.NOT_FINITE]
    assert verdict(run).endswith("Plain-56 diverged: its loss is no longer finite. Lower the learning rate.")


def test_a_run_that_was_stopped_is_compared_at_the_last_common_epoch() -> None:
    recipe = replace(DIGITS_RECIPE, epochs=12)
    first, second = record(R20, (50, 50), (90, 90)), record(P20, (40, 40))
    for one in (first, second):
        one.plan, one.ended = replace(one.plan, recipe=recipe), "It was stopped there."
    assert verdict([first, second]).startswith("Plain-20 is worse than ResNet-20 on the images it trains on (40.0 %")
    assert "(40.0 % against 50.0 %)" in verdict([first, second])
    assert verdict([first, second]).endswith("All this is after epoch 1 of 12: the rest of the run may change it.")


def test_a_run_without_an_epoch_has_no_result() -> None:
    assert verdict([record(R20)]) == "ResNet-20 was stopped in its first epoch: there is no result to compare."
    assert findings([]) == ()


def test_networks_of_other_shapes_are_not_a_pair() -> None:
    other = replace(P20, spec=P20.spec.with_(widths=(8, 16, 32)))
    assert outcomes(record(R20, (90, 90)), record(other, (50, 50))) == [Outcome.ALONE, Outcome.ALONE]


def test_the_limits_name_the_size_of_the_run() -> None:
    run = [Record(plan, train=1437, test=360) for plan in (R20, P20)]
    assert limits(run) == (
        "This is a small experiment: 1,437 images of 8×8 pixels, 12 epochs (276 steps), one seed. Another seed changes "
        "every number a little, and large networks on large photos may behave differently."
    )
    deep = limits([*run, *(Record(plan, train=1437, test=360) for plan in (R56, P56))])
    assert "The deeper residual network need not win here" in deep
    assert limits([Record(R20)]) == ""


def test_a_lone_last_image_is_not_a_step() -> None:
    assert "(24 steps)" in limits([Record(R20, train=64 * 2 + 1)])
    assert isinstance(R20.spec, ResNetSpec)
