"""Paths must be those of y = F(x) + s(x) with one side detached, and all of them together the whole gradient."""

import csv
import io
from collections.abc import Iterator
from itertools import combinations
from math import comb, isnan
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.errors import ExplorerError
from explorer.gradients import PathLength, PathLengths, ProbeCancelled, Setting, path_csv, path_lengths
from explorer.gradients.path_lengths import _with_shares, gated
from explorer.network import ResNet, build
from explorer.spec import PRESETS, ResNetSpec

TINY = ResNetSpec().with_(depths=(2, 2), widths=(4, 8), stem="cifar", shortcut="zero_pad", num_classes=5, image_size=8)
KINDS = {
    "basic, option A": {},
    "bottleneck, option C": {"block": "bottleneck", "shortcut": "projection_all"},
    "pre-activation, no norm": {"block": "preact_basic", "shortcut": "projection", "norm": "none"},
    "one block without a shortcut": {"shortcut_overrides": {"layer1.1": "none"}},
}

pytestmark = pytest.mark.usefixtures("one_thread")


def by_hand(model: ResNet, images: Tensor, labels: Tensor, chosen: frozenset[str]) -> Tensor:
    """∂L/∂x along the paths through F in the ``chosen`` blocks only, written as Veit et al. describe it."""
    x = model.maxpool(model.relu(model.bn1(model.conv1(images))))
    for plan in model.spec.blocks:
        block: Any = model.get_submodule(plan.path)
        preact = model.spec.block.is_preact
        a = block.relu(block.bn1(x)) if preact else x
        branch = block.branch(a)
        if not block.plain:
            shortcut = block.shortcut(a if getattr(block, "shared", False) else x)
            through = plan.path in chosen
            branch = branch + shortcut.detach() if through else branch.detach() + shortcut
        x = branch if preact else block.relu(branch)
    loss = F.cross_entropy(model.fc(model.post(x).mean((2, 3))), labels)
    return torch.autograd.grad(loss, images)[0]


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    dice = torch.Generator().manual_seed(1)
    images = torch.randn(3, 3, 8, 8, generator=dice, dtype=torch.float64)
    return images.requires_grad_(), torch.tensor([0, 1, 4])


def residual(spec: ResNetSpec) -> list[str]:
    return [plan.path for plan in spec.blocks if plan.shortcut != "none"]


