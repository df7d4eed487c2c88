"""Photos are standardised with ImageNet's numbers, cut and greyed."""

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.datasets.photos import fit_images, standardise, standardise_photos
from explorer.errors import ExplorerError

RED = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]


def test_photos_are_cut_to_their_centre_and_standardised() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 20:60, 0] = 255
    images = standardise_photos([Image.fromarray(pixels), Image.new("L", (7, 9))], 10)
    assert images.shape == (2, 3, 10, 10)
    assert images[0, :, 5, 5].tolist() == pytest.approx(RED, rel=1e-5)
    assert images[0, :, 1:-1, 1:-1].std((1, 2)).max() < 1e-5, "the margins are gone"


def test_colour_becomes_grey_for_other_numbers_of_channels() -> None:
    red = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    red[:, 0] = 255
    assert fit_images(standardise(red), 4, 3)[0, :, 0, 0].tolist() == pytest.approx(RED, rel=1e-5)
    grey = 0.299 * RED[0] + 0.587 * RED[1] + 0.114 * RED[2]
    for channels in (1, 2):
        images = fit_images(standardise(red), 4, channels)
        assert images.shape == (1, channels, 4, 4)
        assert images.flatten().tolist() == pytest.approx([grey] * 16 * channels, rel=1e-5)


def test_other_shapes_are_rejected() -> None:
    with pytest.raises(ExplorerError, match=r"^photos: got none"):
        standardise_photos([], 8)
    with pytest.raises(ExplorerError, match=r"^images: got shape 1×4×8×8, expected N×3×H×W"):
        standardise(torch.zeros(1, 4, 8, 8, dtype=torch.uint8))
