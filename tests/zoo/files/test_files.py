"""Files of the zoo beside their own readers: no false alarm, no miss, the numbers of the network that was saved."""

from __future__ import annotations

from collections import Counter

import pytest

from .check import checked, judge
from .specimens import FileSpecimen, file_specimens

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore")]

ALL = list(file_specimens())
ZOO = [pytest.param(specimen, id=specimen.name) for specimen in ALL]


@pytest.mark.parametrize("specimen", ZOO)
def test_the_truth_is_what_the_own_reader_does(specimen: FileSpecimen):
    found = checked(specimen)
    assert bool(found.raised) == (specimen.truth == "broken"), found.raised
    assert found.ran == (specimen.truth == "hostile", False)


@pytest.mark.parametrize("specimen", ZOO)
def test_the_verdict_is_the_truth(specimen: FileSpecimen):
    """And it says what was expected."""
    found = checked(specimen)
    assert judge(specimen) == "as it is", found.said
    assert specimen.says in found.said


def test_the_zoo_of_files_as_a_whole():
    """Half of them are broken, and at most one in fifty of the others is refused."""
    outcomes = Counter((specimen.truth == "right", judge(specimen)) for specimen in ALL)
    readable = sum(count for (is_right, _), count in outcomes.items() if is_right)
    assert len(ALL) >= 60
    assert 2 * (len(ALL) - readable) >= readable
    assert outcomes[True, "refused"] <= readable / 50
    assert not any(outcome in ("false alarm", "missed") for _, outcome in outcomes)
