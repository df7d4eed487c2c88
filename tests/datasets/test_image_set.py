"""Parts of an image set."""

from __future__ import annotations

import torch

from tests.support.tiny_runs import noise


def test_a_tenth_is_the_first_of_every_class() -> None:
    images = noise(90)
    images.labels[:] = torch.tensor([0] * 50 + [1] * 30 + [2] * 10)
    tenth = images.take_first(10)
    assert tenth.labels.tolist() == [0] * 5 + [1] * 3 + [2]
    assert torch.equal(tenth.images, images.images[[*range(5), 50, 51, 52, 80]])
