"""Confidence: the temperature by another road, the error by hand, and that nothing fitted has been trained on."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from explorer.datasets import ImageSet
from explorer.spec import ResNetSpec, Stem
from explorer.training.calibration import (
    accuracy,
    calibrate,
    calibration_error,
    fit_temperature,
    in_distribution_scores,
    logits_of,
)
from explorer.training.loop import Run
from explorer.training.recipe import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


def drawn(temperature: float, count: int = 4000) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits whose softmax at ``temperature`` is the true chance of each label."""
    dice = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(count, 5, generator=dice)
    return logits, torch.multinomial((logits / temperature).softmax(1), 1, generator=dice)[:, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    logits, labels = drawn(temperature)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.06)
    grid = [F.cross_entropy(logits / t, labels).item() for t in (0.9 * found, found, 1.1 * found)]
    assert min(grid) == grid[1]


def test_the_calibration_error_by_hand() -> None:
    """Four images that are surely of class 0, one of which is not: |3/4 − 1|; two at 0.6, one right: |1/2 − 0.6|."""
    sure, unsure = torch.tensor([50.0, 0.0]), torch.tensor([0.6, 0.4]).log()
    logits = torch.stack([sure] * 4 + [unsure] * 2)
    labels = torch.tensor([0, 0, 0, 1, 0, 1])
    assert calibration_error(logits, labels) == pytest.approx((4 * 0.25 + 2 * 0.1) / 6, abs=1e-6)
    assert accuracy(logits, labels, 1) == pytest.approx(4 / 6)
    assert accuracy(logits, labels, 5) == 1


def test_calibrated_confidence_is_nearer_the_truth() -> None:
    logits, labels = drawn(2.5)
    assert calibration_error(logits / 2.5, labels) < 0.03 < 0.1 < calibration_error(logits, labels)


def test_familiarity_does_not_care_about_the_other_classes() -> None:
    logits = torch.tensor([[9.0, 0.0, 0.0], [9.0, 8.0, 8.0], [1.0, 1.0, 1.0]])
    values = in_distribution_scores(logits)
    assert values[2] < values[0] < values[1]
    torch.testing.assert_close(values, logits.exp().sum(1).log())


def test_a_run_is_calibrated_on_what_it_left_out() -> None:
    dice = torch.Generator().manual_seed(1)
    pixels = torch.randint(256, (200, 3, 8, 8), dtype=torch.uint8, generator=dice)
    images = ImageSet(pixels, torch.arange(200) % 3, ("a", "b", "c"))
    train, held_out = images.without_held_out()
    assert (len(train), len(held_out)) == (196, 4)
    assert torch.equal(held_out.images, pixels[49::50])
    assert not any((image == other).all() for image in held_out.images for other in train.images)
    spec = ResNetSpec(depths=(1, 1), widths=(4, 8), stem=Stem.CIFAR, num_classes=3, image_size=8)
    run = Run(spec, Recipe(epochs=1, batch_size=32, pad=1), train, images)
    for _ in run.events():
        pass
    found = calibrate(run, held_out)
    logits = logits_of(run, held_out)
    assert found.images == 4
    assert found.temperature == fit_temperature(logits, held_out.labels)
    # All but a tenth of four are above the lowest, interpolated.
    lowest, second = in_distribution_scores(logits).sort().values[:2].tolist()
    assert found.familiar == pytest.approx(lowest + 0.3 * (second - lowest), rel=1e-5)
    test = logits_of(run, images)
    assert found.error_before == calibration_error(test, images.labels)
    assert found.error_after == calibration_error(test / found.temperature, images.labels)
