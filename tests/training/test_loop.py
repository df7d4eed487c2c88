"""The recipe and the loop: courses of the rate, images as they are fed, one step by hand, what is recorded."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from math import log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.compat import torchvision
from explorer.errors import ExplorerError
from explorer.network import build
from explorer.training.checkpoints import train
from explorer.training.loop import Epoch, TrainingStep, augment, evaluate, normalise, sharpen, shrink
from explorer.training.recipe import Recipe, Schedule
from tests.support.tiny_runs import SHORT, TINY, noise, separable, tiny_run

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


# The recipe


@pytest.mark.parametrize(
    ("schedule", "shape"),
    [
        (Schedule.PAPER, [1, 1, 0.1, 0.01, 0.01]),
        (Schedule.COSINE, [1, (1 + sqrt(0.5)) / 2, 0.5, (1 - sqrt(0.5)) / 2, 0]),
        (Schedule.ONE_CYCLE, [0, 1, 2 / 3, 1 / 3, 0]),
    ],
)
def test_courses_of_the_learning_rate(schedule: Schedule, shape: list[float]) -> None:
    recipe = Recipe(learning_rate=0.3, schedule=schedule)
    assert [recipe.rate(t) for t in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([0.3 * y for y in shape], abs=1e-12)


def test_the_paper_s_schedule_drops_exactly_at_its_step() -> None:
    recipe = Recipe(learning_rate=1, schedule=Schedule.PAPER)
    assert [recipe.rate(t) for t in (0.4999, 0.7499)] == [1, 0.1]


def test_a_recipe_is_plain_json() -> None:
    data = Recipe(schedule=Schedule.COSINE).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["schedule"] == "cosine"
    assert Recipe.from_dict(data) == Recipe(schedule=Schedule.COSINE)
    assert Recipe.from_dict({}) == Recipe()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"epochs": 0}, r"^epochs: got '0', expected a whole number from 1 to 10,000$"),
        ({"epochs": 1.5}, r"^epochs: got '1\.5', expected a whole number"),
        ({"epochs": True}, r"^epochs: got 'True'"),
        ({"batch_size": 1}, r"^batch_size: got '1', expected a whole number from 2 to"),
        ({"learning_rate": float("nan")}, r"^learning_rate: got 'nan', expected a number from 0"),
        ({"learning_rate": None}, r"^learning_rate: got 'None'"),
        ({"momentum": 1}, r"^momentum: got '1', expected a number from 0 to 0\.9999$"),
        ({"weight_decay": -1e-4}, r"^weight_decay: got '-0\.0001'"),
        ({"flip": 1}, r"^flip: got '1'; allowed: true and false$"),
        ({"schedule": "warm"}, r"^schedule: got 'warm'; allowed: paper, cosine, one_cycle$"),
        ({"optimiser": "adam"}, r"^'optimiser': no such field; known fields: epochs, batch_size"),
    ],
)
def test_a_recipe_says_what_it_cannot_be(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ExplorerError, match=match):
        Recipe.from_dict(changes)


# Augmentation


def crops(image: Tensor, recipe: Recipe) -> dict[tuple[int, int, bool], Tensor]:
    """Every image that may come out, by rows, columns and whether it is mirrored."""
    pad = recipe.pad
    _, height, width = image.shape
    padded = np.pad(image.numpy(), ((0, 0), (pad, pad), (pad, pad)))
    found = {}
    for top in range(2 * pad + 1):
        for left in range(2 * pad + 1):
            crop = padded[:, top : top + height, left : left + width]
            found[top, left, False] = torch.from_numpy(crop.copy())
            if recipe.flip:
                found[top, left, True] = torch.from_numpy(crop[:, :, ::-1].copy())
    return found


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("pad", [0, 1, 4])
def test_augmented_images_are_crops_of_the_padded_ones(pad: int, flip: bool) -> None:
    recipe = Recipe(pad=pad, flip=flip)
    images = torch.randint(1, 256, (40, 3, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    out = augment(images, recipe, torch.Generator().manual_seed(1))
    assert (out.shape, out.dtype) == (images.shape, torch.uint8)
    for image, got in zip(images, out, strict=True):
        assert any(torch.equal(got, crop) for crop in crops(image, recipe).values())
    assert torch.equal(images, before)


def test_every_crop_is_as_likely() -> None:
    recipe = Recipe(pad=1)
    image = torch.arange(1, 76, dtype=torch.uint8).view(3, 5, 5)
    known = {crop.numpy().tobytes(): key for key, crop in crops(image, recipe).items()}
    out = augment(image.expand(3600, -1, -1, -1), recipe, torch.Generator().manual_seed(0))
    counts = Counter(known[got.contiguous().numpy().tobytes()] for got in out)
    assert len(counts) == 18
    assert all(130 < count < 270 for count in counts.values())  # 200 ± 5 σ


# The loop


def test_one_step_is_the_one_by_hand() -> None:
    images = noise(6)
    recipe = Recipe(
        epochs=1, batch_size=6, learning_rate=0.1, schedule=Schedule.PAPER, pad=0, flip=False, label_smoothing=0.1
    )
    run = tiny_run(recipe, train=images)
    (step, _) = run.events()
    model = build(TINY, seed=0).train()
    pixels = images.images.double() / 255
    mean, std = pixels.mean((0, 2, 3)), pixels.transpose(0, 1).flatten(1).std(1)
    x = ((pixels - mean.view(-1, 1, 1)) / std.view(-1, 1, 1)).float()
    loss = F.cross_entropy(model(x), images.labels, label_smoothing=0.1)
    loss.backward()
    assert isinstance(step, TrainingStep)
    assert step.loss == pytest.approx(loss.item(), abs=1e-3)  # mean and std are rounded to four digits
    for (name, weight), (got_name, got) in zip(model.named_parameters(), run.model.named_parameters(), strict=True):
        assert name == got_name
        assert weight.grad is not None
        # Nesterov's first step is (1 + momentum) times the gradient.
        expected = weight - 0.1 * 1.9 * (weight.grad + 5e-4 * weight)
        torch.testing.assert_close(got, expected, rtol=1e-2, atol=1e-3)


def test_events_come_in_order_and_follow_the_schedule() -> None:
    run = tiny_run(replace(SHORT, epochs=2))
    steps: list[TrainingStep] = []
    places: list[tuple[str, int, int]] = []
    for event in run.events():
        if isinstance(event, TrainingStep):
            steps.append(event)
            places.append(("step", event.epoch, event.step))
            assert {group["lr"] for group in run.optimiser.param_groups} == {event.learning_rate}
        else:
            places.append(("epoch", event.epoch, 0))
    # 20 images: 8, 8 and 4
    assert places == [
        *(("step", 0, i) for i in (1, 2, 3)),
        ("epoch", 0, 0),
        *(("step", 1, i) for i in (1, 2, 3)),
        ("epoch", 1, 0),
    ]
    assert [step.learning_rate for step in steps] == pytest.approx([SHORT.rate(i / 6) for i in range(6)])
    assert {step.steps for step in steps} == {3}
    mean = sum(step.loss * size for step, size in zip(steps[:3], (8, 8, 4), strict=True)) / 20
    assert run.history[0].loss == pytest.approx(mean)
    assert run.finished
    assert list(run.events()) == []


@pytest.mark.parametrize("optimiser", [{}, {"weight_decay": 0.0, "momentum": 0.9}])
def test_gradient_norms_are_those_of_the_loss_by_part(optimiser: dict[str, Any]) -> None:
    """Recorded before the step: an optimiser that writes into the gradients changes nothing."""
    recipe = replace(SHORT, epochs=1, batch_size=20, pad=0, flip=False, **optimiser)
    run = tiny_run(recipe)
    run.record_every = 1
    (step, _) = run.events()
    model = build(TINY, seed=0).train()
    x = normalise(run.train.images, run.mean, run.std, CPU)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    F.cross_entropy(model(x[order]), run.train.labels[order]).backward()
    squares: dict[str, float] = {}
    for name, weight in model.named_parameters():
        assert weight.grad is not None
        stem, _, block = name.partition("layer")
        part = f"layer{block[:3]}" if block else "head" if stem.startswith("fc") else "stem"
        squares[part] = squares.get(part, 0) + float(weight.grad.double().square().sum())
    assert isinstance(step, TrainingStep)
    assert run.parts == ("stem", "layer1.0", "layer2.0", "head") == tuple(squares)
    assert step.norms == pytest.approx([sqrt(square) for square in squares.values()], rel=1e-4)


def test_recording_changes_no_number_and_comes_when_asked_for() -> None:
    silent, recorded = tiny_run(), tiny_run()
    recorded.record_every = 2
    pairs = [(a, b) for a, b in zip(silent.events(), recorded.events(), strict=True) if isinstance(a, TrainingStep)]
    assert [a.loss for a, _ in pairs] == [b.loss for _, b in pairs if isinstance(b, TrainingStep)]
    assert not any(a.norms for a, _ in pairs)
    # The second of three steps, and the last of the epoch.
    assert [bool(b.norms) for _, b in pairs if isinstance(b, TrainingStep)] == [False, True, True] * 3


def test_a_lone_last_image_is_left_out() -> None:
    run = tiny_run(replace(SHORT, epochs=1), train=noise(17))
    assert [type(event) for event in run.events()] == [TrainingStep, TrainingStep, Epoch]
    run = tiny_run(replace(SHORT, epochs=1), train=noise(18))
    assert [type(event) for event in run.events()] == [TrainingStep, TrainingStep, TrainingStep, Epoch]


def test_what_can_be_learnt_is_learnt() -> None:
    run = tiny_run(replace(SHORT, epochs=6), train=separable(60, 0), test=separable(30, 1))
    for _ in run.events():
        pass
    first, *_, last = run.history
    assert first.loss > 0.5 * log(3)
    assert last.loss < 0.5 * first.loss
    assert last.train_accuracy > 0.9
    assert last.test_accuracy == 1


def test_a_nan_loss_stops_the_run(tmp_path: Path) -> None:
    run = tiny_run(replace(SHORT, learning_rate=1e9, schedule=Schedule.PAPER), TINY.with_(norm="none"))
    with pytest.raises(ExplorerError, match="epoch 1: the loss is no longer finite; lower the learning rate"):
        list(train(run, tmp_path / "last.pt"))
    assert list(tmp_path.iterdir()) == []


def test_normalised_pixels() -> None:
    images = noise(4).images
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    got = normalise(images, mean, std, CPU)
    expected = (images.double() / 255 - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)
    torch.testing.assert_close(got.double(), expected, rtol=0, atol=1e-6)
    assert got.dtype is torch.float32
    assert got.is_contiguous(memory_format=torch.channels_last)


def test_mean_and_deviation_of_the_channels() -> None:
    images = noise(7)
    images.images[:, 1] //= 3
    means, stds = images.mean_std()
    pixels = images.images.numpy() / 255
    assert means == pytest.approx(pixels.mean((0, 2, 3)), abs=5.1e-5)
    assert stds == pytest.approx(pixels.transpose(1, 0, 2, 3).reshape(3, -1).std(1, ddof=1), abs=5.1e-5)


class Brightest(nn.Module):
    """Names the brightest channel; only in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3)) * self.weight
        return -means if self.training else means


