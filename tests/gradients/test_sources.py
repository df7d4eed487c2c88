"""Images other than noise: the right ones, with the right labels, about mean 0 and deviation 1."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from explorer.errors import ExplorerError, SpecError
from explorer.gradients import digits, photos, probe_gradients, standardised
from explorer.gradients.sources import DIGITS
from explorer.spec import PRESETS

RED = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]


def test_all_digits_keep_their_labels_and_are_standardised() -> None:
    images, labels = digits(DIGITS, 8, 1)
    bundle = load_digits()
    assert images.shape == (len(bundle.images), 1, 8, 8)
    assert (images.mean().item(), images.std().item()) == pytest.approx((0, 1), abs=1e-5)
    back = (images[:, 0] * bundle.images.std() + bundle.images.mean()).round()
    known = {pixels.tobytes(): target for pixels, target in zip(bundle.images, bundle.target, strict=True)}
    assert [known[pixels.double().numpy().tobytes()] for pixels in back] == labels.tolist()


def test_digits_are_enlarged_and_repeated_over_channels() -> None:
    images, labels = digits(5, 20, 3, seed=1)
    assert (images.shape, images.dtype, labels.dtype) == ((5, 3, 20, 20), torch.float32, torch.int64)
    assert torch.equal(images[:, 0], images[:, 2])
    assert torch.equal(digits(5, 20, 3, seed=1)[0], images)
    assert not torch.equal(digits(5, 20, 3, seed=2)[0], images)


def test_digits_enter_a_probe_with_their_labels() -> None:
    spec = PRESETS["cifar_resnet20"].with_(depths=(1, 1, 1), in_channels=1, image_size=16)
    images, labels = digits(6, spec.image_size, spec.in_channels)
    probe = probe_gradients(spec, inputs=images, labels=labels, batch_size=3, batches=2)
    assert (probe.images, probe.labels, probe.setting.height) == ("given", "true", 16)


@pytest.mark.parametrize("count", [0, DIGITS + 1])
def test_so_many_digits_there_are_not(count: int) -> None:
    with pytest.raises(SpecError, match=rf"^digits: got {count}; a whole number from 1 to 1797"):
        digits(count, 8)


def test_photos_are_cut_to_their_centre_and_standardised() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 20:60, 0] = 255
    images = photos([Image.fromarray(pixels), Image.new("L", (7, 9))], 10)
    assert images.shape == (2, 3, 10, 10)
    assert images[0, :, 5, 5].tolist() == pytest.approx(RED, rel=1e-5)
    assert images[0, :, 1:-1, 1:-1].std((1, 2)).max() < 1e-5, "the margins are gone"


def test_colour_becomes_grey_for_other_numbers_of_channels() -> None:
    red = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    red[:, 0] = 255
    assert standardised(red, 4)[0, :, 0, 0].tolist() == pytest.approx(RED, rel=1e-5)
    grey = 0.299 * RED[0] + 0.587 * RED[1] + 0.114 * RED[2]
    for channels in (1, 2):
        images = standardised(red, 4, channels)
        assert images.shape == (1, channels, 4, 4)
        assert images.flatten().tolist() == pytest.approx([grey] * 16 * channels, rel=1e-5)


def test_what_is_no_photo_is_said() -> None:
    with pytest.raises(ExplorerError, match=r"^photos: there are none"):
        photos([], 8)
    with pytest.raises(ExplorerError, match=r"^images: got shape 1×4×8×8; N×3×H×W is expected"):
        standardised(torch.zeros(1, 4, 8, 8, dtype=torch.uint8), 8)
