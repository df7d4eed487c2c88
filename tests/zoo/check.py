"""The truth about a network by a real forward pass, the verdict of ``check``, and how the two compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from explorer.cli.modules import read_module
from explorer.errors import ExplorerError
from explorer.inspection.contract import Outcome

from .specimens import Specimen

OUTCOMES = ("as it is", "false alarm", "missed", "refused", "PyTorch's sentence", "silent, unseen")


@dataclass(frozen=True)
class Checked:
    """What ``check`` says of a network.

    Attributes:
        code: the exit code.
        sentences: of the findings that fail; ``hints``: of what doesn't; each with its rule.
        problem: why it cannot be checked.
        raised: what PyTorch said in a real forward pass; empty if it ran.
    """

    code: int
    sentences: tuple[tuple[str, str], ...]
    hints: tuple[tuple[str, str], ...]
    problem: str
    raised: str
    outcome: Outcome

    @property
    def said(self) -> tuple[tuple[str, str], ...]:
        return self.sentences + self.hints


def real(value: Any) -> Any:
    """A tensor for a shape, of zeros and ones."""
    if isinstance(value, Tensor):
        return value
    return [real(item) for item in value] if isinstance(value, list) else torch.ones(value)


def run_really(specimen: Specimen) -> str:
    """What a forward pass on the processor raises; empty if it ran."""
    try:
        net = specimen.make().eval()
        dtype = next((p.dtype for p in net.parameters() if p.is_floating_point()), torch.float32)
        given = [
            v.to(dtype) if isinstance(v, Tensor) and v.is_floating_point() else v for v in map(real, specimen.inputs)
        ]
        with torch.no_grad():
            net(*given)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@cache
def checked(specimen: Specimen) -> Checked:
    try:
        report = read_module(specimen.target, specimen.inputs)
    except ExplorerError as error:
        outcome = Outcome(specimen.target, None, problem=str(error))
    else:
        outcome = Outcome(specimen.target, report)
    hints = getattr(outcome, "hints", ())
    return Checked(
        outcome.code,
        tuple((finding.rule, finding.sentence) for finding in outcome.findings),
        tuple((finding.rule, finding.sentence) for finding in hints),
        outcome.problem,
        run_really(specimen),
        outcome,
    )


def judge(specimen: Specimen) -> str:
    """One of ``OUTCOMES``."""
    found = checked(specimen)
    if specimen.truth == "fails":
        if found.code == 0:
            return "missed"
        explained = found.sentences or (specimen.says and specimen.says in found.problem)
        return "as it is" if explained else "PyTorch's sentence"
    if found.code == 2:
        return "refused"
    if specimen.truth == "silent":
        return "as it is" if found.said else "silent, unseen"
    return "false alarm" if found.code else "as it is"


def table(zoo: Iterable[Specimen]) -> str:
    """Counts by truth and by kind."""
    rows: dict[str, Counter[str]] = {}
    for specimen in zoo:
        outcome = judge(specimen)
        for row in (specimen.truth, f"  {specimen.kind}"):
            rows.setdefault(row, Counter())[outcome] += 1
    lines = ["".join([f"{'':14}{'all':>5}", *(f"{name:>20}" for name in OUTCOMES)])]
    for name in sorted(rows):
        lines.append("".join([f"{name:14}{rows[name].total():>5}", *(f"{rows[name][o]:>20}" for o in OUTCOMES)]))
    return "\n".join(lines)
