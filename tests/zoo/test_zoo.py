"""``check`` beside a real forward pass, network by network: no false alarm, no miss, and a cause for what fails."""

from __future__ import annotations

import copy
from collections import Counter

import pytest
import torch

from explorer.inspection import propose_fixes

from .check import checked, judge, real
from .specimens import Specimen, specimens

pytestmark = pytest.mark.usefixtures("one_thread")

ALL = list(specimens())
ZOO = [pytest.param(specimen, id=specimen.target.partition("networks.")[2]) for specimen in ALL]
FAILING = [pytest.param(s, id=s.target.partition("networks.")[2]) for s in ALL if s.truth == "fails"]


@pytest.mark.parametrize("specimen", ZOO)
def test_the_truth_is_what_a_forward_pass_does(specimen: Specimen):
    assert bool(checked(specimen).raised) == (specimen.truth == "fails"), checked(specimen).raised


@pytest.mark.parametrize("specimen", ZOO)
def test_the_verdict_is_the_truth(specimen: Specimen):
    """And it names the rule and the words that were expected."""
    found = checked(specimen)
    assert judge(specimen) == "as it is", (found.said, found.problem, found.raised)
    said = "; ".join(f"[{rule}] {sentence}" for rule, sentence in found.said) or found.problem
    assert specimen.rule in said
    assert specimen.says in said


@pytest.mark.parametrize("specimen", [p for p in ZOO if p.values[0].shortcuts is not None])  # type: ignore[union-attr]
def test_the_number_of_residual_additions(specimen: Specimen):
    report = checked(specimen).outcome.report
    assert report is not None
    assert len(report.merges) == specimen.shortcuts


def test_the_zoo_as_a_whole():
    """At most one in fifty is refused, and nine of ten failures get a cause."""
    outcomes = Counter((specimen.truth, judge(specimen)) for specimen in ALL)
    failing = sum(count for (truth, _), count in outcomes.items() if truth == "fails")
    assert len(ALL) >= 150
    assert sum(count for (_, outcome), count in outcomes.items() if outcome == "refused") <= len(ALL) / 50
    assert outcomes["fails", "as it is"] >= 0.9 * failing
    assert not any(outcome in ("false alarm", "missed") for _, outcome in outcomes)


@pytest.mark.parametrize("specimen", FAILING)
def test_lines_of_every_proven_fix_make_the_users_own_module_run(specimen: Specimen):
    """Those that change layers are run as they are printed; the others were tried by the program itself."""
    report = checked(specimen).outcome.report
    for finding in report.findings if report else ():
        for fix in propose_fixes(report, finding):  # type: ignore[arg-type]
            if fix.proven and all(line.startswith("model.") for line in fix.snippet.splitlines()):
                model = copy.deepcopy(specimen.make())
                exec(fix.snippet, {"model": model, "nn": torch.nn, "torch": torch})
                model.float().eval()(*map(real, specimen.inputs))
