"""What is measured: within the budget, on the images and labels given, with settings in bounds."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from explorer.errors import ExplorerError, SpecError
from explorer.gradients import Budget, Setting, budget, probe_gradients
from explorer.gradients.options import shrunk
from explorer.network import build
from explorer.spec import PRESETS
from tests.support.probed import SMALL, VARIETY

pytestmark = pytest.mark.usefixtures("one_thread")


# — The budget —


def test_a_network_within_the_budget_is_measured_as_asked() -> None:
    result = probe_gradients(SMALL, batch_size=2, batches=1)
    assert result.setting == Setting(batch_size=2, batches=1, height=16, width=16, seed=0)
    assert (result.notes, result.device, result.dtype) == ((), "cpu", "float32")


def test_images_shrink_first_then_the_batch_and_both_are_said() -> None:
    spec = PRESETS["resnet50"]
    wanted = Setting(batch_size=16, batches=3, height=224, width=224, seed=0)
    fitted = budget.fit(spec, wanted, 4, Budget(macs=10**10))
    assert (fitted.height, fitted.width, fitted.batch_size, fitted.batches) == (64, 64, 9, 3)
    assert fitted.notes == (
        "224 → 64 px: at 224 px the measurement takes 196.3 GMACs and 2.8 GiB; 10.0 GMACs and 1.0 GiB are allowed.",
        "16 → 9 images in a batch: 16 take 16.2 GMACs and 0.3 GiB; 10.0 GMACs and 1.0 GiB are allowed.",
    )


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["resnet18", "resnet50", "wide_resnet50_2", "cifar_resnet110", "preact_resnet164"]),
    size=st.tuples(st.integers(1, 512), st.integers(1, 512)),
    batch_size=st.integers(1, 64),
    macs=st.integers(10**8, 10**11),
)
def test_a_reduced_setting_is_within_the_budget_and_never_larger(name, size, batch_size, macs) -> None:
    spec, limits = PRESETS[name], Budget(macs=macs, activation_bytes=2**29)
    wanted = Setting(batch_size, batches=2, height=size[0], width=size[1], seed=0)
    try:
        fitted = budget.fit(spec, wanted, 4, limits)
    except ExplorerError:
        return
    assert budget.cost(spec, fitted, 4).share(limits) <= 1
    assert fitted.height <= size[0]
    assert fitted.width <= size[1]
    assert min(2, batch_size) <= fitted.batch_size <= batch_size
    assert bool(fitted.notes) == (replace(fitted, notes=()) != wanted)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Budget(macs=1000), r"^3 × 2 images of 4 px, the least to be measured, take .* Lower widths, depths"),
        (Budget(weight_bytes=1000), r"^weights and their gradients would take 0\.1 GiB; .* Lower widths or"),
    ],
)
def test_a_network_over_every_budget_is_refused(limits: Budget, message: str) -> None:
    with pytest.raises(ExplorerError, match=message):
        probe_gradients(SMALL, budget=limits)


@pytest.mark.parametrize("changes", VARIETY.values(), ids=VARIETY)
def test_the_memory_estimate_bounds_what_autograd_keeps(changes: dict[str, object]) -> None:
    spec = SMALL.with_(**changes)
    model = build(spec)
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def pack(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        loss = model(torch.randn(8, 3, spec.image_size, spec.image_size)).sum()
    estimate = 8 * 4 * budget.activations(spec, spec.image_size)
    assert sum(kept.values()) < estimate < 2.6 * sum(kept.values())
    del loss  # until here it held what was kept, so that no storage was used twice


# — Inputs and settings —


def test_given_images_replace_the_noise() -> None:
    images = torch.rand(3, 3, 10, 14, dtype=torch.float64)
    with torch.inference_mode():
        result = probe_gradients(SMALL, inputs=images * 1, batch_size=99, batches=2)
    assert result.setting == Setting(batch_size=3, batches=2, height=10, width=14, seed=0)
    assert result == probe_gradients(SMALL, inputs=images, batches=2)
    assert result.layers != probe_gradients(SMALL, inputs=images.flip(0, 3), batches=2).layers


def test_labelled_images_are_dealt_out_in_order_and_then_again() -> None:
    images, labels = torch.randn(5, 3, 16, 16), torch.arange(5)
    result = probe_gradients(SMALL, inputs=images, labels=labels, batch_size=3, batches=2)
    assert (result.images, result.labels, result.setting.batch_size) == ("given", "true", 3)
    model = build(SMALL)
    for batch, places in enumerate(([0, 1, 2], [3, 4, 0])):
        loss = F.cross_entropy(model(images[places]), labels[places])
        (gradient,) = torch.autograd.grad(loss, model.get_parameter("conv1.weight"))
        assert result.layers[0].norms[batch] == pytest.approx(gradient.norm().item(), rel=1e-5)


def test_labelled_images_fewer_than_a_batch_are_all_shown() -> None:
    result = probe_gradients(SMALL, inputs=torch.randn(3, 3, 16, 16), labels=torch.tensor([1, 1, 2]), batch_size=8)
    assert result.setting.batch_size == 3


def test_what_is_not_given_is_noise_and_random() -> None:
    result = probe_gradients(SMALL, batch_size=2, batches=1)
    assert (result.images, result.labels) == ("noise", "random")
    given = probe_gradients(SMALL, batches=1, inputs=torch.randn(2, 3, 16, 16))
    assert (given.images, given.labels) == ("given", "random")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 5]), r"^labels: got 5; the network has 5 classes, counted from 0\. Raise num_classes"),
        (torch.tensor([-1, 4]), r"^labels: got -1; "),
        (torch.tensor([0]), r"^labels: got shape 1 of torch\.int64; 2 whole numbers are expected"),
        (torch.tensor([0.0, 1.0]), r"^labels: got shape 2 of torch\.float32; 2 whole numbers"),
    ],
)
def test_labels_that_do_not_fit_are_named(labels: Tensor, message: str) -> None:
    with pytest.raises(ExplorerError, match=message):
        probe_gradients(SMALL, inputs=torch.randn(2, 3, 16, 16), labels=labels)


def test_labels_need_images() -> None:
    with pytest.raises(ExplorerError, match="give inputs too"):
        probe_gradients(SMALL, labels=torch.tensor([0]))


def test_given_images_shrink_by_area() -> None:
    images = torch.arange(2 * 3 * 4 * 8.0).reshape(2, 3, 4, 8)
    smaller = shrunk(images, Setting(batch_size=1, batches=1, height=2, width=4, seed=0))
    assert torch.equal(smaller, images.reshape(2, 3, 2, 2, 4, 2).mean((3, 5)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": torch.zeros(2, 1, 8, 8)}, r"inputs: got shape 2×1×8×8, expected N×3×H×W"),
        ({"inputs": torch.zeros(3, 8, 8)}, r"inputs: got shape 3×8×8, expected N×3×H×W"),
        ({"inputs": torch.zeros(0, 3, 8, 8)}, r"inputs: got shape 0×3×8×8"),
        ({"inputs": torch.tensor(1.0)}, r"inputs: got shape of a single number"),
        ({"inputs": torch.full((1, 3, 8, 8), torch.nan)}, r"inputs: .* finite ones are expected"),
        ({"batch_size": 0}, r"batch_size: got 0; a whole number from 1 to 1024"),
        ({"batches": 65}, r"batches: got 65; .* from 1 to 64"),
        ({"image_size": 0}, r"image_size: got 0; .* from 1 to 2048"),
        ({"seeds": 0}, r"seeds: got 0; .* from 1 to 64"),
        ({"seed": -1}, r"seed: got -1; .* from 0 to 2147483647"),
    ],
)
def test_settings_out_of_bounds_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ExplorerError, match=message):
        probe_gradients(SMALL, **options)  # type: ignore[arg-type]


def test_a_setting_out_of_bounds_names_its_field() -> None:
    with pytest.raises(SpecError) as caught:
        probe_gradients(SMALL, batches=0)
    assert caught.value.field == "batches"
