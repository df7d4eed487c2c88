"""The digits are scikit-learn's, always split the same way."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from sklearn import datasets

from explorer.datasets.digits import load_digits


def test_the_digits_are_split_the_same_way_always() -> None:
    train, test = load_digits()
    assert (train.images.shape, test.images.shape) == ((1437, 3, 8, 8), (360, 3, 8, 8))
    assert train.classes == test.classes == tuple("0123456789")
    source = datasets.load_digits()
    labels = [*train.labels.tolist(), *test.labels.tolist()]
    assert labels == source.target.tolist()
    pixels = torch.cat([train.images, test.images])
    assert np.array_equal(np.rint(pixels[:, 0].numpy().astype(float) * 16 / 255), source.images)
    assert torch.equal(pixels[:, 0], pixels[:, 1])
    assert torch.equal(pixels[:, 0], pixels[:, 2])
    digest = hashlib.sha256(test.images.numpy().tobytes() + test.labels.numpy().tobytes()).hexdigest()
    assert digest[:16] == "70ac36424957807d"
