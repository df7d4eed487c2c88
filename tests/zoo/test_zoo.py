"""``check`` beside a real forward pass, network by network: no false alarm, no miss, and a cause for what fails."""

from __future__ import annotations

import pytest

from .check import checked
from .specimens import Specimen, specimens

pytestmark = pytest.mark.usefixtures("one_thread")

ZOO = [pytest.param(specimen, id=specimen.target.partition("networks.")[2]) for specimen in specimens()]


@pytest.mark.parametrize("specimen", ZOO)
def test_the_truth_is_what_a_forward_pass_does(specimen: Specimen):
    assert bool(checked(specimen).raised) == (specimen.truth == "fails")
