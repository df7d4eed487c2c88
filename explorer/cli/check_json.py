"""The outcomes of ``check`` as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..inspection.contract import Outcome
    from ..inspection.sizes import InputSizes


def json_values(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """JSON values: the worst exit code, and each target's report, findings and unmet expectations."""
    return {
        "schema": 1,
        "code": max(outcome.code for outcome in outcomes),
        "targets": [_target(outcome) for outcome in outcomes],
    }


def _target(outcome: Outcome) -> dict[str, Any]:
    from ..inspection import propose_fixes

    head = {"target": outcome.target, "code": outcome.code, "problem": outcome.problem or None}
    if outcome.report is None:
        return head
    return {
        **head,
        **outcome.report.to_dict(),
        "findings": [
            {
                "rule": finding.rule,
                "path": finding.path,
                "sentence": finding.sentence,
                "lines": list(outcome.lines_of(finding)),
                "fixes": [
                    {
                        "title": fix.title,
                        "params": fix.params,
                        "macs": fix.macs,
                        "snippet": fix.snippet,
                        "proven": fix.proven,
                    }
                    for fix in propose_fixes(outcome.report, finding)
                ],
            }
            for finding in outcome.findings
        ],
        "hints": [
            {"rule": hint.rule, "path": hint.path, "sentence": hint.sentence, "lines": list(outcome.lines_of(hint))}
            for hint in outcome.hints
        ],
        "unmet": [{"key": unmet.key, "sentence": unmet.sentence} for unmet in outcome.unmet],
        "notes": list(outcome.notes),
        **({"sizes": _sizes(outcome.sizes)} if outcome.sizes else {}),
    }


def _sizes(sizes: InputSizes) -> dict[str, Any]:
    tried = [{"side": t.side, "works": t.works, "path": t.path, "sentence": t.sentence} for t in sizes.tried]
    return {"sentence": sizes.sentence, "multiple": sizes.multiple, "smallest": sizes.smallest, "tried": tried}