def subsets(paths: list[str]) -> Iterator[frozenset[str]]:
    for k in range(len(paths) + 1):
        yield from map(frozenset, combinations(paths, k))


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_every_path_equals_detaching_by_hand(changes: dict[str, Any], batch: tuple[Tensor, Tensor]) -> None:
    spec = TINY.with_(**changes)
    images, labels = batch
    model = build(spec, seed=3).double()
    with gated(model) as chosen:
        loss = F.cross_entropy(model(images), labels)
        for path in subsets(residual(spec)):
            chosen.clear()
            chosen.update(path)
            (found,) = torch.autograd.grad(loss, images, retain_graph=True)
            torch.testing.assert_close(found, by_hand(model, images, labels, path), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_all_paths_together_are_the_gradient(changes: dict[str, Any], batch: tuple[Tensor, Tensor]) -> None:
    """The product of all (F' + s') is the sum over all paths."""
    spec = TINY.with_(**changes)
    images, labels = batch
    model = build(spec, seed=3).double()
    (whole,) = torch.autograd.grad(F.cross_entropy(model(images), labels), images)
    along = torch.zeros_like(whole)
    with gated(model) as chosen:
        loss = F.cross_entropy(model(images), labels)
        for path in subsets(residual(spec)):
            chosen.clear()
            chosen.update(path)
            along += torch.autograd.grad(loss, images, retain_graph=True)[0]
    torch.testing.assert_close(along, whole, rtol=1e-10, atol=1e-14)


def test_the_network_is_left_as_it_was() -> None:
    model = build(TINY)
    before = [sorted(vars(module)) for module in model.modules()]
    with gated(model):
        pass
    assert [sorted(vars(module)) for module in model.modules()] == before


def test_few_paths_are_all_taken_and_measured_as_by_hand() -> None:
    images, labels = torch.randn(2, 3, 8, 8, dtype=torch.float64), torch.tensor([3, 0])
    result = path_lengths(
        TINY, samples=6, batches=1, inputs=images, labels=labels, batch_size=2, seed=7, dtype=torch.float64
    )
    model, x = build(TINY, seed=7).double(), images.clone().requires_grad_()
    norms = [[by_hand(model, x, labels, frozenset(path)).norm().item() for path in combinations(residual(TINY), k)]
             for k in range(5)]  # fmt: skip
    assert [one.norms for one in result.lengths] == [pytest.approx(tuple(found), rel=1e-10) for found in norms]
    totals = [comb(4, k) * sum(found) / len(found) for k, found in enumerate(norms)]
    assert [one.share_of_gradient for one in result.lengths] == pytest.approx([t / sum(totals) for t in totals])
    assert result.effective_length == pytest.approx(sum(k * t for k, t in enumerate(totals)) / sum(totals))


def test_lengths_are_distributed_binomially_and_exactly() -> None:
    result = path_lengths(PRESETS["cifar_resnet56"], lengths=(0, 1, 13, 27), samples=1, batches=1, batch_size=2)
    assert (result.blocks, result.mean_length) == (27, 13.5)
    assert [(one.length, one.paths) for one in result.lengths] == [(0, 1), (1, 27), (13, 20_058_300), (27, 1)]
    assert [one.share_of_paths for one in result.lengths] == [n / 2**27 for n in (1, 27, 20_058_300, 1)]
    assert result.notes == ("4 of 28 lengths were measured; shares of the gradient are of these.",)


def test_counts_beyond_a_double_have_shares_still() -> None:
    """C(1024, 512) × 10¹⁰ is more than a double holds."""
    few, half = _with_shares(1024, (511, 512), ((1e10,), (1e10, 3e10)))
    assert half.paths == comb(1024, 512)
    assert half.share_of_paths == pytest.approx(0.02493, rel=1e-3)
    assert half.share_of_gradient / few.share_of_gradient == pytest.approx(2 * 513 / 512)
    assert half.share_of_gradient + few.share_of_gradient == pytest.approx(1)


def test_no_path_is_drawn_twice_and_a_run_reproduces() -> None:
    first = path_lengths(TINY, samples=4, batches=1, batch_size=2)
    assert path_lengths(TINY, samples=4, batches=1, batch_size=2) == first
    assert [len(set(one.norms)) for one in first.lengths] == [1, 4, 4, 4, 1]
    assert first.samples == 4
    assert path_lengths(TINY, samples=4, batches=1, batch_size=2, seed=1) != first


def test_branches_that_start_at_zero_leave_one_path() -> None:
    result = path_lengths(TINY.with_(zero_init_residual=True), batch_size=2)
    assert [one.share_of_gradient for one in result.lengths] == [1, 0, 0, 0, 0]
    assert result.carried() == (0, 0)
    assert result.notes == ("4 of 5 lengths carry a gradient of exactly 0.",)


def test_where_gradients_overflow_no_share_is_given() -> None:
    images = torch.full((2, 3, 8, 8), 3e38)
    result = path_lengths(TINY.with_(norm="none"), inputs=images, batches=1)
    assert all(isnan(one.share_of_gradient) for one in result.lengths)
    assert result.carried() is None
    assert result.notes == ("Some gradients overflow, so that no share of them can be given.",)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, (0, 0)), (0.5, (1, 1)), (0.7, (0, 1)), (0.8, (1, 2)), (1.0, (0, 2)), (1.1, None)]
)
def test_the_shortest_run_of_lengths_that_carries_a_share(share: float, expected: tuple[int, int] | None) -> None:
    shares = (0.2, 0.5, 0.3)
    lengths = tuple(PathLength(k, comb(2, k), comb(2, k) / 4, (1.0,), part) for k, part in enumerate(shares))
    setting = Setting(batch_size=1, batches=1, height=8, width=8, seed=0)
    assert PathLengths(TINY, setting, 2, lengths, "cpu", "float32", ()).carried(share) == expected


def test_progress_counts_backward_passes_and_cancel_stops_between_two() -> None:
    seen: list[tuple[int, int]] = []
    with pytest.raises(ProbeCancelled, match=r"^Stopped after 3 of 42 backward passes\.$"):
        path_lengths(
            TINY,
            samples=4,
            batch_size=2,
            on_progress=lambda *at: seen.append(at),
            cancelled=lambda: len(seen) == 3,
        )
    assert seen == [(1, 42), (2, 42), (3, 42)]


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (TINY.plain(), {}, r"^A plain network has one path, .* Choose a shortcut\.$"),
        (TINY.with_(shortcut="identity"), {}, r"^layer2\.0: "),
        (TINY, {"lengths": (5,)}, r"^lengths: got 5; a whole number from 0 to 4"),
        (TINY, {"lengths": ()}, r"^lengths: none was given; 0 to 4 are allowed"),
        (TINY, {"samples": 0}, r"^samples: got 0; .* from 1 to 1000"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(spec: ResNetSpec, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ExplorerError, match=message):
        path_lengths(spec, **options)


def test_csv_has_all_digits() -> None:
    result = path_lengths(TINY, batch_size=2, batches=1)
    rows = list(csv.DictReader(io.StringIO(path_csv(result))))
    assert [int(row["paths"]) for row in rows] == [1, 4, 6, 4, 1]
    assert [float(row["gradient"]) for row in rows] == [one.gradient for one in result.lengths]
    assert [float(row["share_of_gradient"]) for row in rows] == [one.share_of_gradient for one in result.lengths]
