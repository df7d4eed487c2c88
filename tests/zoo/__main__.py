"""``python -m tests.zoo [-v]``: what ``check`` makes of every network of the zoo, and what every file is opened as."""

from __future__ import annotations

import sys

from .check import checked, judge, table
from .files.check import table as file_table
from .files.specimens import file_specimens
from .specimens import specimens

zoo = list(specimens())
for specimen in zoo:
    outcome, found = judge(specimen), checked(specimen)
    assert bool(found.raised) == (specimen.truth == "fails"), (specimen.target, found.raised)
    name = specimen.target.partition("networks.")[2]
    said = "; ".join(f"[{rule}] {sentence}" for rule, sentence in found.said) or found.problem
    expected = outcome == "as it is"
    for rule, words in ((specimen.rule, specimen.says),):
        missing = [w for w in (rule, words) if w and w not in "; ".join(f"[{r}] {s}" for r, s in found.said)]
        expected = expected and not missing
    count = len(found.outcome.report.merges) if found.outcome.report else None
    if specimen.shortcuts is not None and count is not None and count != specimen.shortcuts:
        expected, said = False, f"{count} shortcuts for {specimen.shortcuts}; {said}"
    if not expected or "-v" in sys.argv:
        print(f"{name}: {specimen.truth} {outcome!r}: {said[:400]}\n      {found.raised[:150]}")
print(len(zoo))
print(table(zoo))
files = list(file_specimens())
print(len(files))
print(file_table(files))
