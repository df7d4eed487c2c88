"""What recording costs a training step: as the page records, against a bare loop in plain PyTorch.

Both sides train the same network from the same seed on the same images, a step each in turn, in one process and with
the same threads. The ratio is the median of the quotients of neighbouring steps; the first steps warm up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional as F

from explorer.datasets.digits import TRAIN
from explorer.network import build
from explorer.spec import PRESETS
from explorer.training import DIGITS_RECIPE, TRAINING_DATA, Plan, Recipe, Training, plan_runs
from explorer.training.loop import augment, normalise

STEPS, WARM = 60, 5  # of each side in a round; the first of them are not counted
MOST = 1.05


@dataclass(frozen=True)
class Case:
    preset: str
    recipe: Recipe

    @property
    def plan(self) -> Plan:
        (plan,) = plan_runs([PRESETS[self.preset]], self.recipe, "digits")
        return plan


# Every step is recorded with batches of 256; in the page's own recipe as many as the charts have points.
CASES = (
    Case("cifar_resnet20", DIGITS_RECIPE),
    Case("cifar_resnet56", DIGITS_RECIPE),
    Case("cifar_resnet20", Recipe(epochs=40, batch_size=256, pad=1, flip=False)),
)


def bare(plan: Plan) -> Iterator[None]:
    """The steps of a training loop that records nothing but its loss."""
    recipe, (train, _) = plan.recipe, TRAINING_DATA[plan.data].load(Path())
    mean, std = train.mean_std()
    model = build(plan.spec, seed=recipe.seed).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(
        model.parameters(),
        recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=recipe.nesterov,
    )
    generator = torch.Generator().manual_seed(recipe.seed)
    while True:
        for batch in torch.randperm(len(train), generator=generator).split(recipe.batch_size)[:-1]:
            images = normalise(augment(train.images[batch], recipe, generator), mean, std, torch.device("cpu"))
            loss = F.cross_entropy(model(images), train.labels[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            loss.item()
            yield


def measure(case: Case) -> tuple[float, float, float]:
    """Median seconds of a step, ours and bare, and the median quotient."""
    ours, theirs = Training([case.plan], Path()).steps(), bare(case.plan)
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(STEPS)]
    # The last step of an epoch is smaller, and a test follows it.
    steps = -(-TRAIN // case.recipe.batch_size)
    whole = [pair for i, pair in enumerate(pairs) if i >= WARM and (i + 1) % steps]
    return median(a for a, _ in whole), median(b for _, b in whole), median(a / b for a, b in whole)


def seconds(steps: Iterator[None]) -> float:
    start = perf_counter()
    next(steps)
    return perf_counter() - start


def run(console: Console, repeat: int) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the page trains networks this small
    table = Table("network", "batch", "recorded", "bare", "ratio", "target", "", title=f"a step, median of {repeat}")
    try:
        for case in CASES:
            rounds = sorted((measure(case) for _ in range(repeat)), key=lambda found: found[2])
            ours, theirs, ratio = rounds[len(rounds) // 2]
            verdict = "met" if ratio <= MOST else "[bold]not met[/]"
            times = f"{1000 * ours:.1f} ms", f"{1000 * theirs:.1f} ms"
            table.add_row(case.preset, str(case.recipe.batch_size), *times, f"{ratio:.3f}×", f"≤ {MOST}×", verdict)
    finally:
        torch.set_num_threads(threads)
    console.print(table)