@pytest.mark.parametrize("training", [True, False])
def test_accuracy_is_the_share_of_all_images_and_the_mode_comes_back(training: bool) -> None:
    images = separable(510, 0)
    images.labels[[0, 100, 300, 505, 509]] += 1
    images.labels[:] %= 3
    model = Brightest().train(training)
    assert evaluate(model, images, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) == 505 / 510
    assert model.training is training


def test_sharpening_is_torchvisions_inside_and_a_factor_of_one_changes_nothing() -> None:
    images = noise(4).images
    factors = torch.tensor([1.0, 1.5, 2.2, 0.0])
    sharp = sharpen(images, factors)
    assert torch.equal(sharp[0], images[0].float())
    for image, factor, found in zip(images, factors.tolist(), sharp, strict=True):
        expected = torchvision.transforms.functional.adjust_sharpness(image.float() / 255, factor) * 255
        torch.testing.assert_close(found[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], rtol=0, atol=1e-3)
    assert sharp.min() == 0
    assert sharp.max() == 255


def test_images_of_the_first_epochs_are_small_and_averaged() -> None:
    quadrants = torch.tensor([[1.0, 3.0], [5.0, 7.0]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    small = shrink(quadrants.expand(1, 3, 4, 4), 2)
    assert small.shape == (1, 3, 2, 2)
    assert small[0, 0, 0, 0] < small[0, 0, 0, 1] < small[0, 0, 1, 0] < small[0, 0, 1, 1]
    torch.testing.assert_close(small.mean(), torch.tensor(4.0))
    seen: list[tuple[int, ...]] = []
    run = tiny_run(replace(SHORT, epochs=2, small_epochs=1, small_side=4))
    run.model.register_forward_pre_hook(
        lambda module, args: seen.append(tuple(args[0].shape[2:])) if module.training else None
    )
    for _ in run.events():
        pass
    steps = len(seen) // 2
    assert seen == [(4, 4)] * steps + [(8, 8)] * steps
