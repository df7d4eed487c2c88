"""What a training showed, computed from its records: a sentence for each comparison, and what the run cannot show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import sqrt
from typing import TYPE_CHECKING

from ..kit import numbers

if TYPE_CHECKING:
    from ...training import Epoch, Record

# Accuracies that are closer than this are called equal. Between three seeds of the degradation experiment the networks
# that learn differ by up to 3.4 points (README, "What is exact, and what is not"); Plain-56 differs by 13.
SEED_NOISE = 0.035
_OVERFITS = 0.05  # from here on, training accuracy above test accuracy is worth a sentence
_EASY = 0.95  # a training accuracy that leaves little to gain


class Outcome(str, Enum):
    """What a comparison came to."""

    PLAIN_WORSE = "plain worse"
    PLAIN_BETTER = "plain better"
    NO_DIFFERENCE = "no difference"
    TESTS_DIFFER = "tests differ"
    NOTHING_LEARNED = "nothing learned"
    DEEPER_WORSE = "deeper worse"
    DEEPER_EQUAL = "deeper equal"
    DEEPER_BETTER = "deeper better"
    OVERFITTING = "overfitting"
    ALONE = "alone"
    NOT_FINITE = "not finite"
    NO_RESULT = "no result"
    STOPPED_EARLY = "stopped early"


@dataclass(frozen=True)
class Finding:
    """A result in one or two sentences; plain text, which may hold names that people gave."""

    outcome: Outcome
    words: str


@dataclass(frozen=True)
class _Result:
    """One network after the last epoch that all networks of the training finished."""

    record: Record
    last: Epoch

    @property
    def name(self) -> str:
        return self.record.plan.name

    @property
    def layers(self) -> int:
        return self.record.plan.spec.weighted_layers

    @property
    def is_plain(self) -> bool:
        return self.record.plan.spec.is_plain

    @property
    def train(self) -> float:
        return self.last.train_accuracy

    @property
    def test(self) -> float:
        return self.last.test_accuracy

    @property
    def guessing(self) -> float:
        """Accuracy of a random answer."""
        return 1 / self.record.plan.spec.num_classes


def verdict(records: Sequence[Record]) -> str:
    """All findings as one paragraph."""
    return " ".join(finding.words for finding in findings(records))


def findings(records: Sequence[Record]) -> tuple[Finding, ...]:
    """What networks that were trained side by side show: whether plain ones degrade, then the deepest pair."""
    usable = [record for record in records if record.epochs and not record.diverged]
    epochs = min((len(record.epochs) for record in usable), default=0)
    results = sorted((_Result(record, record.epochs[epochs - 1]) for record in usable), key=lambda one: -one.layers)
    return (*_compared(results), *_unusable(records), *_early(results, epochs))


def limits(records: Sequence[Record]) -> str:
    """How small the experiment was, and what it therefore cannot show; empty if nothing was trained."""
    record = next((record for record in records if record.train), None)
    if record is None:
        return ""
    plan, batch = record.plan, record.plan.recipe.batch_size
    steps = (-(-record.train // batch) - (record.train % batch == 1)) * plan.recipe.epochs
    side = plan.spec.image_size
    words = (
        f"This is a small experiment: {record.train:,} images of {side}×{side} pixels, "
        f"{_counted(plan.recipe.epochs, 'epoch')} ({_counted(steps, 'step')}), one seed. Another seed changes every "
        "number a little, and large networks on large photos may behave differently."
    )
    depths = {each.plan.spec.weighted_layers for each in records if not each.plan.spec.is_plain}
    if len(depths) < 2:
        return words
    return (
        f"{words} The deeper residual network need not win here: with easy images and few steps there is little to "
        "gain from depth. He et al. (2015) trained theirs for 64,000 steps."
    )


# ---- comparisons -----------------------------------------------------------------------------------------------------


def _compared(results: Sequence[_Result]) -> Iterator[Finding]:
    pairs = list(_pairs(results))
    yield from _depths(one for one in results if one.is_plain)  # degradation, which residual networks were made against
    if pairs:
        yield _pair(*pairs[0])
    yield from _depths(one for one in results if not one.is_plain)
    for pair in pairs[1:]:
        yield _pair(*pair)
    paired = {id(one) for pair in pairs for one in pair}
    for one in results:
        if id(one) not in paired:
            yield _alone(one)
    for one in results:
        if one.train - one.test > max(_OVERFITS, _noise(one.train, one.test, one.record.test)):
            shares = f"{numbers.percent(one.train)} of the training images and {numbers.percent(one.test)} of the test"
            yield Finding(Outcome.OVERFITTING, f"{one.name} is right for {shares} images: it overfits.")


def _depths(results: Iterable[_Result]) -> Iterator[Finding]:
    """The deepest network of a kind beside the shallowest; the deepest is the first."""
    same = list(results)
    if same and same[0].layers > same[-1].layers:
        yield _deeper(same[0], same[-1])


def _pairs(results: Sequence[_Result]) -> Iterator[tuple[_Result, _Result]]:
    """Each residual network with its plain counterpart, if that was trained alike."""
    plain = {one.record.plan.spec: one for one in results if one.is_plain}
    for one in results:
        counterpart = None if one.is_plain else plain.get(one.record.plan.spec.plain())
        if counterpart and counterpart.record.plan.recipe == one.record.plan.recipe:
            yield one, counterpart


def _pair(residual: _Result, plain: _Result) -> Finding:
    both = f"{residual.name} and {plain.name}"
    against = f"{numbers.percent(plain.train)} against {numbers.percent(residual.train)}"
    if max(residual.train, plain.train) <= 1.5 * residual.guessing:
        words = f"Neither {residual.name} nor {plain.name} learned: they are right for {_shares(residual, plain)}"
        guess = f"of their training images, and guessing gives {numbers.percent(residual.guessing)}."
        return Finding(Outcome.NOTHING_LEARNED, f"{words} {guess} Train longer, or lower the learning rate.")
    noise = _noise(residual.train, plain.train, residual.record.train)
    if plain.train < residual.train - noise:
        guess = (
            f" Guessing would be right for {numbers.percent(plain.guessing)}."
            if plain.train <= 3 * plain.guessing
            else ""
        )
        words = f"{plain.name} is worse than {residual.name} on the images it trains on ({against}):"
        return Finding(Outcome.PLAIN_WORSE, f"{words} this is not overfitting, it is harder to optimise.{guess}")
    if plain.train > residual.train + noise:
        words = f"{plain.name} is better than {residual.name} on the images it trains on ({against}):"
        return Finding(Outcome.PLAIN_BETTER, f"{words} in this run the shortcuts did not help.")
    if abs(residual.test - plain.test) > _noise(residual.test, plain.test, residual.record.test):
        worse, better = sorted((residual, plain), key=lambda one: one.test)
        shares = f"{numbers.percent(worse.test)} against {numbers.percent(better.test)}"
        words = f"{both} learned their training images equally well ({_shares(residual, plain)}),"
        return Finding(
            Outcome.TESTS_DIFFER,
            f"{words} but {worse.name} is right for fewer test images ({shares}): it generalises worse.",
        )
    paper = " He et al. (2015) found the same for 18 layers." if residual.layers <= 20 else ""
    words = f"{both} are equally good within the noise of a single seed ({_shares(residual, plain)} in training):"
    return Finding(Outcome.NO_DIFFERENCE, f"{words} at this depth the plain network trains as well.{paper}")


def _deeper(deep: _Result, shallow: _Result) -> Finding:
    """Two networks of a kind: does depth help?"""
    against = f"{numbers.percent(deep.train)} against {numbers.percent(shallow.train)} in training"
    noise = _noise(deep.train, shallow.train, deep.record.train)
    if deep.train < shallow.train - noise:
        words = f"{deep.name} is worse than the shallower {shallow.name} ({against}): more layers made training harder."
        end = "This is degradation." if deep.is_plain else "Shortcuts alone did not make depth pay off in this run."
        return Finding(Outcome.DEEPER_WORSE, f"{words} {end}")
    if deep.train > shallow.train + noise:
        words = f"{deep.name} is better than the shallower {shallow.name} ({against}): more layers helped."
        return Finding(Outcome.DEEPER_BETTER, words)
    words = f"{deep.name} and the shallower {shallow.name} are equally good ({against}):"
    if deep.is_plain:
        return Finding(Outcome.DEEPER_EQUAL, f"{words} there is no degradation in this run.")
    easy = " The shallower one already leaves little to gain." if shallow.train >= _EASY else ""
    return Finding(Outcome.DEEPER_EQUAL, f"{words} with shortcuts, more layers did no harm.{easy}")


def _alone(one: _Result) -> Finding:
    other = "the same network with shortcuts" if one.is_plain else "its plain counterpart"
    shares = f"{numbers.percent(one.train)} of its training images and {numbers.percent(one.test)} of the test images"
    return Finding(
        Outcome.ALONE,
        f"{one.name} is right for {shares}. Train it beside {other} to see what the shortcuts do.",
    )


def _unusable(records: Sequence[Record]) -> Iterator[Finding]:
    for record in records:
        name = record.plan.name
        if record.diverged:
            words = f"{name} diverged: its loss is no longer finite. Lower the learning rate."
            yield Finding(Outcome.NOT_FINITE, words)
        elif not record.epochs:
            yield Finding(Outcome.NO_RESULT, f"{name} was stopped in its first epoch: there is no result to compare.")


def _early(results: Sequence[_Result], epochs: int) -> Iterator[Finding]:
    planned = max((one.record.plan.recipe.epochs for one in results), default=0)
    if epochs < planned:
        words = f"All this is after epoch {epochs} of {planned}: the rest of the run may change it."
        yield Finding(Outcome.STOPPED_EARLY, words)


def _noise(one: float, other: float, images: int) -> float:
    """Differences up to this are not called differences: two standard errors, and what a seed changes."""
    error = sqrt((one * (1 - one) + other * (1 - other)) / images) if images else 0.0
    return max(SEED_NOISE, 2 * error)


def _shares(one: _Result, other: _Result) -> str:
    return f"{numbers.percent(one.train)} and {numbers.percent(other.train)}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
